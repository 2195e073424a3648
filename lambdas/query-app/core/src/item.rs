//! DynamoDB items and updates, as far as the table needs them.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use function::Failure;

/// An item by its attributes.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table failed; says why in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// The outcome of a conditional write.
pub(crate) enum Written {
    /// It was done; the item as it is now.
    Yes(Item),
    /// The condition does not hold; the existing item, empty if there is none.
    No(Item),
}

/// A change of one item. Names are written `#name` for the attribute `name`: some of them are reserved words.
pub(crate) struct Change<'a> {
    pub(crate) key: [&'a str; 2],
    pub(crate) update: &'a str,
    pub(crate) condition: &'a str,
    pub(crate) values: Vec<(&'a str, AttributeValue)>,
}

impl Change<'_> {
    pub(crate) async fn send(self, client: &Client, table: &str) -> Result<Written, Unavailable> {
        let names = names(&[self.update, self.condition]);
        let update = client
            .update_item()
            .table_name(table)
            .set_key(Some(key(self.key)))
            .update_expression(self.update)
            .condition_expression(self.condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values(self.values)).filter(|values| !values.is_empty()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(done) => Ok(Written::Yes(done.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Written::No(failed.item().cloned().unwrap_or_default()))
                }
                _ => Err(unavailable(&error)),
            },
        }
    }
}

pub(crate) fn key([id, part]: [&str; 2]) -> Item {
    item([("id", text(id)), ("part", text(part))])
}

pub(crate) fn item<'a>(attributes: impl IntoIterator<Item = (&'a str, AttributeValue)>) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(crate) fn values(values: Vec<(&str, AttributeValue)>) -> HashMap<String, AttributeValue> {
    item(values)
}

/// Each `#name` in `expressions`, as itself.
pub(crate) fn names(expressions: &[&str]) -> HashMap<String, String> {
    let found = expressions.iter().flat_map(|expression| expression.split('#').skip(1));
    found
        .map(|rest| {
            let end = rest.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(rest.len());
            (format!("#{}", &rest[..end]), rest[..end].to_owned())
        })
        .collect()
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn map(values: &BTreeMap<String, String>) -> AttributeValue {
    AttributeValue::M(values.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

/// The texts of a map by name; none if the item has no such map.
pub(crate) fn texts(item: &Item, name: &str) -> BTreeMap<String, String> {
    let map = item.get(name).and_then(|value| value.as_m().ok());
    map.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone()))).collect()
}

pub(crate) fn string<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn integer(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn unavailable<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Unavailable {
    Unavailable(format!("the table of TABLE cannot be used: {}", Failure::of(error)))
}

pub(crate) fn unreadable() -> Unavailable {
    Unavailable("an item of the table of TABLE cannot be read".to_owned())
}
