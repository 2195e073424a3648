//! Exercises the deployed system: its page in a browser, and its functions with people who do not use a browser.

mod measure;
mod person;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use person::{Door, People, Person, Socket};
use reqwest::Method;
use serde_json::{Value, json};
use stand_ins::edge::Behind;
use stand_ins::redshift::Redshift;
use stand_ins::signed::Caller;

use crate::browser;
use crate::exercise::{Exercise, until};
use crate::rest::{Rest, send};
use crate::stack::DeployedStack;
use crate::system::LocalSystem;
use crate::world::World;

pub(crate) const LOCAL: LocalSystem = LocalSystem { uses_warehouse: true, can_be_measured: true };

/// What the steps need.
struct QueryExercise<'a> {
    stack: &'a DeployedStack,
    rest: Rest,
    caller: &'a Caller,
    /// The WebSocket API and the page's origin.
    door: Door,
    redshift: &'a Redshift,
    /// People without a browser.
    people: People<'a>,
    pictures: &'a Path,
}

/// The bucket of `tenant.yaml`, with the script that fills the schema and the tenant's own queries.
const BUCKET: &str = "ferrostack-local-query-app";

/// Longer than a browser needs to see nothing.
const QUIET: Duration = Duration::from_millis(1500);
/// From a statement's end to the request's.
const LONGEST_ENDING: Duration = Duration::from_secs(120);

/// Puts the files that `tenant.yaml` names into the emulator.
pub(crate) async fn prepare(world: &World<'_>) -> anyhow::Result<()> {
    let put = async |path: &str, body: &str| {
        let path = format!("/{BUCKET}{path}");
        world.emulator.caller.call("s3", Method::PUT, &path, &[], body.as_bytes().to_vec()).await
    };
    put("", "").await?;
    put("/nyc_yellow_taxi.sql", include_str!("nyc_yellow_taxi.sql")).await?;
    put("/queries/every-trip.sql", include_str!("every-trip.sql")).await?;
    put("/queries/slow.sql", include_str!("slow.sql")).await?;
    Ok(())
}

/// Runs every step, or measures.
pub(crate) async fn exercise(
    world: &World<'_>,
    stack: &DeployedStack,
    exercise: &mut Exercise<'_>,
) -> anyhow::Result<()> {
    let caller = &world.emulator.caller;
    let rest = Rest::of(stack, caller).await?;
    let door = open(world, stack, &rest).await?;
    let people = People::of(stack.physical_id("Users")?, caller).await?;
    let redshift = &world.services.warehouse()?.redshift;
    let system = QueryExercise { stack, rest, caller, door, redshift, people, pictures: world.pictures };
    if world.measures {
        system.measure(exercise).await;
    } else {
        system.run(exercise).await;
    }
    Ok(())
}

/// Looks up the addresses of the deployed system, and lets the edge serve its page.
async fn open(world: &World<'_>, stack: &DeployedStack, rest: &Rest) -> anyhow::Result<Door> {
    let (emulator, edge) = (world.emulator, &world.services.edge);
    let api = stack.physical_id("Connections")?;
    let socket = format!("ws://{}/_aws/execute-api/{api}/live", emulator.address);
    let id = stack.only("AWS::CloudFront::Distribution")?;
    let path = format!("/2020-05-31/distribution/{id}");
    let found = emulator.caller.call("cloudfront", Method::GET, &path, &[], Vec::new()).await?;
    let mut texts = found.as_str().unwrap_or_default().split(['<', '>']);
    let distribution = texts.find(|text| text.ends_with(".cloudfront.net")).context("the distribution has no name")?;
    edge.serve(Behind {
        emulator: emulator.endpoint().to_owned(),
        distribution: distribution.to_owned(),
        api: rest.url.clone(),
        socket: socket.clone(),
    });
    Ok(Door { socket, origin: edge.url.clone() })
}

