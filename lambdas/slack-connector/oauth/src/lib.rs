//! Installs the Slack app of a tenant: consent in a browser, storing the token in its secret, rotation, revocation.
//!
//! ```text
//! scripts/slack-connector-install ─► start link ─► GET /install: a page ─► POST /install ─► Slack's consent page
//!                                                                     │ state, browser cookie, PKCE challenge
//!       Secrets Manager ◄── checked: organization, kind, scope ◄── GET /callback ◄───────┘
//!              ▲ ▲
//!              │ └── {"refresh":true}, by schedule: a new token before the old one ends
//!              └──── POST /revoke, also by a start link: revoked at Slack, then removed from the secret
//! ```
//!
//! # Who may do what
//!
//! Only the holder of a start link can begin anything. The link is created with a key that only the stack's operators can read,
//! for one admin on the tenant's list, is valid for at most an hour, and works once. `GET` shows a page and changes nothing, so
//! mail scanners and previews that open the link do not use it up.
//!
//! A callback counts if its state was issued in the last ten minutes, was not used, and comes from the browser it was issued
//! to. One conditional delete in DynamoDB decides all three.
//!
//! # Guarantees for the token
//!
//! - It is only stored if Slack says that it is an installation on the whole organization, of the tenant's enterprise, with
//!   `admin.analytics:read`. A failure before that leaves the secret unchanged.
//! - A lease in the table lets one run at a time change it. If a run outlives its lease, the write itself is conditional: the new
//!   version only replaces the version that the run has read.
//! - No page, log line, error or address contains it.

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
pub use handler::InstallationApi;
pub use settings::Settings;
