//! Tickets for the WebSocket, and pages of one's own results.
//!
//! | resource | answers |
//! |---|---|
//! | `POST /ticket` | 201 `{"ticket":"…","expiresIn":60}`, good for one connection |
//! | `GET /queries` | `{"queries":[…]}`, what may be run, with its parameters |
//! | `GET /requests/{requestId}` | `{"requestId","query","state","created", …}` |
//! | `GET /requests/{requestId}/rows?page=` | `{"columns":[…],"rows":[[…]],"next":"…"}`, a page of the result |
//! | `GET /requests/{requestId}/csv?page=` | the same as CSV, the next page's token in the header `x-next-page` |
//! | `OPTIONS` of each | 204 |
//!
//! API Gateway lets nobody through without the id token of a signed-in user. A request is found by a hash of its owner and its id, so that
//! another user's request is one that does not exist: 404. A page token is Redshift's own, and only ever used with the statement of the
//! request in the path; it can be read by who has it, and leads nowhere else.

mod answer;
mod claims;
mod csv;
mod handler;
mod route;
mod settings;

pub use handler::Handler;
pub use settings::Settings;
