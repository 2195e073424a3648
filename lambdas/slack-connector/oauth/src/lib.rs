//! Installs the Slack app of a tenant: consent in a browser, the token into its secret, rotation, revocation.
//!
//! ```text
//! scripts/slack-install ─► start link ─► GET /install: a page ─► POST /install ─► Slack's consent page
//!                                                                     │ state, browser cookie, PKCE challenge
//!       Secrets Manager ◄── checked: organization, kind, scope ◄── GET /callback ◄───────┘
//!              ▲ ▲
//!              │ └── {"refresh":true}, by the clock: a new token before the old one ends
//!              └──── POST /revoke, by a start link as well: revoked at Slack, then taken out of the secret
//! ```
//!
//! # Who may do what
//!
//! Only who holds a start link begins anything. It is made with a key that only the stack's operators can read, for one admin of
//! the tenant's list, lives an hour at most, and works once. `GET` shows a page and changes nothing, so mail scanners and previews
//! that open the link use nothing up.
//!
//! A callback counts when its state was issued in the last ten minutes, was not used, and comes from the browser it was issued
//! to. One conditional delete in DynamoDB decides all three.
//!
//! # What holds for the token
//!
//! - It is stored only when Slack says that it is an installation on the whole organization, of the tenant's enterprise, with
//!   `admin.analytics:read`. Whatever fails before that leaves the secret as it is.
//! - One run at a time changes it: a lease in the table. Should a run outlive its lease, the write itself is conditional: the new
//!   version becomes the current one only in the place of the version that the run has read.
//! - No page, log line, error or address carries it.

mod digest;
mod error;
mod handler;
mod install;
mod link;
mod page;
mod request;
mod settings;
mod slack;
mod table;
mod token;
mod vault;

pub use error::{Error, Kind};
pub use handler::Handler;
pub use settings::Settings;
