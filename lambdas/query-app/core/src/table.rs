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
//! | `user#<owner>` | `request#<time>#<key>` | that the user began a request: `request` | 48 hours |
//! | `user#<owner>` | `resumes#<n>` | how many requests were resumed in a minute: `count` | two minutes |
//!
//! `expires` (seconds) is the table's TTL attribute. `open` and `since` (milliseconds) of requests that were not reported yet are
//! the keys of the index `open`.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use function::{Clock, millis};

use crate::item::{
    Item, Unavailable, integer, item, key, names, number, string, text, unavailable, unreadable, values,
};
use crate::request::Request;
use crate::ticket::{TICKET_SECONDS, Ticket};

/// The table of the query app.
#[derive(Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) clock: Clock,
}

/// Who connects, and how long that is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user, Cognito's `sub`.
    pub owner: String,
    /// When the user's token expires; seconds.
    pub until: u64,
}

/// API Gateway closes a connection after two hours; a quarter of an hour is added for clocks and late messages.
const CONNECTION_SECONDS: u64 = 2 * 60 * 60 + 15 * 60;

const CONNECTION: &str = "connection";

impl Table {
    /// Opens no connection yet.
    pub fn new(client: Client, name: String, clock: Clock) -> Table {
        Table { client, name, clock }
    }

    /// Records a ticket.
    pub async fn put_ticket(&self, ticket: &Ticket, identity: &Identity) -> Result<(), Unavailable> {
        let id = format!("ticket#{}", ticket.hash());
        self.put_identity([&id, "ticket"], identity, TICKET_SECONDS).await
    }

    /// Uses a ticket up: returns who it is for, or `None` if it was never issued, is too old, or was used. Of several
    /// simultaneous uses, one wins.
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
            // Without the old item, this attempt follows one whose answer was lost; the browser must request a new ticket.
            Ok(done) => Ok(done.attributes().and_then(identity)),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(unavailable(&error)),
            },
        }
    }

    /// Records who is connected.
    pub async fn put_connection(&self, connection: &str, identity: &Identity) -> Result<(), Unavailable> {
        self.put_identity([&connection_id(connection), CONNECTION], identity, CONNECTION_SECONDS).await
    }

    /// Who is connected.
    pub async fn connection(&self, connection: &str) -> Result<Option<Identity>, Unavailable> {
        let found = self.get([&connection_id(connection), CONNECTION]).await?;
        found.map(|item| identity(&item).ok_or_else(unreadable)).transpose()
    }

    /// Removes a connection, and returns the requests that nobody is waiting for any longer.
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

    pub(crate) async fn get(&self, of: [&str; 2]) -> Result<Option<Item>, Unavailable> {
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

/// The item with which a connection's end finds the request.
pub(crate) fn binding(request: &str, connection: &str, now: u64) -> Item {
    let mut binding = key([&connection_id(connection), &format!("request#{request}")]);
    binding.insert("expires".to_owned(), number(now + CONNECTION_SECONDS));
    binding
}

fn identity(item: &Item) -> Option<Identity> {
    Some(Identity { owner: string(item, "owner")?.to_owned(), until: integer(item, "until")? })
}
