//! The state table: used links, states that wait for their callback, and the lease on the token.
//!
//! Items have the key `id` and expire at `expires`, seconds since 1970; after that an item counts as deleted, whether or not
//! DynamoDB has deleted it yet. A reader of the table cannot use anything in it: states and browsers are stored as hashes.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use function::{Clock, Failure, millis};

use crate::digest::{Purpose, Random};
use crate::error::{Error, Kind, Result};
use crate::link::Link;

/// The state table.
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) clock: Clock,
}

/// The right to change the token, until it is released or expires.
pub(crate) struct Lease {
    writer: String,
}

/// How long a state waits for its callback; Slack's code is valid for the same time.
pub(crate) const STATE_LIFE: Duration = Duration::from_secs(10 * 60);

/// Longer than a run of this function may take, so that a lease only expires if its run is dead.
const LEASE: Duration = Duration::from_secs(90);

/// How long a run waits for another run's lease; changing the token takes a second.
const PATIENCE: Duration = Duration::from_secs(5);

const STATE: Purpose = Purpose(b"slack-state-v1");
const BROWSER: Purpose = Purpose(b"slack-browser-v1");
const LEASE_ID: &str = "lease#token";

impl Table {
    /// Uses a link up; `false` if it was already used.
    pub(crate) async fn use_up(&self, link: &Link) -> Result<bool> {
        let item = [("admin", text(&link.admin)), ("expires", number(link.expires))];
        let written = self.put_new(&format!("link#{}", link.name), item).await?;
        Ok(written.is_some())
    }

    /// Records a state that was issued to a browser.
    pub(crate) async fn issue(&self, state: &Random, browser: &Random, admin: &str) -> Result<()> {
        let item = [
            ("admin", text(admin)),
            ("browser", text(&browser.hash(BROWSER))),
            ("expires", number(self.now() + STATE_LIFE.as_secs())),
        ];
        // Two random states out of 2^256 are never equal.
        self.put_new(&state_id(state), item).await.map(|_| ())
    }

    /// Redeems a state, once and only from its browser: returns the admin it was issued to, or `None` if it was never issued, is too
    /// old, was redeemed, or belongs to a different browser. A different browser does not use it up.
    pub(crate) async fn take(&self, state: &Random, browser: &Random) -> Result<Option<String>> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("id", text(&state_id(state)))
            .condition_expression("#browser = :browser AND #expires > :now")
            .expression_attribute_names("#browser", "browser")
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":browser", text(&browser.hash(BROWSER)))
            .expression_attribute_values(":now", number(self.now()))
            .return_values(ReturnValue::AllOld);
        match delete.send().await {
            // Without the old item, this attempt follows one whose answer was lost; the browser has to start again.
            Ok(done) => Ok(done.attributes().and_then(|item| item.get("admin")?.as_s().ok().cloned())),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(unavailable(&error)),
            },
        }
    }

    /// The lease on the token, or `None` if another run has it.
    pub(crate) async fn lease(&self) -> Result<Option<Lease>> {
        let item = [("expires", number(self.now() + LEASE.as_secs()))];
        let written = self.put_new(LEASE_ID, item).await?;
        Ok(written.map(|writer| Lease { writer }))
    }

    /// The lease on the token; waits a few seconds for another run to release it.
    ///
    /// # Errors
    ///
    /// If it does not, or the table does not respond.
    pub(crate) async fn wait_for_lease(&self) -> Result<Lease> {
        let end = self.clock.now() + PATIENCE;
        let mut pause = Duration::from_millis(250);
        loop {
            if let Some(lease) = self.lease().await? {
                return Ok(lease);
            }
            if self.clock.now() + pause > end {
                return Err(Error::new(
                    Kind::Busy,
                    "the token is being changed by another run; try again in two minutes",
                ));
            }
            self.clock.sleep(pause).await;
            pause *= 2;
        }
    }

    /// Releases a lease. If that fails, it expires on its own.
    pub(crate) async fn give_back(&self, lease: Lease) {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("id", text(LEASE_ID))
            .condition_expression("#writer = :writer")
            .expression_attribute_names("#writer", "writer")
            .expression_attribute_values(":writer", text(&lease.writer));
        if let Err(error) = delete.send().await {
            tracing::warn!(step = "lease", reason = %Failure::of(&error), "the lease was not released");
        }
    }

    /// Writes an item if there is none or only an expired one: returns its `writer`, a name that only this call has, or `None` if
    /// another item exists.
    async fn put_new<const N: usize>(
        &self,
        id: &str,
        attributes: [(&str, AttributeValue); N],
    ) -> Result<Option<String>> {
        let writer = Random::new().text();
        let item: HashMap<String, AttributeValue> = attributes
            .into_iter()
            .chain([("id", text(id)), ("writer", text(&writer))])
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#id) OR #expires <= :now")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":now", number(self.now()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Some(writer)) };
        match error.as_service_error() {
            // The SDK retried after a lost answer and found this run's own write.
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let existing = failed.item().and_then(|item| item.get("writer"));
                Ok((existing == Some(&text(&writer))).then_some(writer))
            }
            _ => Err(unavailable(&error)),
        }
    }

    fn now(&self) -> u64 {
        millis(self.clock.now()) / 1000
    }
}

fn state_id(state: &Random) -> String {
    format!("state#{}", state.hash(STATE))
}

fn unavailable<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Error {
    let failure = Failure::of(error);
    Error::new(Kind::TableUnavailable, format!("the table of STATE_TABLE cannot be used: {failure}"))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
