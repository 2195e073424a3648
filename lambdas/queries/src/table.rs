//! The table: tickets, connections, and the steps of a request.
//!
//! | `id` | `part` | what it is | lives |
//! |---|---|---|---|
//! | `ticket#<hash>` | `ticket` | the right to connect once: `owner`, `until` | 60 seconds |
//! | `connection#<id>` | `connection` | who is connected: `owner`, `until` | 2 hours and 15 minutes |
//! | `connection#<id>` | `request#<key>` | a request that the connection waits for | as long |
//! | `request#<key>` | `request` | a request, see [`Request`] | 48 hours |
//! | `user#<owner>` | `slot#<n>` | a running statement: `request` | the longest statement, and an hour |
//! | `user#<owner>` | `minute#<n>` | how many requests began in a minute: `count` | two minutes |
//!
//! `expires` (seconds) is the table's TTL attribute. `open` and `since` (milliseconds) of requests that are not told of yet are the keys
//! of the index `open`.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use function::{Clock, millis};
use redshift::StatementId;

use crate::item::{
    Change, Unavailable, Written, integer, item, key, names, number, string, text, unavailable, unreadable, values,
};
use crate::request::{Cause, Connection, End, Item, Request};
use crate::ticket::{TICKET_SECONDS, Ticket};

/// The table of the query app.
#[derive(Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) clock: Clock,
}

/// Who connects, and for how long that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user, Cognito's `sub`.
    pub owner: String,
    /// When the user's token ends; seconds.
    pub until: u64,
}

/// What came of asking for the right to tell of a request.
#[derive(Debug)]
pub enum Claim {
    /// It is this run's, until the lease ends.
    Mine(Request),
    /// Another run has it.
    Busy,
    /// Everything was told.
    Ended,
    /// There is no such request.
    Missing,
}

/// What came of the last step of a request.
pub enum Ending {
    /// It is over.
    Done,
    /// Meanwhile another connection waits for it.
    Rebound(Request),
}

/// Requests of one page of the index `open`, and where the next one begins.
pub struct Open {
    /// The oldest first.
    pub requests: Vec<Request>,
    /// Absent on the last page.
    pub next: Option<Item>,
}

/// API Gateway ends a connection after two hours; then there is a quarter of an hour for clocks and late messages.
const CONNECTION_SECONDS: u64 = 2 * 60 * 60 + 15 * 60;

const REQUEST: &str = "request";
const CONNECTION: &str = "connection";

/// The value of `open`.
const OPEN: &str = "request";

impl Table {
    /// Connects nothing yet.
    pub fn new(client: Client, name: String, clock: Clock) -> Table {
        Table { client, name, clock }
    }

    /// Notes a ticket.
    pub async fn put_ticket(&self, ticket: &Ticket, identity: &Identity) -> Result<(), Unavailable> {
        let id = format!("ticket#{}", ticket.hash());
        self.put_identity([&id, "ticket"], identity, TICKET_SECONDS).await
    }

