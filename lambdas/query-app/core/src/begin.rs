//! The first step of a request: one transaction, so that either all of it is written or nothing.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update};

use crate::item::{Item, Unavailable, item, key, names, number, text, unavailable, values};
use crate::recent::listed;
use crate::request::{Connection, Request};
use crate::request_item::new_item;
use crate::table::{Table, binding, connection_id};

/// The limits of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Statements running at once.
    pub concurrent: u32,
    /// Requests started in one minute of the clock.
    pub per_minute: u32,
    /// How long a statement may run; seconds.
    pub statement_seconds: u64,
}

/// The outcome of a request's first step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It was written as pending, and this connection waits for it.
    New(Box<Request>),
    /// It already existed.
    Known,
    /// The connection no longer exists.
    Gone,
    /// The maximum number of statements is already running.
    Concurrent,
    /// The maximum number of requests already began in this minute.
    Minute,
}

/// The positions in the transaction, in the order in which failures are reported.
const REQUEST: usize = 0;
const CONNECTION: usize = 1;
const MINUTE: usize = 2;
const SLOT: usize = 3;

/// How often a transaction that conflicts with another one is attempted.
const TRIES: u32 = 4;

/// The longest pause before the second attempt; it grows by the same amount for each later one.
const PAUSE: Duration = Duration::from_millis(50);

impl Table {
    /// Records a new request, for which `connection` waits, within the limits of its owner.
    pub async fn begin(
        &self,
        request: &Request,
        connection: &Connection,
        limits: &Limits,
    ) -> Result<Started, Unavailable> {
        let request = Request { connection: Some(connection.clone()), ..request.clone() };
        let mut slot = 0;
        let mut tries = 1;
        while slot < limits.concurrent {
            let request = Request { slot, ..request.clone() };
            let items = self.items(&request, connection, limits);
            let transaction = self.client.transact_write_items().set_transact_items(Some(items));
            let error = match transaction.send().await {
                Ok(_) => return Ok(Started::New(Box::new(request))),
                Err(error) => error,
            };
            let failed = failed(&error).ok_or_else(|| unavailable(&error))?;
            let is = |place: usize| failed.get(place).is_some_and(|code| code == "ConditionalCheckFailed");
            match () {
                () if is(REQUEST) => return Ok(Started::Known),
                () if is(CONNECTION) => return Ok(Started::Gone),
                () if is(MINUTE) => return Ok(Started::Minute),
                () if is(SLOT) => slot += 1,
                () if tries == TRIES => return Err(unavailable(&error)),
                () => {
                    self.clock.sleep(PAUSE.mul_f64(fastrand::f64()) * tries).await;
                    tries += 1;
                }
            }
        }
        Ok(Started::Concurrent)
    }

    fn items(&self, request: &Request, connection: &Connection, limits: &Limits) -> Vec<TransactWriteItem> {
        let now = self.seconds();
        let user = format!("user#{}", request.owner);
        let mut slot = key([&user, &format!("slot#{}", request.slot)]);
        slot.extend(item([
            ("request", text(&request.key)),
            ("expires", number(now + limits.statement_seconds + 60 * 60)),
        ]));
        vec![
            self.put(new_item(request, connection, now), "attribute_not_exists(#id)", vec![]),
            self.check([&connection_id(&connection.id), "connection"]),
            self.count([&user, &format!("minute#{}", now / 60)], limits.per_minute, now + 120),
            self.put(slot, "attribute_not_exists(#id) OR #expires < :now", vec![(":now", number(now))]),
            self.replace(binding(&request.key, &connection.id, now)),
            self.replace(listed(request, now)),
        ]
    }

    fn replace(&self, item: Item) -> TransactWriteItem {
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
    }

    fn put(&self, item: Item, condition: &str, of: Vec<(&str, AttributeValue)>) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names(&[condition])))
            .set_expression_attribute_values(Some(values(of)).filter(|values| !values.is_empty()));
        TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
    }

    fn check(&self, of: [&str; 2]) -> TransactWriteItem {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(key(of)))
            .condition_expression("attribute_exists(#id)")
            .set_expression_attribute_names(Some(names(&["#id"])));
        TransactWriteItem::builder().condition_check(check.build().expect("table, key and condition are set")).build()
    }

    fn count(&self, of: [&str; 2], most: u32, expires: u64) -> TransactWriteItem {
        const UPDATE: &str = "SET #count = if_not_exists(#count, :none) + :one, #expires = :expires";
        const CONDITION: &str = "attribute_not_exists(#count) OR #count < :most";
        let of_count =
            vec![(":none", number(0)), (":one", number(1)), (":most", number(most)), (":expires", number(expires))];
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key(of)))
            .update_expression(UPDATE)
            .condition_expression(CONDITION)
            .set_expression_attribute_names(Some(names(&[UPDATE, CONDITION])))
            .set_expression_attribute_values(Some(values(of_count)));
        TransactWriteItem::builder().update(update.build().expect("table, key and expression are set")).build()
    }
}

/// The reason of each item when a transaction was cancelled.
fn failed<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Vec<String>> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return None;
    };
    let reasons = cancelled.cancellation_reasons();
    Some(reasons.iter().map(|reason| reason.code().unwrap_or_default().to_owned()).collect())
}
