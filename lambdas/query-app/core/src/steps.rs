//! The steps of a request after the first, which is [`Table::begin`], up to the last, [`Table::end`].

use std::time::SystemTime;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use function::millis;
use redshift::StatementId;

use crate::item::{
    Change, Item, Unavailable, Written, integer, key, names, number, text, unavailable, unreadable, values,
};
use crate::request::{Cause, Connection, End, Request};
use crate::table::{Table, binding, request_id};
use crate::ticket::{digest, random};

/// One run's right to report requests, one at a time.
pub struct Lease {
    until: SystemTime,
    holder: String,
}

impl Lease {
    /// Valid until `until`, when its run is over.
    pub fn new(until: SystemTime) -> Lease {
        Lease { until, holder: digest(&[&random()]) }
    }
}

/// The outcome of asking for the right to report a request.
#[derive(Debug)]
pub enum Claim {
    /// It is this run's, until the lease ends.
    Mine(Box<Request>),
    /// Another run has it.
    Busy,
    /// Everything was reported.
    Ended,
    /// There is no such request.
    Missing,
}

/// The outcome of the last step of a request.
pub enum Ending {
    /// It is over.
    Done,
    /// A different connection is waiting for it now.
    Rebound(Box<Request>),
}

/// Requests of one page of the index `open`, and where the next one begins.
pub(crate) struct Open {
    /// The oldest first.
    pub(crate) requests: Vec<Request>,
    /// Absent on the last page.
    pub(crate) next: Option<Item>,
}

const REQUEST: &str = "request";

/// The value of `open`.
const OPEN: &str = "request";

impl Table {
    /// A request; an expired one counts as deleted, whether or not DynamoDB has deleted it yet.
    pub async fn request(&self, request: &str) -> Result<Option<Request>, Unavailable> {
        let found = self.get([&request_id(request), REQUEST]).await?;
        let found = found.filter(|item| integer(item, "expires").is_some_and(|expires| self.seconds() < expires));
        found.map(|item| Request::from_item(&item).ok_or_else(unreadable)).transpose()
    }

    /// Records that Redshift has a request's statement. Returns the request as it is now, or `None` if it has already ended.
    pub async fn running(&self, request: &str, statement: &StatementId) -> Result<Option<Request>, Unavailable> {
        let written = self
            .change(
                request,
                "SET #state = :running, #statement = :statement",
                "attribute_exists(#open) AND #state IN (:pending, :running)",
                vec![
                    (":running", text("running")),
                    (":pending", text("pending")),
                    (":statement", text(&statement.to_string())),
                ],
            )
            .await?;
        done(written)
    }

    /// Records that a request's statement is cancelled, and the first reason. `None` if the request has already ended, or if somebody
    /// is waiting again for one that was abandoned.
    pub async fn cancelled(&self, request: &str, cause: Cause) -> Result<Option<Request>, Unavailable> {
        let condition = match cause {
            Cause::Alone => "attribute_exists(#open) AND attribute_exists(#alone)",
            Cause::Asked | Cause::Time => "attribute_exists(#open)",
        };
        let update = "SET #cancelled = if_not_exists(#cancelled, :cause)";
        done(self.change(request, update, condition, vec![(":cause", text(cause.name()))]).await?)
    }

