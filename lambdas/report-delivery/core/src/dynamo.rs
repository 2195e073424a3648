//! [`Tables`] in DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use function::Failure;

use crate::error::Unavailable;
use crate::item::{Item, Value};
use crate::job_key::JobKey;
use crate::tables::{Change, Check, Open, Page, Table, Tables, Write, WriteError};

/// The two tables by their names.
pub struct Dynamo {
    /// The client.
    pub client: Client,
    /// The tenant's jobs.
    pub jobs: String,
    /// The account's slots; not needed to submit, read and delete jobs.
    pub slots: String,
}

/// A poller that finds no free slot reads one page of the queue, however long the queue is.
const OPEN_PAGE: i32 = 100;

impl Tables for Dynamo {
    async fn job(&self, key: &JobKey) -> Result<Option<Item>, Unavailable> {
        let (_, key) = self.address(&Table::Jobs(key.clone()));
        let get = self.client.get_item().table_name(&self.jobs).set_key(Some(key)).consistent_read(true);
        let answer = get.send().await.map_err(|error| unavailable("the jobs table", &Failure::of(&error)))?;
        Ok(answer.item.map(plain))
    }

    /// Even one change is a transaction: its token makes the SDK's own retries safe, and its refusal says which check failed.
    async fn write(&self, changes: Vec<Change>) -> Result<(), WriteError> {
        let items = changes.into_iter().map(|change| self.transaction_item(change));
        let write = self.client.transact_write_items().set_transact_items(Some(items.collect()));
        let Err(error) = write.send().await else { return Ok(()) };
        if let SdkError::ServiceError(context) = &error
            && let TransactWriteItemsError::TransactionCanceledException(canceled) = context.err()
        {
            let mut codes = canceled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default());
            if let Some(number) = codes.position(|code| code == "ConditionalCheckFailed") {
                return Err(WriteError::Refused(number));
            }
        }
        Err(WriteError::Unknown(unavailable("the tables", &Failure::of(&error))))
    }

    async fn open(&self, open: Open, after: Option<Item>) -> Result<Page, Unavailable> {
        let query = self
            .client
            .query()
            .table_name(&self.jobs)
            .index_name("open")
            .key_condition_expression("#open = :open")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":open", AttributeValue::S(open.name().to_owned()))
            .limit(OPEN_PAGE)
            .set_exclusive_start_key(after.map(typed));
        let answer = query.send().await.map_err(|error| unavailable("the index of open jobs", &Failure::of(&error)))?;
        let items = answer.items.unwrap_or_default().into_iter().map(plain).collect();
        Ok(Page { items, next: answer.last_evaluated_key.map(plain) })
    }

    async fn slots(&self) -> Result<Vec<Item>, Unavailable> {
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let scan = self.client.scan().table_name(&self.slots).consistent_read(true);
            let answer = scan.set_exclusive_start_key(after).send().await;
            let answer = answer.map_err(|error| unavailable("the slot table", &Failure::of(&error)))?;
            items.extend(answer.items.unwrap_or_default().into_iter().map(plain));
            after = answer.last_evaluated_key;
            if after.is_none() {
                return Ok(items);
            }
        }
    }
}

impl Dynamo {
    /// The tenant's jobs, either of one dashboard in the order of their IDs, or all of them; at most `limit` per page, which may
    /// hold fewer.
    ///
    /// # Errors
    ///
    /// If the table did not respond.
    pub async fn list(&self, dashboard: Option<&str>, after: Option<JobKey>, limit: u16) -> Result<Page, Unavailable> {
        let after = after.map(|key| self.address(&Table::Jobs(key)).1);
        let unanswered = |failure: Failure| unavailable("the jobs table", &failure);
        let (items, next) = match dashboard {
            Some(dashboard) => {
                let query = self
                    .client
                    .query()
                    .table_name(&self.jobs)
                    .key_condition_expression("#dashboard = :dashboard")
                    .expression_attribute_names("#dashboard", "dashboardId")
                    .expression_attribute_values(":dashboard", AttributeValue::S(dashboard.to_owned()))
                    .limit(i32::from(limit))
                    .set_exclusive_start_key(after);
                let answer = query.send().await.map_err(|error| unanswered(Failure::of(&error)))?;
                (answer.items, answer.last_evaluated_key)
            }
            None => {
                let scan = self.client.scan().table_name(&self.jobs).limit(i32::from(limit));
                let answer = scan.set_exclusive_start_key(after).send().await;
                let answer = answer.map_err(|error| unanswered(Failure::of(&error)))?;
                (answer.items, answer.last_evaluated_key)
            }
        };
        Ok(Page { items: items.unwrap_or_default().into_iter().map(plain).collect(), next: next.map(plain) })
    }

