//! The claims table: one item per submission, so that one token writes one row, and one item per quote, so that one quote has one ID.
//!
//! A submission: `id` (`submission#` and the submission's name), `state`, `owner` (the run that may write the next state),
//! `lease` and `created` (milliseconds), `ended` (how many of its statements ended without a row), `inputs` (JSON), `quote` (its name), `statement`, `quoteId`, `status`, and `expires`
//! (seconds; the TTL). A quote: `id` (`quote#` and the quote's name), `quoteId`, and `generatedBy`, the submission whose row is
//! the first. It is kept.

use std::collections::HashMap;
use std::fmt;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use function::Failure;
use redshift::StatementId;
use write_back::QuoteId;

use crate::input::Values;

/// The claims table.
pub(crate) struct Claims {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// One submission's item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The submission's name.
    pub(crate) name: String,
    pub(crate) owner: String,
    /// Until when the owner may be working; milliseconds.
    pub(crate) lease: u64,
    /// Milliseconds; the row's `created_at`.
    pub(crate) created: u64,
    /// How many statements have ended without a row.
    pub(crate) ended: u32,
    /// Seconds.
    pub(crate) expires: u64,
    pub(crate) inputs: Values,
    /// The quote's name, which identifies its item.
    pub(crate) quote: String,
    pub(crate) progress: Progress,
}

/// The progress of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// A run is about to submit it.
    Claimed,
    /// Redshift has it.
    Submitted(StatementId, Entry),
    /// Its row exists.
    Finished(Entry),
    /// Its last statement ended without a row. Sending the token again submits another one.
    Failed,
}

/// The content of the row about the quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) quote_id: QuoteId,
    pub(crate) status: Status,
}

/// A quote's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Generated,
    InReview,
    Accepted,
}

/// The outcome of a write that only one run can win.
pub(crate) enum Won<T> {
    Yes,
    /// Another run was first, with this claim.
    No(T),
}

/// The table failed; says why in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unavailable(String);

type Result<T> = std::result::Result<T, Unavailable>;

impl Status {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Status::Generated => "generated",
            Status::InReview => "in review",
            Status::Accepted => "accepted",
        }
    }

    fn parse(name: &str) -> Option<Status> {
        [Status::Generated, Status::InReview, Status::Accepted].into_iter().find(|status| status.name() == name)
    }
}

impl Claims {
    /// Writes the claim if there is none.
    pub(crate) async fn put_new(&self, claim: &Claim) -> Result<Won<Claim>> {
        let put = self.put(to_item(claim)).condition_expression("attribute_not_exists(#id)");
        match lost(put.expression_attribute_names("#id", "id")).await? {
            None => Ok(Won::Yes),
            Some(item) => {
                let standing = from_item(&item).ok_or_else(unreadable)?;
                // The SDK retried after a lost answer and found this run's own write.
                Ok(if standing.owner == claim.owner { Won::Yes } else { Won::No(standing) })
            }
        }
    }

    /// Overwrites the claim of `previous`, its owner until now, if no statement is under way.
    pub(crate) async fn put_over(&self, claim: &Claim, previous: &str) -> Result<Won<Claim>> {
        let put = self
            .put(to_item(claim))
            .condition_expression("#owner IN (:previous, :owner) AND #state IN (:claimed, :failed)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":previous", text(previous))
            .expression_attribute_values(":owner", text(&claim.owner))
            .expression_attribute_values(":claimed", text("CLAIMED"))
            .expression_attribute_values(":failed", text("FAILED"));
        match lost(put).await? {
            None => Ok(Won::Yes),
            Some(item) => {
                let standing = from_item(&item).ok_or_else(unreadable)?;
                Ok(if standing == *claim { Won::Yes } else { Won::No(standing) })
            }
        }
    }

    /// Records how a submitted statement ended. Every run that saw it writes the same, so being late is not a failure.
    pub(crate) async fn end(&self, claim: &Claim, statement: &StatementId) -> Result<()> {
        let put = self
            .put(to_item(claim))
            .condition_expression("#state = :submitted AND #statement = :statement")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#statement", "statement")
            .expression_attribute_values(":submitted", text("SUBMITTED"))
            .expression_attribute_values(":statement", text(&statement.to_string()));
        lost(put).await.map(drop)
    }

    /// The current claim.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Claim>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer =
            get.key("id", text(&format!("submission#{name}"))).send().await.map_err(|error| unavailable(&error))?;
        answer.item().map(|item| from_item(item).ok_or_else(unreadable)).transpose()
    }

