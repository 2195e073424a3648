//! What the stand-in remembers, and which file of member analytics a request may read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use time::Date;

use super::form::field;
use super::members;
use super::tokens::Tokens;

/// How the stand-in behaves. There is no `Debug`, which would show the client secret.
#[derive(Clone)]
pub struct SlackOptions {
    /// The app's client ID.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: String,
    /// The organization of the person who consents.
    pub enterprise_id: String,
    /// Calls of `admin.analytics.getFile` per minute that are answered. Slack promises 20 and allows bursts.
    pub files_a_minute: usize,
}

/// One request that was answered. Neither headers nor the query are kept: they carry tokens and codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The path, or for a file its date: `2026-11-20`.
    pub what: String,
    /// The HTTP status.
    pub status: u16,
}

/// What a request may get instead of a day's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429, with these seconds in `Retry-After`.
    Limited(u64),
    /// `{"ok":false,"error":"…"}`.
    Code(&'static str),
    /// The first half of the file's bytes, as if that were all.
    Truncated,
    /// HTTP 503.
    Down,
}

/// Everything that the stand-in remembers.
pub(super) struct Data {
    pub(super) options: SlackOptions,
    pub(super) tokens: Tokens,
    pub(super) members: usize,
    pub(super) faults: BTreeMap<Date, VecDeque<Fault>>,
    pub(super) served: BTreeMap<String, usize>,
    pub(super) calls: VecDeque<Instant>,
    /// When a file was asked for, whatever the answer.
    pub(super) asked: Vec<Instant>,
    pub(super) log: Vec<Logged>,
}

/// The state as handlers get it.
pub(super) type Shared = State<Arc<Mutex<Data>>>;

const MINUTE: Duration = Duration::from_secs(60);

impl Data {
    /// The day whose file may be read.
    pub(super) fn admit(&mut self, headers: &HeaderMap, query: &str, today: Date) -> Result<Date, Fault> {
        self.asked.push(Instant::now());
        let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        self.tokens.check(bearer).map_err(Fault::Code)?;
        self.calls.retain(|at| at.elapsed() < MINUTE);
        if let Some(oldest) = self.calls.front().filter(|_| self.calls.len() >= self.options.files_a_minute) {
            return Err(Fault::Limited((MINUTE - oldest.elapsed()).as_secs() + 1));
        }
        self.calls.push_back(Instant::now());
        if field(query, "type").as_deref() != Some("member") {
            return Err(Fault::Code("invalid_type"));
        }
        let date = field(query, "date").ok_or(Fault::Code("invalid_arguments"))?;
        let day = members::parse(&date).ok_or(Fault::Code("invalid_date"))?;
        match day {
            _ if day >= today => Err(Fault::Code("file_not_yet_available")),
            // Slack keeps thirteen months, on a rolling basis.
            _ if day < members::thirteen_months_before(today) => Err(Fault::Code("file_not_found")),
            _ => Ok(day),
        }
    }

    /// The most requests for a file in any minute.
    pub(super) fn most_in_a_minute(&self) -> usize {
        let within = |from: &Instant| self.asked.iter().filter(|at| **at >= *from && **at < *from + MINUTE).count();
        self.asked.iter().map(within).max().unwrap_or_default()
    }

    pub(super) fn next_fault(&mut self, day: Date) -> Option<Fault> {
        self.faults.get_mut(&day)?.pop_front()
    }
}

/// Slack's way of saying no: status 200 and a code.
pub(super) fn no(code: &str) -> Response {
    Json(json!({"ok": false, "error": code})).into_response()
}

/// A handler that panicked does not make the data wrong.
pub(super) fn lock(state: &Mutex<Data>) -> MutexGuard<'_, Data> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
