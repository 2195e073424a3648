//! People who use the query app without a browser: they sign in, open a WebSocket and run queries.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use stand_ins::signed::Caller;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::rest::{Rest, send};

/// The user pool, with a separate client for the exercise: the page's client accepts only proofs of passwords.
#[derive(Debug, Clone)]
pub(crate) struct People<'a> {
    caller: &'a Caller,
    pool: String,
    client: String,
}

/// A person who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    token: String,
}

/// Longer than the pool requires, with every kind of character.
const PASSWORD: &str = "Correct-horse-battery-1";

impl<'a> People<'a> {
    /// # Errors
    ///
    /// If the pool refuses the client.
    pub(crate) async fn of(pool: &str, caller: &'a Caller) -> anyhow::Result<People<'a>> {
        let people = People { caller, pool: pool.to_owned(), client: String::new() };
        let flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH"];
        let made = people.call("CreateUserPoolClient", json!({"ClientName": "exercise", "ExplicitAuthFlows": flows}));
        let made = made.await?;
        let client = made["UserPoolClient"]["ClientId"].as_str().context("the client has no ID")?.to_owned();
        Ok(People { client, ..people })
    }

    /// Creates a user, as an administrator does, and signs in.
    ///
    /// # Errors
    ///
    /// If the pool refuses it.
    pub(crate) async fn sign_in(&self, name: &str) -> anyhow::Result<Person> {
        let email = format!("{name}@example.com");
        let attributes = json!([{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]);
        let user = json!({"Username": email, "UserAttributes": attributes, "MessageAction": "SUPPRESS"});
        self.call("AdminCreateUser", user).await?;
        let password = json!({"Username": email, "Password": PASSWORD, "Permanent": true});
        self.call("AdminSetUserPassword", password).await?;
        let given = json!({"USERNAME": email, "PASSWORD": PASSWORD});
        let flow = json!({"ClientId": self.client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": given});
        let answer = self.call("AdminInitiateAuth", flow).await?;
        let token = answer["AuthenticationResult"]["IdToken"].as_str().context("the sign-in gave no token")?;
        Ok(Person { token: token.to_owned() })
    }

    async fn call(&self, operation: &str, mut ask: Value) -> anyhow::Result<Value> {
        ask["UserPoolId"] = json!(self.pool);
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        self.caller.json("cognito-idp", &target, "1.1", &ask).await
    }
}

impl Person {
    /// A request to the REST API as this person.
    pub(crate) fn request(&self, rest: &Rest, method: Method, path: &str) -> RequestBuilder {
        rest.request(method, path).header("authorization", &self.token)
    }

    /// A ticket for a connection.
    ///
    /// # Errors
    ///
    /// If the API refuses.
    pub(crate) async fn ticket(&self, rest: &Rest) -> anyhow::Result<String> {
        let (status, body) = send(self.request(rest, Method::POST, "/ticket"), None).await?;
        ensure!(status == 201, "the answer was {status}: {body}");
        Ok(body["ticket"].as_str().context("the answer has no ticket")?.to_owned())
    }
}

/// How to connect: to this WebSocket API, from this page.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    /// `ws://…`
    pub(crate) socket: String,
    /// The page's origin.
    pub(crate) origin: String,
}

/// An open WebSocket.
#[derive(Debug)]
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// A crowd of two hundred waits for two cores, and one for the sweep of the next minutes.
const LONGEST_MESSAGE: Duration = Duration::from_secs(300);

/// As long as the page's.
const LONGEST_SILENCE: Duration = Duration::from_secs(12);
const MOST_ASKED: usize = 10;

impl Door {
    /// Connects with this in the query string. The inner error is the status of a refusal.
    ///
    /// # Errors
    ///
    /// If nobody answers.
    pub(crate) async fn open(&self, query: &str) -> anyhow::Result<Result<Socket, u16>> {
        let mut request = format!("{}{query}", self.socket).into_client_request()?;
        request.headers_mut().insert("origin", self.origin.parse()?);
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Ok(Socket(stream))),
            Err(Error::Http(refusal)) => Ok(Err(refusal.status().as_u16())),
            Err(error) => Err(error).context("the WebSocket API does not answer"),
        }
    }

    /// Connects as a person.
    ///
    /// # Errors
    ///
    /// If it is refused.
    pub(crate) async fn enter(&self, person: &Person, rest: &Rest) -> anyhow::Result<Socket> {
        let ticket = person.ticket(rest).await?;
        match self.open(&format!("?ticket={ticket}")).await? {
            Ok(socket) => Ok(socket),
            Err(status) => bail!("the connection was refused with {status}"),
        }
    }
}

impl Socket {
    /// Sends a message.
    ///
    /// # Errors
    ///
    /// If the connection is closed.
    pub(crate) async fn say(&mut self, message: &Value) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    /// Runs a query and returns the request's ID.
    ///
    /// # Errors
    ///
    /// If the connection is closed.
    pub(crate) async fn run(&mut self, query: &str, parameters: Value) -> anyhow::Result<String> {
        let id = request_id();
        self.say(&json!({"action": "run", "requestId": id, "query": query, "parameters": parameters})).await?;
        Ok(id)
    }

