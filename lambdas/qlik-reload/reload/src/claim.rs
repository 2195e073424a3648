//! One item per delivery in the claims table, so that each delivery starts one reload, and one item per reload, so that each
//! reload belongs to one delivery.
//!
//! States and attributes have the names that Powertools' idempotency uses: `id`, `status` (INPROGRESS, COMPLETED; past `expires`
//! an item counts as EXPIRED, whether or not DynamoDB has deleted it yet), `in_progress_expiration` (milliseconds; the lease),
//! `validation` (hash of the request) and `data` (JSON: the outcome). In addition there are `owner`, the run that wrote last, on
//! which every later write is conditional, and `created` (milliseconds), since when a reload of this delivery may exist.
//!
//! The item of a reload has the `id` `reload#<its ID>`; its `owner` is the key of the delivery that it belongs to, and `named` is
//! true if Qlik named it in its answer to that delivery's POST.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use function::{Failure, millis};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Permanent, Result, Retryable};
use crate::reload::Status;
use crate::request::ReloadId;

/// The claims table.
pub(crate) struct Claims {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// The item of one delivery.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    id: String,
    owner: String,
    state: State,
    /// When the run that holds it ends. After a run that left a POST in doubt, when that POST failed.
    pub(crate) lease: u64,
    expires: u64,
    pub(crate) created: u64,
    validation: String,
    memory: Option<Memory>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    InProgress,
    Completed,
}

/// What is known about a delivery's outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Memory {
    /// Its reload, in its last known status.
    #[serde(rename_all = "camelCase")]
    Reload {
        reload_id: ReloadId,
        status: Status,
        /// The reload was active before this delivery, which asked to share such a reload.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shared: bool,
    },
    /// The permanent failure that it ended with.
    #[serde(rename_all = "camelCase")]
    Failure { error_type: Permanent, message: String },
}

/// What an existing claim means for a run that wants it.
#[derive(Debug, PartialEq)]
pub(crate) enum Turn {
    /// Nobody had claimed it: start the reload.
    First(Claim),
    /// A run ended at this time (milliseconds) without recording whether Qlik started a reload: look for one first.
    Unsure(Claim, u64),
    /// The reload is known but not its end: follow it. Without a claim, another run holds it and will record the end.
    Known(Option<Claim>, Known),
    /// The reload succeeded.
    Succeeded(Known),
    /// It failed permanently.
    Failed(Error),
}

/// How a run learned of a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Qlik named it in its answer to the POST.
    Named,
    /// It is in Qlik's list, and may have been started by anybody.
    Listed,
}

/// The reload of a delivery as an earlier run left it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) reload_id: ReloadId,
    pub(crate) status: Status,
    pub(crate) shared: bool,
}

/// Longer than any retry or redelivery of EventBridge (24 hours at most).
const REMEMBERED: Duration = Duration::from_secs(25 * 60 * 60);

/// Covers Lambda's two retries; after that, a delivery that is sent again from the dead-letter queue starts over.
const FAILURE_REMEMBERED: Duration = Duration::from_secs(60 * 60);

impl Claims {
    /// Claims `id` until `lease`, the time at which Lambda stops this run.
    ///
    /// # Errors
    ///
    /// If another run holds it and no reload is known yet, if the key was used for a different request, or if the table does not
    /// respond.
    pub(crate) async fn claim(
        &self,
        id: &str,
        run: &str,
        validation: String,
        now: SystemTime,
        lease: SystemTime,
    ) -> Result<Turn> {
        let wanted = Claim {
            id: id.to_owned(),
            owner: format!("{run}:{:016x}", fastrand::u64(..)),
            state: State::InProgress,
            lease: millis(lease),
            expires: seconds(now + REMEMBERED),
            created: millis(now),
            validation,
            memory: None,
        };
        let existing = match self.put_new(&wanted, now).await {
            Ok(None) => return Ok(Turn::First(wanted)),
            Ok(Some(existing)) => existing,
            Err(error) => {
                // It may have been written all the same, and nobody works under it.
                _ = self.forget(wanted).await;
                return Err(error);
            }
        };
        if existing.validation != wanted.validation {
            return Err(Error::permanent(
                Permanent::KeyReused,
                "this delivery ID or Idempotency-Key was used for a different request; use a new one for each request",
            ));
        }
        let turn = turn(existing.clone(), now)?;
        let takes_over = matches!(turn, Turn::Unsure(..) | Turn::Known(Some(_), _));
        if !takes_over {
            return Ok(turn);
        }
        let taken = Claim { owner: wanted.owner, lease: wanted.lease, state: State::InProgress, ..existing.clone() };
        let previous_end = existing.lease;
        match self.put_over(&taken, &existing.owner).await {
            Ok(true) => {}
            Ok(false) => return Err(in_progress()),
            Err(error) => {
                let (memory, ended) =
                    (taken.memory.clone(), SystemTime::UNIX_EPOCH + Duration::from_millis(previous_end));
                _ = self.release(taken, memory, ended).await;
                return Err(error);
            }
        }
        Ok(match turn {
            Turn::Known(_, known) => Turn::Known(Some(taken), known),
            _ => Turn::Unsure(taken, previous_end),
        })
    }

