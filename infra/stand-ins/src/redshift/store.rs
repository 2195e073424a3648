//! What the stand-in remembers: its statements, and how to reach PostgreSQL and AWS.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio_postgres::Config;

use super::problem::Problem;
use super::statement::{State, Statement};
use crate::signed::Caller;

/// Everything that the stand-in remembers.
pub(super) struct Data {
    pub(super) config: Config,
    pub(super) region: String,
    pub(super) rows_a_page: usize,
    pub(super) caller: Option<Caller>,
    pub(super) statements: Vec<Statement>,
    /// Sessions at one time: fewer than PostgreSQL takes. The other statements wait as SUBMITTED.
    pub(super) sessions: Arc<Semaphore>,
}

/// The form in which every handler receives it.
pub(super) type Store = Arc<Mutex<Data>>;

/// A statement by its ID.
pub(super) fn find<'a>(data: &'a mut Data, id: &str) -> Result<&'a mut Statement, Problem> {
    data.statements.iter_mut().find(|statement| statement.id == id).ok_or_else(|| no_such_statement(id))
}

pub(super) fn no_such_statement(id: &str) -> Problem {
    Problem::not_found(id, "Query does not exist.")
}

/// Moves a statement on to a state.
pub(super) fn advance(state: &Store, id: &str, to: State, error: Option<String>) {
    if let Ok(statement) = find(&mut lock(state), id) {
        statement.become_state(to, error);
    }
}

/// A handler that panicked does not make the data wrong.
pub(super) fn lock(state: &Mutex<Data>) -> MutexGuard<'_, Data> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