    /// Binds a request to a different connection, which has received it up to the part `sent`. `None` if there is no such request.
    pub async fn bind(&self, request: &str, to: &Connection, sent: i64) -> Result<Option<Request>, Unavailable> {
        let binding = binding(request, &to.id, self.seconds());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(binding));
        put.send().await.map_err(|error| unavailable(&error))?;
        let written = self
            .change(
                request,
                "SET #connection = :connection, #until = :until, #sent = :sent REMOVE #alone",
                "attribute_exists(#id)",
                vec![(":connection", text(&to.id)), (":until", number(to.until)), (":sent", number(sent))],
            )
            .await?;
        done(written)
    }

    /// The right to report how a request ended, which other runs respect until the lease ends.
    pub async fn claim(&self, request: &str, lease: &Lease) -> Result<Claim, Unavailable> {
        let written = self
            .change(
                request,
                "SET #lease = :lease, #holder = :holder",
                // A lease that this run already holds is one whose answer was lost.
                "attribute_exists(#open) AND (attribute_not_exists(#lease) OR #lease < :now OR #holder = :holder)",
                vec![
                    (":lease", number(millis(lease.until))),
                    (":holder", text(&lease.holder)),
                    (":now", number(self.millis())),
                ],
            )
            .await?;
        Ok(match written {
            Written::Yes(item) => Claim::Mine(Box::new(Request::from_item(&item).ok_or_else(unreadable)?)),
            Written::No(item) if item.is_empty() => Claim::Missing,
            Written::No(item) if item.contains_key("open") => Claim::Busy,
            Written::No(_) => Claim::Ended,
        })
    }

    /// Releases the lease of [`claim`](Self::claim).
    pub async fn release(&self, request: &str, lease: &Lease) -> Result<(), Unavailable> {
        let holder = vec![(":holder", text(&lease.holder))];
        self.change(request, "REMOVE #lease, #holder", "#holder = :holder", holder).await.map(drop)
    }

    /// Records up to which part a result was sent to a connection; does nothing if a different one is waiting for it by now.
    pub async fn sent(&self, request: &str, connection: &str, part: i64) -> Result<(), Unavailable> {
        let values = vec![(":sent", number(part)), (":connection", text(connection))];
        self.change(request, "SET #sent = :sent", "#connection = :connection", values).await.map(drop)
    }

    /// The last step of a request: its end was reported to the connection in `request`, or nobody is waiting for it.
    ///
    /// Its slot for a running statement is released first; after a crash in between, the next run repeats this.
    pub async fn end(&self, request: &Request, end: &End) -> Result<Ending, Unavailable> {
        self.free_slot(request).await?;
        let mut set = "SET #state = :state".to_owned();
        let mut values = vec![(":state", text(end.name()))];
        if let End::Finished { rows } = end {
            set += ", #rows = :rows";
            values.push((":rows", number(rows)));
        }
        if let Some(statement) = &request.statement {
            set += ", #statement = :statement";
            values.push((":statement", text(&statement.to_string())));
        }
        let condition = match &request.connection {
            Some(connection) => {
                values.push((":connection", text(&connection.id)));
                "attribute_exists(#open) AND #connection = :connection"
            }
            None => "attribute_exists(#open) AND attribute_not_exists(#connection)",
        };
        let update = format!("{set} REMOVE #open, #lease, #holder, #alone");
        match self.change(&request.key, &update, condition, values).await? {
            Written::No(item) if item.contains_key("open") => {
                Ok(Ending::Rebound(Box::new(Request::from_item(&item).ok_or_else(unreadable)?)))
            }
            Written::Yes(_) | Written::No(_) => Ok(Ending::Done),
        }
    }

    /// Requests that were not reported yet, the oldest first, from the index `open`.
    pub(crate) async fn open(&self, after: Option<Item>) -> Result<Open, Unavailable> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("open")
            .key_condition_expression("#open = :open")
            .set_expression_attribute_names(Some(names(&["#open"])))
            .set_expression_attribute_values(Some(values(vec![(":open", text(OPEN))])))
            .limit(100)
            .set_exclusive_start_key(after);
        let page = query.send().await.map_err(|error| unavailable(&error))?;
        let requests = page.items.unwrap_or_default();
        Ok(Open { requests: requests.iter().filter_map(Request::from_item).collect(), next: page.last_evaluated_key })
    }

    /// `None` if a different connection is waiting for it, or it has ended.
    pub(crate) async fn unbind(&self, request: &str, connection: &str) -> Result<Option<Request>, Unavailable> {
        let written = self
            .change(
                request,
                "SET #alone = :now REMOVE #connection, #until",
                "attribute_exists(#open) AND #connection = :connection",
                vec![(":now", number(self.millis())), (":connection", text(connection))],
            )
            .await?;
        done(written)
    }

    async fn free_slot(&self, request: &Request) -> Result<(), Unavailable> {
        let user = format!("user#{}", request.owner);
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key([&user, &format!("slot#{}", request.slot)])))
            .condition_expression("#request = :request")
            .set_expression_attribute_names(Some(names(&["#request"])))
            .set_expression_attribute_values(Some(values(vec![(":request", text(&request.key))])));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(unavailable(&error)),
            },
        }
    }

    async fn change(
        &self,
        request: &str,
        update: &str,
        condition: &str,
        values: Vec<(&str, AttributeValue)>,
    ) -> Result<Written, Unavailable> {
        let id = request_id(request);
        Change { key: [&id, REQUEST], update, condition, values }.send(&self.client, &self.name).await
    }
}

fn done(written: Written) -> Result<Option<Request>, Unavailable> {
    match written {
        Written::Yes(item) => Request::from_item(&item).ok_or_else(unreadable).map(Some),
        Written::No(_) => Ok(None),
    }
}
