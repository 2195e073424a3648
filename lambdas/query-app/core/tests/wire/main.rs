//! The three functions of the query app against fakes of DynamoDB, the Data API, API Gateway and S3, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that no ticket, credential, value, cell or SQL reached a log line, and that
//! no ticket is stored.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod aws;
mod connecting;
mod dynamo;
mod ending;
mod flow;
mod handing_in;
mod leaving;
mod results;
mod running;
mod settings;
mod warehouse;
mod world;
