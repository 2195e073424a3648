//! Tickets for the WebSocket, and pages of the caller's own results.
//!
//! | resource | response |
//! |---|---|
//! | `POST /ticket` | 201 `{"ticket":"…","expiresIn":60}`, good for one connection |
//! | `GET /queries` | `{"queries":[…]}`, what may be run, with its parameters |
//! | `GET /requests` | `{"requests":[…]}`, the caller's own of the last 24 hours, at most 50, the newest first |
//! | `GET /requests/{requestId}` | `{"requestId","query","parameters","state","created", …}` |
//! | `GET /requests/{requestId}/rows?page=` | `{"columns":[…],"rows":[[…]],"next":"…"}`, a page of the result |
//! | `GET /requests/{requestId}/csv?page=` | the same as CSV, the next page's token in the header `x-next-page` |
//! | `OPTIONS` of each | 204 |
//!
//! API Gateway admits nobody without the ID token of a signed-in user. A request is found by a hash of its owner and its ID, so that
//! another user's request does not exist: 404. A page token is Redshift's own, and is only used with the statement of the
//! request in the path; its holder can read it, but it gives access to nothing else.

mod answer;
mod claims;
mod csv;
mod handler;
mod route;
mod settings;

pub use handler::ResultsApi;
pub use settings::Settings;