    /// Records the reload before it is followed, so that a run that dies cannot lose it.
    pub(crate) async fn note(&self, claim: &mut Claim, memory: Memory) -> Result<()> {
        claim.memory = Some(memory);
        self.put_own(claim).await
    }

    /// Records how the delivery ended.
    pub(crate) async fn complete(&self, mut claim: Claim, memory: Memory, now: SystemTime) -> Result<()> {
        let kept = if let Memory::Failure { .. } = memory { FAILURE_REMEMBERED } else { REMEMBERED };
        claim.state = State::Completed;
        claim.expires = seconds(now + kept);
        claim.memory = Some(memory);
        self.put_own(&claim).await
    }

    /// Ends the lease as of `ended` and keeps what is known, so that the next run can continue from it.
    pub(crate) async fn release(&self, mut claim: Claim, memory: Option<Memory>, ended: SystemTime) -> Result<()> {
        claim.lease = millis(ended);
        claim.memory = memory;
        self.put_own(&claim).await
    }

    /// Releases the delivery as if it had never arrived.
    pub(crate) async fn forget(&self, claim: Claim) -> Result<()> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(claim.id))
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", AttributeValue::S(claim.owner));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(unavailable(&error)),
            },
        }
    }

    /// Takes a reload for the delivery with this key. Returns `false` if it belongs to another delivery.
    ///
    /// Taking it again changes nothing. If Qlik names one reload in its answers to two deliveries, it belongs to both.
    pub(crate) async fn take(&self, reload: &ReloadId, key: &str, found: Found, now: SystemTime) -> Result<bool> {
        let mut put = self
            .put_reload(reload, key, now)
            .condition_expression("attribute_not_exists(#id) OR #owner = :owner")
            .expression_attribute_names("#id", "id");
        if found == Found::Named {
            put = put
                .item("named", AttributeValue::Bool(true))
                .condition_expression("attribute_not_exists(#id) OR #owner = :owner OR #named = :named")
                .expression_attribute_names("#named", "named")
                .expression_attribute_values(":named", AttributeValue::Bool(true));
        }
        is_put(put).await
    }

    /// Whether a reload was taken for the delivery with this key by an earlier run.
    pub(crate) async fn has(&self, reload: &ReloadId, key: &str, now: SystemTime) -> Result<bool> {
        let put = self.put_reload(reload, key, now).condition_expression("#owner = :owner");
        is_put(put).await
    }

    /// The item that gives a reload to the delivery with this key. Its condition may use `#owner` and `:owner`.
    fn put_reload(&self, reload: &ReloadId, key: &str, now: SystemTime) -> PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("id", AttributeValue::S(format!("reload#{reload}")))
            .item("owner", AttributeValue::S(key.to_owned()))
            .item("expires", AttributeValue::N(seconds(now + REMEMBERED).to_string()))
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", AttributeValue::S(key.to_owned()))
    }

    /// Writes `claim` if there is none or an expired one; otherwise returns the existing one.
    async fn put_new(&self, claim: &Claim, now: SystemTime) -> Result<Option<Claim>> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(claim)))
            .condition_expression("attribute_not_exists(#id) OR #expires <= :now")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":now", AttributeValue::N(seconds(now).to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(None) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let existing = failed.item().and_then(from_item).ok_or_else(unreadable)?;
                // The SDK retried after a lost answer and found this run's own write.
                Ok(Some(existing).filter(|existing| existing.owner != claim.owner))
            }
            _ => Err(unavailable(&error)),
        }
    }

    /// Overwrites the claim that `previous` wrote with `claim`; `false` if another run was faster.
    async fn put_over(&self, claim: &Claim, previous: &str) -> Result<bool> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(claim)))
            .condition_expression("#owner IN (:previous, :owner)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":previous", AttributeValue::S(previous.to_owned()))
            .expression_attribute_values(":owner", AttributeValue::S(claim.owner.clone()));
        is_put(put).await
    }

    async fn put_own(&self, claim: &Claim) -> Result<()> {
        if self.put_over(claim, &claim.owner).await? { Ok(()) } else { Err(in_progress()) }
    }
}