impl QueryExercise<'_> {
    async fn run(&self, exercise: &mut Exercise<'_>) {
        exercise.step("the page has headers that allow only what it needs", self.page()).await;
        exercise.step("two people use the page, each with their own results", self.in_a_browser()).await;
        exercise.step("a ticket opens one connection, for the page only", self.tickets()).await;
        exercise.step("nobody can reach another user's request", self.strangers()).await;
        exercise.step("a page that is closed cancels only its own query", self.going()).await;
        exercise.step("a connection that is lost loses no result", self.cut()).await;
        exercise.step("more than 1 MB is fetched in pages", self.large()).await;
        exercise.step("an end that is reported twice is pushed once", self.twice()).await;
        exercise.step("an end that comes before its request is tried again", self.before()).await;
        exercise.step("an end that is never reported is found by the sweep", self.never()).await;
    }

    async fn page(&self) -> anyhow::Result<String> {
        let answer = reqwest::get(&self.door.origin).await?;
        let header = |name: &str| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
        let policy = header("content-security-policy").context("the page has no policy")?;
        let own = ["default-src 'none'", "script-src 'self'", "style-src 'self'"];
        ensure!(
            own.iter().all(|directive| policy.contains(directive)) && !policy.contains("unsafe"),
            "the policy is {policy}"
        );
        ensure!(header("x-content-type-options").as_deref() == Some("nosniff"), "the page has no nosniff");
        ensure!(header("cache-control").as_deref() == Some("no-cache"), "the page itself may be cached");
        let text = answer.text().await?;
        ensure!(text.contains("<div id=\"root\">"), "this is not the page");
        // Its files have a hash of their content in their names.
        let script = text.split('"').find(|text| text.contains("assets/") && text.ends_with(".js"));
        let script = script.context("the page has no script")?.trim_start_matches('/');
        let script = reqwest::get(format!("{}/{script}", self.door.origin)).await?;
        let kept = script.headers().get("cache-control").and_then(|value| value.to_str().ok()).unwrap_or_default();
        ensure!(kept.contains("immutable"), "the page's script may be cached as `{kept}`");
        let direct = self.stack.physical_id("PageBucket")?;
        let direct = reqwest::get(format!("{}/{direct}/index.html", self.caller.endpoint)).await?.status();
        ensure!(direct == 403, "the bucket itself answered {direct}");
        Ok(format!("{}; the bucket itself answers 403", self.door.origin))
    }

    async fn in_a_browser(&self) -> anyhow::Result<String> {
        let mailbox = format!("{}/_ministack/ses/messages", self.caller.endpoint);
        let report = browser::run("query_app.mjs", &[&self.door.origin, &mailbox], self.pictures).await?;
        Ok(format!("{}; pictures in {}", report["steps"], self.pictures.display()))
    }

    async fn tickets(&self) -> anyhow::Result<String> {
        let person = self.people.sign_in("tickets").await?;
        let (status, _) = send(self.rest.request(Method::POST, "/ticket"), None).await?;
        ensure!(status == 401, "a ticket without signing in: {status}");
        let elsewhere = json!({"PoolName": "elsewhere"});
        let elsewhere =
            self.caller.json("cognito-idp", "AWSCognitoIdentityProviderService.CreateUserPool", "1.1", &elsewhere);
        let pool = elsewhere.await?["UserPool"]["Id"].as_str().context("the pool has no ID")?.to_owned();
        let foreign = People::of(&pool, self.caller).await?.sign_in("foreign").await?;
        let (status, _) = send(foreign.request(&self.rest, Method::POST, "/ticket"), None).await?;
        ensure!(status == 401, "a ticket for a user of a different pool: {status}");
        let stranger = Door { origin: "https://elsewhere.example".to_owned(), ..self.door.clone() };
        let ticket = person.ticket(&self.rest).await?;
        let query = format!("?ticket={ticket}");
        let opened = self.door.open(&query).await?;
        ensure!(opened.is_ok(), "a good ticket was refused");
        let mut refused = Vec::new();
        let other = person.ticket(&self.rest).await?;
        for (door, query) in [
            (&self.door, query),
            (&self.door, String::new()),
            (&self.door, format!("?ticket={}", "A".repeat(43))),
            (&stranger, format!("?ticket={other}")),
        ] {
            match door.open(&query).await? {
                Err(status) if (401..=403).contains(&status) => refused.push(status.to_string()),
                Err(status) => anyhow::bail!("the refusal is {status}"),
                Ok(_) => anyhow::bail!("a connection was opened after {refused:?}"),
            }
        }
        Ok(format!("used, none, wrong, wrong page: {}", refused.join(", ")))
    }

    async fn strangers(&self) -> anyhow::Result<String> {
        let (ada, bob) = (self.people.sign_in("ada").await?, self.people.sign_in("bob").await?);
        let mut hers = self.door.enter(&ada, &self.rest).await?;
        let id = hers.run("taxi-month", json!({"month": "2015-02"})).await?;
        let rows = rows(&hers.end_of(&id).await?)?;
        ensure!(rows.len() == 28, "February has {} days", rows.len());
        let mut his = self.door.enter(&bob, &self.rest).await?;
        for action in ["resume", "cancel"] {
            his.say(&json!({"action": action, "requestId": id, "seq": -1})).await?;
            let (answer, _) = his.hear().await?;
            ensure!(answer["code"] == "unknown-request", "{action} answered {answer}");
        }
        self.ended(&ada, &id).await?;
        for path in ["", "/rows", "/csv"] {
            let path = format!("/requests/{id}{path}");
            let (own, _) = send(ada.request(&self.rest, Method::GET, &path), None).await?;
            let (other, body) = send(bob.request(&self.rest, Method::GET, &path), None).await?;
            ensure!((own, other) == (200, 404), "{path}: {own} for the owner, {other} for another: {body}");
        }
        Ok("404 and unknown-request".to_owned())
    }

    /// The emulator reports 1006 for every end of a connection, so the event of a closed page is sent from here.
    async fn going(&self) -> anyhow::Result<String> {
        let (carol, dave) = (self.people.sign_in("carol").await?, self.people.sign_in("dave").await?);
        let mut hers = self.door.enter(&carol, &self.rest).await?;
        let mut his = self.door.enter(&dave, &self.rest).await?;
        let own = hers.run("slow", json!({"seconds": "3"})).await?;
        let other = his.run("slow", json!({"seconds": "60"})).await?;
        accepted(&mut his, &other).await?;
        let connection = self.connection_of(&other).await?;
        let context = json!({"eventType": "DISCONNECT", "connectionId": connection, "disconnectStatusCode": 1000});
        self.invoke("Socket", &json!({"requestContext": context})).await?;
        drop(his);
        let state = self.ended(&dave, &other).await?;
        ensure!(state == "cancelled", "the query of the closed page is {state}");
        let messages = hers.end_of(&own).await?;
        ensure!(rows(&messages)?.len() == 1, "her query ended with {messages:?}");
        Ok(format!("hers: 1 row; his: {state}"))
    }

    /// How the user's request ended. Its result may arrive a moment before this is recorded.
    async fn ended(&self, person: &Person, id: &str) -> anyhow::Result<String> {
        until("the end of a request", LONGEST_ENDING, async || {
            let (_, body) = send(person.request(&self.rest, Method::GET, &format!("/requests/{id}")), None).await?;
            let state = body["state"].as_str().unwrap_or_default().to_owned();
            Ok(matches!(state.as_str(), "finished" | "failed" | "cancelled").then_some(state))
        })
        .await
    }

    /// The connection that waits for a request, according to the table.
    async fn connection_of(&self, id: &str) -> anyhow::Result<String> {
        let ask = json!({
            "TableName": self.stack.only("AWS::DynamoDB::Table")?,
            "FilterExpression": "requestId = :id",
            "ExpressionAttributeValues": {":id": {"S": id}},
        });
        let found = self.caller.json("dynamodb", "DynamoDB_20120810.Scan", "1.0", &ask).await?;
        Ok(found["Items"][0]["connection"]["S"].as_str().context("nobody waits for the request")?.to_owned())
    }

    async fn cut(&self) -> anyhow::Result<String> {
        let person = self.people.sign_in("erin").await?;
        let mut socket = self.door.enter(&person, &self.rest).await?;
        let id = socket.run("slow", json!({"seconds": "2"})).await?;
        accepted(&mut socket, &id).await?;
        drop(socket);
        let state = self.ended(&person, &id).await?;
        ensure!(state == "finished", "the query without a connection is {state}");
        let mut socket = self.door.enter(&person, &self.rest).await?;
        socket.say(&json!({"action": "resume", "requestId": id, "seq": -1})).await?;
        let messages = socket.end_of(&id).await?;
        ensure!(rows(&messages)?.len() == 1, "the query ended with {messages:?}");
        Ok("1 row after the resume".to_owned())
    }

    async fn large(&self) -> anyhow::Result<String> {
        let person = self.people.sign_in("frank").await?;
        let mut socket = self.door.enter(&person, &self.rest).await?;
        let id = socket.run("every-trip", json!({"first_day": "2015-07-01", "last_day": "2015-07-31"})).await?;
        let messages = socket.end_of(&id).await?;
        self.ended(&person, &id).await?;
        let ready = messages.last().context("no message came")?;
        let is_large = ready["type"] == "ready" && ready["rows"] == 10_000 && ready["capped"] == true;
        ensure!(is_large, "the query ended with {ready}");
        let (mut count, mut pages, mut next) = (0, 0, Value::Null);
        loop {
            let page = next.as_str().map_or_else(String::new, |page| format!("?page={page}"));
            let path = format!("/requests/{id}/rows{page}");
            let (status, body) = send(person.request(&self.rest, Method::GET, &path), None).await?;
            ensure!(status == 200, "page {pages} answered {status}: {body}");
            count += body["rows"].as_array().map_or(0, Vec::len);
            pages += 1;
            next = body["next"].clone();
            if next.is_null() {
                break;
            }
        }
        ensure!(count == 10_000, "{count} rows came");
        Ok(format!("{count} rows in {pages} pages"))
    }

    async fn twice(&self) -> anyhow::Result<String> {
        let person = self.people.sign_in("grace").await?;
        let mut socket = self.door.enter(&person, &self.rest).await?;
        let id = socket.run("taxi-month", json!({"month": "2015-04"})).await?;
        let messages = socket.end_of(&id).await?;
        ensure!(rows(&messages)?.len() == 30, "April has {} days", rows(&messages)?.len());
        let name = self.last_statement()?;
        let (first, second) = tokio::join!(self.report(&name), self.report(&name));
        ensure!(first?["notified"] == false && second?["notified"] == false, "an end was pushed a second time");
        socket.is_silent(QUIET).await?;
        Ok("3 events, 1 result".to_owned())
    }

    async fn before(&self) -> anyhow::Result<String> {
        let name = format!("local-query-{}", "0".repeat(64));
        let answer = self.invoke("Finished", &ended(&name)).await?;
        let reason = answer["errorMessage"].as_str().unwrap_or_default();
        ensure!(reason.contains("no request"), "the function answered {answer}");
        Ok("an error, for Lambda to try again".to_owned())
    }

    /// The rule is removed while a query runs, and restored afterwards.
    async fn never(&self) -> anyhow::Result<String> {
        let person = self.people.sign_in("heidi").await?;
        let mut socket = self.door.enter(&person, &self.rest).await?;
        let rule = self.stack.only("AWS::Events::Rule")?.rsplit('/').next().unwrap_or_default().to_owned();
        let switch = async |verb: &str| {
            self.caller.json("events", &format!("AWSEvents.{verb}Rule"), "1.1", &json!({"Name": rule})).await
        };
        switch("Disable").await?;
        let ended = async {
            let id = socket.run("taxi-month", json!({"month": "2015-05"})).await?;
            accepted(&mut socket, &id).await?;
            socket.is_silent(QUIET).await?;
            // By the sweep of one of the next minutes.
            socket.end_of(&id).await
        };
        let messages = ended.await;
        switch("Enable").await?;
        let count = rows(&messages?)?.len();
        ensure!(count == 31, "May has {count} days");
        Ok(format!("{count} rows by the sweep"))
    }

    /// The name of the statement that was submitted last.
    fn last_statement(&self) -> anyhow::Result<String> {
        let log = self.redshift.log();
        let mut names = log.into_iter().rev().filter_map(|(name, ..)| name);
        names.find(|name| name.starts_with("local-query-")).context("no statement was submitted")
    }

    /// Reports a statement's end, as EventBridge does.
    async fn report(&self, name: &str) -> anyhow::Result<Value> {
        let answer = self.invoke("Finished", &ended(name)).await?;
        ensure!(answer["errorType"].is_null(), "the function answered {answer}");
        Ok(answer)
    }

    async fn invoke(&self, function: &str, event: &Value) -> anyhow::Result<Value> {
        let path = format!("/2015-03-31/functions/{}/invocations", self.stack.physical_id(function)?);
        let headers = [("content-type", "application/json")];
        self.caller.call("lambda", Method::POST, &path, &headers, event.to_string().into_bytes()).await
    }
}

/// The event of a statement's end.
fn ended(name: &str) -> Value {
    let detail = json!({"statementName": name, "state": "FINISHED", "rows": 1, "redshiftQueryId": -1});
    let kind = "Redshift Data Statement Status Change";
    json!({"version": "0", "source": "aws.redshift-data", "detail-type": kind, "detail": detail})
}

/// Waits until a run is accepted.
async fn accepted(socket: &mut Socket, id: &str) -> anyhow::Result<()> {
    let (message, _) = socket.hear().await?;
    ensure!(message["type"] == "accepted" && message["requestId"] == id, "the answer was {message}");
    Ok(())
}

/// The rows of a result that came in parts, which must be in order.
fn rows(messages: &[Value]) -> anyhow::Result<Vec<Value>> {
    let parts: Vec<_> = messages.iter().filter(|message| message["type"] != "accepted").collect();
    let mut rows = Vec::new();
    for (seq, part) in parts.iter().enumerate() {
        ensure!(part["type"] == "rows" && part["seq"] == seq, "part {seq} is {part}");
        rows.extend(part["rows"].as_array().into_iter().flatten().cloned());
    }
    ensure!(parts.last().is_some_and(|part| part["last"] == true), "the last part is missing");
    Ok(rows)
}
