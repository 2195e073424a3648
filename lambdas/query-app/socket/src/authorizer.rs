//! Who may connect.

use queries::{Identity, Origins, Table, Ticket, Unavailable};
use serde_json::{Value, json};
use tracing::info;

use crate::event::Event;

/// The policy for a connection: the holder of a ticket, on one of the pages, may open it once.
///
/// # Errors
///
/// If the event does not name its resource, or the table does not respond; API Gateway then returns 500.
pub(crate) async fn authorize(event: &Event, table: &Table, origins: &Origins) -> Result<Value, Unavailable> {
    // There is no default for a missing resource: a `*` would allow more than was requested.
    let arn = event.method_arn.as_deref().ok_or_else(|| Unavailable("the event has no methodArn".to_owned()))?;
    let Some(ticket) = Ticket::parse(event.query("ticket")) else { return Ok(deny(arn, "no ticket")) };
    let Some(Identity { owner, until }) = table.take_ticket(&ticket).await? else {
        return Ok(deny(arn, "not a valid ticket"));
    };
    if !origins.allow(event.header("origin")) {
        return Ok(deny(arn, "a wrong origin"));
    }
    info!(step = "authorize", allowed = true);
    Ok(json!({
        "principalId": owner,
        "policyDocument": policy("Allow", arn),
        "context": {"sub": owner, "until": until},
    }))
}

fn deny(arn: &str, reason: &str) -> Value {
    info!(step = "authorize", allowed = false, reason);
    json!({"principalId": "nobody", "policyDocument": policy("Deny", arn)})
}

fn policy(effect: &str, arn: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": arn}],
    })
}