/// What the existing claim means at `now`.
fn turn(claim: Claim, now: SystemTime) -> Result<Turn> {
    let over = claim.state == State::Completed || claim.lease <= millis(now);
    Ok(match (claim.memory.clone(), over) {
        (Some(Memory::Failure { error_type, message }), _) => Turn::Failed(Error::permanent(error_type, message)),
        (Some(Memory::Reload { reload_id, status, shared }), over) => {
            let known = Known { reload_id, status, shared };
            match known.status {
                Status::Succeeded => Turn::Succeeded(known),
                _ => Turn::Known(over.then_some(claim), known),
            }
        }
        (None, true) => {
            let ended = claim.lease;
            Turn::Unsure(claim, ended)
        }
        (None, false) => return Err(in_progress()),
    })
}

pub(crate) fn in_progress() -> Error {
    Error::retryable(Retryable::InProgress, "another run is working on this delivery; try again later")
}

/// Writes the item, unless its condition does not hold.
async fn is_put(put: PutItemFluentBuilder) -> Result<bool> {
    match put.send().await {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(unavailable(&error)),
        },
    }
}

fn unavailable<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Error {
    let failure = Failure::of(error);
    let message = format!("the claims table of CLAIMS_TABLE cannot be used: {failure}");
    Error::retryable(Retryable::ClaimsUnavailable, message)
}

fn unreadable() -> Error {
    Error::retryable(
        Retryable::ClaimsUnavailable,
        "this delivery's claim cannot be read; delete the item or use a new delivery ID",
    )
}

fn seconds(time: SystemTime) -> u64 {
    millis(time) / 1000
}

fn to_item(claim: &Claim) -> HashMap<String, AttributeValue> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let number = |value: u64| AttributeValue::N(value.to_string());
    let status = match claim.state {
        State::InProgress => "INPROGRESS",
        State::Completed => "COMPLETED",
    };
    let mut item = HashMap::from([
        ("id".to_owned(), text(&claim.id)),
        ("owner".to_owned(), text(&claim.owner)),
        ("status".to_owned(), text(status)),
        ("in_progress_expiration".to_owned(), number(claim.lease)),
        ("expires".to_owned(), number(claim.expires)),
        ("created".to_owned(), number(claim.created)),
        ("validation".to_owned(), text(&claim.validation)),
    ]);
    if let Some(memory) = &claim.memory {
        let data = serde_json::to_string(memory).expect("text can always be written as JSON");
        item.insert("data".to_owned(), AttributeValue::S(data));
    }
    item
}

fn from_item(item: &HashMap<String, AttributeValue>) -> Option<Claim> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    let number = |name: &str| item.get(name)?.as_n().ok()?.parse().ok();
    Some(Claim {
        id: text("id")?,
        owner: text("owner")?,
        state: match text("status")?.as_str() {
            "INPROGRESS" => State::InProgress,
            "COMPLETED" => State::Completed,
            _ => return None,
        },
        lease: number("in_progress_expiration")?,
        expires: number("expires")?,
        created: number("created")?,
        validation: text("validation")?,
        memory: match text("data") {
            Some(data) => Some(serde_json::from_str(&data).ok()?),
            None => None,
        },
    })
}
