//! Runs a submitted statement to its end, and reports the end.

use std::sync::Arc;

use tokio_postgres::NoTls;

use super::events::deliver;
use super::external::Origin;
use super::ids::uuid;
use super::session::Session;
use super::statement::{State, Statement};
use super::store::{Store, advance, find, lock};
use crate::postgres::ADMINISTRATOR;

/// Takes a statement from SUBMITTED to its end, and delivers the event of its end.
pub(super) async fn carry_out(state: Store, id: String) {
    let (sessions, cancel) = {
        let mut data = lock(&state);
        let sessions = Arc::clone(&data.sessions);
        let Ok(statement) = find(&mut data, &id) else { return };
        (sessions, Arc::clone(&statement.cancel))
    };
    let _turn = sessions.acquire_owned().await;
    advance(&state, &id, State::Picked, None);
    let outcome = tokio::select! {
        outcome = run(&state, &id) => outcome.map(|()| State::Finished),
        // Dropping the session ends its connection, and PostgreSQL rolls back.
        () = cancel.notified() => Ok(State::Aborted),
    };
    match outcome {
        Ok(end) => advance(&state, &id, end, None),
        Err(error) => advance(&state, &id, State::Failed, Some(error)),
    }
    let (caller, event) = {
        let mut data = lock(&state);
        let region = data.region.clone();
        let event = find(&mut data, &id).ok().and_then(|statement| statement.event(&region, &uuid()));
        (data.caller.clone(), event)
    };
    if let (Some(caller), Some(event)) = (caller, event)
        && let Err(error) = deliver(&caller, &event).await
    {
        eprintln!("the Redshift stand-in could not deliver an event: {error:#}");
    }
}

async fn run(state: &Store, id: &str) -> Result<(), String> {
    let (config, caller, submission, origin) = {
        let mut data = lock(state);
        let (mut config, region, caller) = (data.config.clone(), data.region.clone(), data.caller.clone());
        let found = find(&mut data, id).map_err(|_| "ERROR: the statement is gone".to_owned())?;
        let submission = found.submission.clone();
        config.dbname(&submission.database);
        let origin = Origin {
            cluster: format!("arn:aws:redshift:{region}:000000000000:namespace:{}", uuid()),
            user: submission.user.clone().unwrap_or_else(|| ADMINISTRATOR.to_owned()),
            database: submission.database.clone(),
            query: found.number,
        };
        (config, caller, submission, origin)
    };
    let session = Session::open(&config, caller, origin).await?;
    advance(state, id, State::Started, None);
    let mut at_work = CancelWhenDropped(Some(session.cancel_token()));
    let alone = |sql: &str| sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("vacuum"));
    let in_one = !submission.auto_commit;
    if in_one && !alone(&submission.bound[0]) {
        session.control("begin isolation level repeatable read").await?;
    }
    for (at, sql) in submission.bound.iter().enumerate() {
        let outcome = match (alone(sql), in_one) {
            (true, _) => session.run_alone(sql).await,
            (false, true) => session.run(sql).await,
            (false, false) => {
                session.control("begin isolation level repeatable read").await?;
                let outcome = session.run(sql).await;
                session.control(if outcome.is_ok() { "commit" } else { "rollback" }).await?;
                outcome
            }
        };
        let error = outcome.as_ref().err().cloned();
        find(&mut lock(state), id).map(|statement| statement.part_ended(at, outcome)).unwrap_or_default();
        if let Some(error) = error {
            if in_one {
                find(&mut lock(state), id).map(Statement::roll_back).unwrap_or_default();
            }
            return Err(error);
        }
    }
    if in_one && !alone(&submission.bound[0]) {
        session.control("commit").await?;
    }
    at_work.0 = None;
    Ok(())
}

/// PostgreSQL notices that a client has gone only when it wants to answer; this notifies it at once.
struct CancelWhenDropped(Option<tokio_postgres::CancelToken>);

impl Drop for CancelWhenDropped {
    fn drop(&mut self) {
        if let Some(token) = self.0.take() {
            tokio::spawn(async move { token.cancel_query(NoTls).await });
        }
    }
}
