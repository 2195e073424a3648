//! The table through which all instances of the function agree, one item at a time.
//!
//! Every write has a condition on what was read before, so of two writers at once one is refused. Items expire at `expires`, seconds
//! since 1970; DynamoDB deletes them some time later.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use athena_federation::{Error, Kind};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use function::{Clock, Failure, Outcome, millis};

/// The attributes of an item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table.
pub(crate) struct Items {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) clock: Clock,
}

/// The key of the table.
pub(crate) const ID: &str = "id";

/// The attribute that only one write has: it shows whose write an item is from.
pub(crate) const WRITER: &str = "writer";

/// The outcome of a write with a condition.
pub(crate) enum Written {
    /// The item is now the new one.
    Yes,
    /// The condition does not hold for this item; it is empty if there is none.
    No(Item),
}

/// How often a call is repeated, in addition to the SDK's own attempts, before the query fails.
const TRIES: u32 = 5;

/// How long an item is kept that nobody needs anymore.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

impl Items {
    /// The item, as it is after all writes so far; empty if there is none.
    ///
    /// # Errors
    ///
    /// If the table does not respond, or refuses.
    pub(crate) async fn get(&self, id: &str) -> Result<Item, Error> {
        let mut tries = 1;
        loop {
            let get = self.client.get_item().table_name(&self.table).key(ID, text(id)).consistent_read(true);
            match get.send().await {
                Ok(answer) => return Ok(answer.item.unwrap_or_default()),
                Err(error) => self.again(Failure::of(&error), &mut tries).await?,
            }
        }
    }

    /// Replaces the item if `condition` holds, which may use `values`; the attributes that it names start with `#`.
    ///
    /// # Errors
    ///
    /// If the table does not respond, or refuses.
    pub(crate) async fn put(
        &self,
        item: Item,
        condition: &str,
        values: &[(&str, AttributeValue)],
    ) -> Result<Written, Error> {
        let expires = self.clock.now() + KEPT;
        let mut item = item;
        item.insert("expires".to_owned(), number(millis(expires) / 1000));
        let names = condition.split(|c: char| !c.is_alphanumeric() && c != '#').filter(|word| word.starts_with('#'));
        let names: HashMap<String, String> = names.map(|name| (name.to_owned(), name[1..].to_owned())).collect();
        let values: Item = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let mut tries = 1;
        loop {
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item.clone()))
                .condition_expression(condition)
                .set_expression_attribute_names(Some(names.clone()))
                .set_expression_attribute_values(Some(values.clone()).filter(|values| !values.is_empty()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = put.send().await else { return Ok(Written::Yes) };
            if let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() {
                let found = refused.item().cloned().unwrap_or_default();
                // The answer to an earlier attempt of this same write was lost.
                let is_ours = found.get(WRITER).is_some_and(|writer| Some(writer) == item.get(WRITER));
                return Ok(if is_ours { Written::Yes } else { Written::No(found) });
            }
            self.again(Failure::of(&error), &mut tries).await?;
        }
    }

    /// Waits before a call is repeated.
    async fn again(&self, failure: Failure, tries: &mut u32) -> Result<(), Error> {
        if failure.outcome == Outcome::Refused || *tries == TRIES {
            return Err(Error::new(
                Kind::Unavailable,
                format!("the table in which calls to Slack take turns cannot be used: {failure}; run the query again"),
            ));
        }
        tracing::warn!(step = "turn", reason = %failure, "asking the table again");
        self.clock.sleep(Duration::from_millis((100 << *tries) + fastrand::u64(..100))).await;
        *tries += 1;
        Ok(())
    }
}

/// A value of [`WRITER`] that no other write has.
pub(crate) fn new_writer() -> AttributeValue {
    text(&std::iter::repeat_with(fastrand::alphanumeric).take(24).collect::<String>())
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(crate) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A time, in milliseconds since 1970.
pub(crate) fn moment(time: SystemTime) -> AttributeValue {
    number(millis(time))
}

/// The time that [`moment`] wrote.
pub(crate) fn as_moment(value: &AttributeValue) -> Option<SystemTime> {
    let millis = value.as_n().ok()?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
}
