//! The requests of a user, the newest first, so that a page that was reloaded shows them again.

use crate::item::{Item, Unavailable, item, key, names, number, string, text, unavailable, values};
use crate::request::{KEPT_SECONDS, Request};
use crate::table::Table;

/// The most requests in a list.
pub const MOST_LISTED: usize = 50;

/// How far back a list goes: as long as Redshift keeps results; milliseconds.
const LISTED: u64 = 24 * 60 * 60 * 1000;

impl Table {
    /// The requests that a user began in the last 24 hours, at most 50, the newest first.
    ///
    /// # Errors
    ///
    /// If the table fails.
    pub async fn recent(&self, owner: &str) -> Result<Vec<Request>, Unavailable> {
        let now = self.millis();
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("#id = :id AND #part BETWEEN :from AND :to")
            .set_expression_attribute_names(Some(names(&["#id #part"])))
            .set_expression_attribute_values(Some(values(vec![
                (":id", text(&format!("user#{owner}"))),
                (":from", text(&sort_key(now.saturating_sub(LISTED)))),
                (":to", text(&format!("{}~", sort_key(now)))),
            ])))
            .scan_index_forward(false)
            .limit(MOST_LISTED as i32);
        let page = query.send().await.map_err(|error| unavailable(&error))?;
        let mut requests = Vec::new();
        for found in page.items() {
            if let Some(key) = string(found, "request") {
                requests.extend(self.request(key).await?);
            }
        }
        Ok(requests)
    }
}

/// The item with which its owner finds a request.
pub(crate) fn listed(request: &Request, now: u64) -> Item {
    let part = format!("{}#{}", sort_key(request.created), request.key);
    let mut listed = key([&format!("user#{}", request.owner), &part]);
    listed.extend(item([("request", text(&request.key)), ("expires", number(now + KEPT_SECONDS))]));
    listed
}

/// Thirteen digits of milliseconds sort like the time until the year 2286.
fn sort_key(millis: u64) -> String {
    format!("request#{millis:013}")
}
