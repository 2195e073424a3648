//! A request as an item of the table: written once, then read.

use crate::item::{Item, item, key, map, number, text, texts};
use crate::request::{Cause, Connection, End, Failure, KEPT_SECONDS, Request, State};
use crate::table::request_id;

impl Request {
    pub(crate) fn from_item(item: &Item) -> Option<Request> {
        let number = |name: &str| item.get(name)?.as_n().ok()?.parse::<u64>().ok();
        let text = |name: &str| item.get(name)?.as_s().ok().map(String::as_str);
        let owned = |name: &str| text(name).map(str::to_owned);
        let state = match text("state")? {
            "pending" => State::Pending,
            "running" => State::Running,
            "finished" => State::Ended(End::Finished { rows: number("rows")? }),
            "cancelled" => State::Ended(End::Cancelled),
            code => State::Ended(End::Failed(Failure::parse(code)?)),
        };
        Some(Request {
            key: text("id")?.strip_prefix("request#").filter(|key| key.len() == 64)?.to_owned(),
            owner: owned("owner")?,
            id: owned("requestId")?,
            query: owned("query")?,
            values: texts(item, "values"),
            fingerprint: owned("fingerprint")?,
            sql: owned("sql").unwrap_or_default(),
            state,
            statement: text("statement").and_then(|id| id.parse().ok()),
            connection: owned("connection").zip(number("until")).map(|(id, until)| Connection { id, until }),
            alone: number("alone"),
            cancelled: text("cancelled").and_then(Cause::parse),
            created: number("since")?,
            sent: item.get("sent")?.as_n().ok()?.parse().ok()?,
            open: item.contains_key("open"),
            slot: u32::try_from(number("slot")?).ok()?,
            limit: u32::try_from(number("limit")?).ok()?,
        })
    }
}

/// The item of a request that `connection` waits for.
pub(crate) fn new_item(request: &Request, connection: &Connection, now: u64) -> Item {
    let mut new = key([&request_id(&request.key), "request"]);
    new.extend(item([
        ("owner", text(&request.owner)),
        ("requestId", text(&request.id)),
        ("query", text(&request.query)),
        ("values", map(&request.values)),
        ("fingerprint", text(&request.fingerprint)),
        ("sql", text(&request.sql)),
        ("state", text(request.state.name())),
        ("connection", text(&connection.id)),
        ("until", number(connection.until)),
        ("sent", number(request.sent)),
        ("open", text("request")),
        ("since", number(request.created)),
        ("slot", number(request.slot)),
        ("limit", number(request.limit)),
        ("expires", number(now + KEPT_SECONDS)),
    ]));
    new
}