    /// The next message, and when it came.
    ///
    /// # Errors
    ///
    /// If none comes, or the connection ends.
    pub(crate) async fn hear(&mut self) -> anyhow::Result<(Value, Instant)> {
        loop {
            let next = tokio::time::timeout(LONGEST_MESSAGE, self.0.next()).await.context("no message came")?;
            let now = Instant::now();
            match next.context("the connection ended")?? {
                Message::Text(text) => return Ok((serde_json::from_str(&text)?, now)),
                Message::Close(frame) => bail!("the connection was closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// Checks that no message comes for a while.
    ///
    /// # Errors
    ///
    /// With the message that came.
    pub(crate) async fn is_silent(&mut self, span: Duration) -> anyhow::Result<()> {
        match tokio::time::timeout(span, self.hear()).await {
            Err(_) => Ok(()),
            Ok(Ok((message, _))) => bail!("a message came: {message}"),
            Ok(Err(error)) => Err(error),
        }
    }

    /// Messages about one request up to the one that ends it; the others are dropped.
    ///
    /// # Errors
    ///
    /// As for [`Socket::hear`].
    pub(crate) async fn end_of(&mut self, id: &str) -> anyhow::Result<Vec<Value>> {
        let mut messages = Vec::new();
        while !messages.last().is_some_and(is_end) {
            messages.push(self.about(id).await?);
        }
        Ok(messages)
    }

    /// The next message about a request; others, such as that a function failed, are dropped.
    async fn about(&mut self, id: &str) -> anyhow::Result<Value> {
        loop {
            let (message, _) = self.hear().await?;
            if message["requestId"] == id {
                return Ok(message);
            }
        }
    }

    /// Runs a query to its end. As the page does, asks again if the query is not accepted: a burst may be too much.
    ///
    /// # Errors
    ///
    /// As for [`Socket::hear`].
    pub(crate) async fn persist(&mut self, query: &str, parameters: Value) -> anyhow::Result<Vec<Value>> {
        let id = request_id();
        let ask = json!({"action": "run", "requestId": id, "query": query, "parameters": parameters});
        for _ in 0..MOST_ASKED {
            self.say(&ask).await?;
            let Ok(first) = tokio::time::timeout(LONGEST_SILENCE, self.about(&id)).await else { continue };
            let mut messages = vec![first?];
            if !is_end(&messages[0]) {
                messages.extend(self.end_of(&id).await?);
            }
            return Ok(messages);
        }
        bail!("the query was not accepted after {MOST_ASKED} tries")
    }
}

/// Whether this is the last message about a request.
fn is_end(message: &Value) -> bool {
    match message["type"].as_str() {
        Some("rows") => message["last"] == true,
        Some("accepted") => false,
        _ => true,
    }
}

/// A random UUID of version 4.
fn request_id() -> String {
    let bits = (fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