    /// The ID of the quote called `quote`, and whether `submission` is the one that writes its first row; only one submission is.
    pub(crate) async fn quote(&self, quote: &str, new: QuoteId, submission: &str) -> Result<Entry> {
        let item = |quote_id: &str| {
            HashMap::from([
                ("id".to_owned(), text(&format!("quote#{quote}"))),
                ("quoteId".to_owned(), text(quote_id)),
                ("generatedBy".to_owned(), text(submission)),
            ])
        };
        let put = self.put(item(new.as_str())).condition_expression("attribute_not_exists(#id)");
        let Some(standing) = lost(put.expression_attribute_names("#id", "id")).await? else {
            return Ok(Entry { quote_id: new, status: Status::Generated });
        };
        let quote_id = string(&standing, "quoteId").and_then(QuoteId::parse).ok_or_else(unreadable)?;
        let status = match string(&standing, "generatedBy") {
            Some(by) if by == submission => Status::Generated,
            Some(_) => Status::InReview,
            // The submission that was to write the first row failed and released it.
            None => {
                let put = self
                    .put(item(quote_id.as_str()))
                    .condition_expression("attribute_not_exists(#by)")
                    .expression_attribute_names("#by", "generatedBy");
                match lost(put).await? {
                    None => Status::Generated,
                    Some(winner) if string(&winner, "generatedBy") == Some(submission) => Status::Generated,
                    Some(_) => Status::InReview,
                }
            }
        };
        Ok(Entry { quote_id, status })
    }

    /// Releases what [`quote`](Self::quote) gave to `submission`, whose row will never be written.
    pub(crate) async fn give_back(&self, quote: &str, entry: &Entry, submission: &str) -> Result<()> {
        let item = HashMap::from([
            ("id".to_owned(), text(&format!("quote#{quote}"))),
            ("quoteId".to_owned(), text(entry.quote_id.as_str())),
        ]);
        let put = self
            .put(item)
            .condition_expression("#by = :submission")
            .expression_attribute_names("#by", "generatedBy")
            .expression_attribute_values(":submission", text(submission));
        lost(put).await.map(drop)
    }

    fn put(&self, item: HashMap<String, AttributeValue>) -> PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// Sends a conditional write: `None` if it was done, otherwise the existing item, empty if there is none.
async fn lost(put: PutItemFluentBuilder) -> Result<Option<HashMap<String, AttributeValue>>> {
    match put.send().await {
        Ok(_) => Ok(None),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Some(failed.item().cloned().unwrap_or_default()))
            }
            _ => Err(unavailable(&error)),
        },
    }
}

fn to_item(claim: &Claim) -> HashMap<String, AttributeValue> {
    let number = |value: u64| AttributeValue::N(value.to_string());
    let inputs = serde_json::to_string(&claim.inputs).expect("a map of text can always be written as JSON");
    let mut item = HashMap::from([
        ("id".to_owned(), text(&format!("submission#{}", claim.name))),
        ("owner".to_owned(), text(&claim.owner)),
        ("lease".to_owned(), number(claim.lease)),
        ("created".to_owned(), number(claim.created)),
        ("ended".to_owned(), number(u64::from(claim.ended))),
        ("expires".to_owned(), number(claim.expires)),
        ("inputs".to_owned(), text(&inputs)),
        ("quote".to_owned(), text(&claim.quote)),
    ]);
    let (state, statement, entry) = match &claim.progress {
        Progress::Claimed => ("CLAIMED", None, None),
        Progress::Submitted(statement, entry) => ("SUBMITTED", Some(statement), Some(entry)),
        Progress::Finished(entry) => ("FINISHED", None, Some(entry)),
        Progress::Failed => ("FAILED", None, None),
    };
    item.insert("state".to_owned(), text(state));
    item.extend(statement.map(|statement| ("statement".to_owned(), text(&statement.to_string()))));
    if let Some(entry) = entry {
        item.insert("quoteId".to_owned(), text(entry.quote_id.as_str()));
        item.insert("status".to_owned(), text(entry.status.name()));
    }
    item
}

fn from_item(item: &HashMap<String, AttributeValue>) -> Option<Claim> {
    let number = |name: &str| item.get(name)?.as_n().ok()?.parse().ok();
    let entry = || {
        let quote_id = QuoteId::parse(string(item, "quoteId")?)?;
        Some(Entry { quote_id, status: Status::parse(string(item, "status")?)? })
    };
    let progress = match string(item, "state")? {
        "CLAIMED" => Progress::Claimed,
        "SUBMITTED" => Progress::Submitted(string(item, "statement")?.parse().ok()?, entry()?),
        "FINISHED" => Progress::Finished(entry()?),
        "FAILED" => Progress::Failed,
        _ => return None,
    };
    // An item without the number is from before it was counted; its first statement may have ended.
    let uncounted = u32::from(progress == Progress::Failed);
    let ended = match item.get("ended") {
        Some(number) => number.as_n().ok()?.parse().ok()?,
        None => uncounted,
    };
    Some(Claim {
        name: string(item, "id")?.strip_prefix("submission#")?.to_owned(),
        owner: string(item, "owner")?.to_owned(),
        lease: number("lease")?,
        created: number("created")?,
        ended,
        expires: number("expires")?,
        inputs: serde_json::from_str(string(item, "inputs")?).ok()?,
        quote: string(item, "quote")?.to_owned(),
        progress,
    })
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn string<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn unavailable<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Unavailable {
    Unavailable(format!("the claims table of CLAIMS_TABLE cannot be used: {}", Failure::of(error)))
}

fn unreadable() -> Unavailable {
    Unavailable("an item of the claims table cannot be read".into())
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