    /// Uses a ticket up: who it is for, or `None` when it was never given out, is too old, or was used. Of several at once, one wins.
    pub async fn take_ticket(&self, ticket: &Ticket) -> Result<Option<Identity>, Unavailable> {
        const CONDITION: &str = "#expires > :now";
        let id = format!("ticket#{}", ticket.hash());
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key([&id, "ticket"])))
            .condition_expression(CONDITION)
            .set_expression_attribute_names(Some(names(&[CONDITION])))
            .set_expression_attribute_values(Some(values(vec![(":now", number(self.seconds()))])))
            .return_values(ReturnValue::AllOld);
        match delete.send().await {
            // Without the old item this try came after one whose answer was lost; the browser has to ask for another ticket.
            Ok(done) => Ok(done.attributes().and_then(identity)),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(unavailable(&error)),
            },
        }
    }

    /// Notes who is connected.
    pub async fn put_connection(&self, connection: &str, identity: &Identity) -> Result<(), Unavailable> {
        self.put_identity([&connection_id(connection), CONNECTION], identity, CONNECTION_SECONDS).await
    }

    /// Who is connected.
    pub async fn connection(&self, connection: &str) -> Result<Option<Identity>, Unavailable> {
        let found = self.get([&connection_id(connection), CONNECTION]).await?;
        found.map(|item| identity(&item).ok_or_else(unreadable)).transpose()
    }

    /// A request; one that is past its time counts as gone, whether or not DynamoDB has deleted it.
    pub async fn request(&self, request: &str) -> Result<Option<Request>, Unavailable> {
        let found = self.get([&request_id(request), REQUEST]).await?;
        let found = found.filter(|item| integer(item, "expires").is_some_and(|expires| self.seconds() < expires));
        found.map(|item| Request::from_item(&item).ok_or_else(unreadable)).transpose()
    }

    /// Notes that Redshift has a request's statement. Answers with the request as it is now, or `None` when it has ended already.
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

    /// Notes that a request's statement is to end, and for which reason first. `None` when the request has ended already, or somebody
    /// waits again for one that was alone.
    pub async fn cancelled(&self, request: &str, cause: Cause) -> Result<Option<Request>, Unavailable> {
        let condition = match cause {
            Cause::Alone => "attribute_exists(#open) AND attribute_exists(#alone)",
            Cause::Asked | Cause::Time => "attribute_exists(#open)",
        };
        let update = "SET #cancelled = if_not_exists(#cancelled, :cause)";
        done(self.change(request, update, condition, vec![(":cause", text(cause.name()))]).await?)
    }

    /// Has another connection wait for a request, which has received it up to the part `sent`. `None` when there is no such request.
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

    /// The right to tell how a request ended, which other runs respect until `until`.
    pub async fn claim(&self, request: &str, until: SystemTime) -> Result<Claim, Unavailable> {
        let written = self
            .change(
                request,
                "SET #lease = :lease",
                // A lease of this run is one whose answer was lost.
                "attribute_exists(#open) AND (attribute_not_exists(#lease) OR #lease < :now OR #lease = :lease)",
                vec![(":lease", number(millis(until))), (":now", number(self.millis()))],
            )
            .await?;
        Ok(match written {
            Written::Yes(item) => Claim::Mine(Request::from_item(&item).ok_or_else(unreadable)?),
            Written::No(item) if item.is_empty() => Claim::Missing,
            Written::No(item) if item.contains_key("open") => Claim::Busy,
            Written::No(_) => Claim::Ended,
        })
    }

    /// Gives back what [`claim`](Self::claim) gave.
    pub async fn release(&self, request: &str, until: SystemTime) -> Result<(), Unavailable> {
        let lease = vec![(":lease", number(millis(until)))];
        self.change(request, "REMOVE #lease", "#lease = :lease", lease).await.map(drop)
    }

    /// Notes up to which part a result was sent to a connection; nothing when another one waits for it by now.
    pub async fn sent(&self, request: &str, connection: &str, part: i64) -> Result<(), Unavailable> {
        let values = vec![(":sent", number(part)), (":connection", text(connection))];
        self.change(request, "SET #sent = :sent", "#connection = :connection", values).await.map(drop)
    }

    /// The last step of a request: how it ended was told to the connection that it has in `request`, or nobody waits for it.
    ///
    /// Its place for a running statement is given back first; what dies in between is done again by the next run.
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
        let update = format!("{set} REMOVE #open, #lease, #alone");
        match self.change(&request.key, &update, condition, values).await? {
            Written::No(item) if item.contains_key("open") => {
                Ok(Ending::Rebound(Request::from_item(&item).ok_or_else(unreadable)?))
            }
            Written::Yes(_) | Written::No(_) => Ok(Ending::Done),
        }
    }

    /// Takes a connection away, and answers with the requests that nobody waits for since.
    pub async fn leave(&self, connection: &str) -> Result<Vec<Request>, Unavailable> {
        let id = connection_id(connection);
        let mut left = Vec::new();
        let mut parts = Vec::new();
        let mut after = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("#id = :id")
                .set_expression_attribute_names(Some(names(&["#id"])))
                .set_expression_attribute_values(Some(values(vec![(":id", text(&id))])))
                .set_exclusive_start_key(after);
            let page = query.send().await.map_err(|error| unavailable(&error))?;
            parts.extend(page.items().iter().filter_map(|item| string(item, "part").map(str::to_owned)));
            after = page.last_evaluated_key;
            if after.is_none() {
                break;
            }
        }
        for part in &parts {
            if let Some(request) = part.strip_prefix("request#") {
                left.extend(self.unbind(request, connection).await?);
            }
            let delete = self.client.delete_item().table_name(&self.name).set_key(Some(key([&id, part])));
            delete.send().await.map_err(|error| unavailable(&error))?;
        }
        Ok(left)
    }

    /// Requests that are not told of yet, the oldest first, as the index `open` has them.
    pub async fn open(&self, after: Option<Item>) -> Result<Open, Unavailable> {
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

    /// `None` when another connection waits for it, or it has ended.
    async fn unbind(&self, request: &str, connection: &str) -> Result<Option<Request>, Unavailable> {
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

    async fn get(&self, of: [&str; 2]) -> Result<Option<Item>, Unavailable> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true).set_key(Some(key(of)));
        Ok(get.send().await.map_err(|error| unavailable(&error))?.item)
    }

    async fn put_identity(&self, of: [&str; 2], identity: &Identity, seconds: u64) -> Result<(), Unavailable> {
        let mut new = key(of);
        new.extend(item([
            ("owner", text(&identity.owner)),
            ("until", number(identity.until)),
            ("expires", number(self.seconds() + seconds)),
        ]));
        let put = self.client.put_item().table_name(&self.name).set_item(Some(new));
        put.send().await.map(drop).map_err(|error| unavailable(&error))
    }

    pub(crate) fn millis(&self) -> u64 {
        millis(self.clock.now())
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.millis() / Duration::from_secs(1).as_millis() as u64
    }
}

pub(crate) fn request_id(request: &str) -> String {
    format!("request#{request}")
}

pub(crate) fn connection_id(connection: &str) -> String {
    format!("connection#{connection}")
}

/// The item that lets a connection's end find the request.
pub(crate) fn binding(request: &str, connection: &str, now: u64) -> Item {
    let mut binding = key([&connection_id(connection), &format!("request#{request}")]);
    binding.insert("expires".to_owned(), number(now + CONNECTION_SECONDS));
    binding
}

fn identity(item: &Item) -> Option<Identity> {
    Some(Identity { owner: string(item, "owner")?.to_owned(), until: integer(item, "until")? })
}

fn done(written: Written) -> Result<Option<Request>, Unavailable> {
    match written {
        Written::Yes(item) => Request::from_item(&item).ok_or_else(unreadable).map(Some),
        Written::No(_) => Ok(None),
    }
}