    fn address(&self, table: &Table) -> (&str, HashMap<String, AttributeValue>) {
        let text = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
        match table {
            Table::Jobs(key) => {
                (&self.jobs, HashMap::from([text("dashboardId", &key.dashboard), text("jobId", &key.job)]))
            }
            Table::Slots(slot) => (&self.slots, HashMap::from([text("slot", slot)])),
        }
    }

    fn transaction_item(&self, change: Change) -> TransactWriteItem {
        let (table, key) = self.address(&change.item);
        let mut expression = Expression::default();
        let condition = expression.condition(change.checks);
        let names = |names: HashMap<String, String>| (!names.is_empty()).then_some(names);
        let values = |values: HashMap<String, AttributeValue>| (!values.is_empty()).then_some(values);
        match change.write {
            Write::Put(attributes) => {
                let mut item = key;
                item.extend(attributes.into_iter().map(|(name, value)| (name.to_owned(), attribute(value))));
                let put = Put::builder().table_name(table).set_item(Some(item)).set_condition_expression(condition);
                let put = put
                    .set_expression_attribute_names(names(expression.names))
                    .set_expression_attribute_values(values(expression.values));
                TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
            }
            Write::Update { set, remove } => {
                let update = expression.update(set, remove);
                let update = Update::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .set_condition_expression(condition)
                    .update_expression(update)
                    .set_expression_attribute_names(names(expression.names))
                    .set_expression_attribute_values(values(expression.values));
                let update = update.build().expect("table, key and expression are set");
                TransactWriteItem::builder().update(update).build()
            }
            Write::Delete => {
                let delete = Delete::builder().table_name(table).set_key(Some(key)).set_condition_expression(condition);
                let delete = delete
                    .set_expression_attribute_names(names(expression.names))
                    .set_expression_attribute_values(values(expression.values));
                TransactWriteItem::builder().delete(delete.build().expect("table and key are set")).build()
            }
        }
    }
}

/// DynamoDB's expressions, with a placeholder for every name and value, because some names are reserved words.
#[derive(Default)]
struct Expression {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expression {
    fn condition(&mut self, checks: Vec<Check>) -> Option<String> {
        let mut terms = Vec::new();
        for check in checks {
            terms.push(match check {
                Check::Is(name, value) => {
                    let value_name = format!(":is{}", self.values.len());
                    self.values.insert(value_name.clone(), attribute(value));
                    format!("{} = {value_name}", self.name(name))
                }
                Check::Absent(name) => format!("attribute_not_exists({})", self.name(name)),
            });
        }
        (!terms.is_empty()).then(|| terms.join(" AND "))
    }

    fn update(&mut self, set: Vec<(&str, Value)>, remove: Vec<&str>) -> String {
        let mut sets = Vec::new();
        for (name, value) in set {
            let value_name = format!(":set{}", self.values.len());
            self.values.insert(value_name.clone(), attribute(value));
            sets.push(format!("{} = {value_name}", self.name(name)));
        }
        let removes: Vec<String> = remove.into_iter().map(|name| self.name(name)).collect();
        let clause =
            |verb: &str, terms: Vec<String>| (!terms.is_empty()).then(|| format!("{verb} {}", terms.join(", ")));
        let clauses = [clause("SET", sets), clause("REMOVE", removes)];
        clauses.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }
}

fn attribute(value: Value) -> AttributeValue {
    match value {
        Value::S(text) => AttributeValue::S(text),
        Value::N(number) => AttributeValue::N(number.to_string()),
    }
}

fn typed(item: Item) -> HashMap<String, AttributeValue> {
    item.into_iter().map(|(name, value)| (name, attribute(value))).collect()
}

/// The attributes that the queue reads; it has none of other types.
fn plain(item: HashMap<String, AttributeValue>) -> Item {
    let value = |value| match value {
        AttributeValue::S(text) => Some(Value::S(text)),
        AttributeValue::N(number) => number.parse().ok().map(Value::N),
        _ => None,
    };
    item.into_iter().filter_map(|(name, attribute)| Some((name, value(attribute)?))).collect()
}

fn unavailable(what: &str, failure: &Failure) -> Unavailable {
    Unavailable(format!("{what} cannot be used: {failure}"))
}
