//! What surrounds a function in its tests: its environment, its log, its time, a small HTTP/1.1 server whose responses are
//! scripted, including ones that a well-behaved server would not send, and DynamoDB's expressions.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

pub mod answers;
pub mod cold_start;
pub mod dynamo;
mod environment;
mod log;
mod simulation;
mod time;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

pub use environment::{Environment, environment};
pub use log::Log;
pub use simulation::{finds, histories, seeds};
pub use time::Time;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as received.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query as received.
    pub target: String,
    /// Names and values as received.
    pub headers: Vec<(String, String)>,
    /// The body as text; functions mostly send JSON, XML or forms.
    pub body: String,
    /// The body as received.
    pub bytes: Vec<u8>,
}

impl Request {
    /// The value of a header, empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Answers and closes the connection.
    Reply {
        /// The HTTP status.
        status: u16,
        /// Headers in addition to the length of the body.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Never answers.
    Silence,
    /// Never answers, but the client need not wait for its timeout: time jumps past it, for all of the test's runtime.
    TimeOut,
    /// Answers after a delay that passes at once, for all of the test's runtime.
    Late(Duration, Box<Answer>),
    /// Closes the connection without an answer.
    HangUp,
    /// Sends the head and half a body, then behaves like [`Answer::TimeOut`].
    Stall {
        /// The HTTP status in the head.
        status: u16,
    },
}

/// An answer without further headers.
pub fn reply(status: u16, body: impl ToString) -> Answer {
    Answer::Reply { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

/// Serves on a free loopback port until the runtime ends; `answer` decides the response to each request.
///
/// # Panics
///
/// If no port is free, or a client does not send HTTP.
pub async fn serve<F, A>(answer: F) -> SocketAddr
where
    F: Fn(Request) -> A + Clone + Send + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                // A client that hangs up in the middle is part of some scenarios.
                let _ = exchange(stream, answer).await;
            });
        }
    });
    address
}

async fn exchange<F, A>(mut stream: TcpStream, answer: F) -> std::io::Result<()>
where
    F: Fn(Request) -> A,
    A: Future<Output = Answer>,
{
    let request = read(&mut stream).await?;
    let mut answer = answer(request).await;
    while let Answer::Late(time, then) = answer {
        jump_ahead(time).await;
        answer = *then;
    }
    match answer {
        Answer::Late(..) => unreachable!("the deadline was awaited"),
        Answer::HangUp => return Ok(()),
        Answer::Silence => {}
        Answer::TimeOut => jump_ahead(LONGEST).await,
        Answer::Stall { status } => {
            let head = format!("HTTP/1.1 {status} Stalled\r\nContent-Length: 1000\r\n\r\n{{\"id\":");
            stream.write_all(head.as_bytes()).await?;
            jump_ahead(LONGEST).await;
        }
        Answer::Reply { status, headers, body } => {
            let mut head =
                format!("HTTP/1.1 {status} Scripted\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            stream.write_all(format!("{head}\r\n").as_bytes()).await?;
            stream.write_all(&body).await?;
            return stream.shutdown().await;
        }
    }
    // Until the client gives up.
    let mut rest = [0; 64];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// Longer than any timeout of a function.
const LONGEST: Duration = Duration::from_secs(600);

/// Lets time pass for this runtime, which has one thread. Tests then neither wait for a timeout nor make it so short that a busy
/// machine could exceed it.
async fn jump_ahead(time: Duration) {
    tokio::time::pause();
    // Paused time advances only when nothing else can run, so by then everything that was sent has been read.
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::advance(time).await;
    tokio::time::resume();
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut request = Request {
        method: first.next().unwrap(),
        target: first.next().unwrap(),
        headers,
        body: String::new(),
        bytes: Vec::new(),
    };
    let length: usize = request.header("content-length").parse().unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    request.body = String::from_utf8_lossy(&body).into_owned();
    request.bytes = body;
    Ok(request)
}
