//! Pictures of a CloudFormation template: what calls, reads, writes and triggers what.
//!
//! [`Graph::of`] needs nothing but the template. It shows what people talk about when they explain a system: people, the ways in,
//! functions, stores and other services. Everything else becomes part of one of these, or is left out: a role is the rights of its
//! function, a route is part of its API, and log groups, alarms, policies and keys are not drawn.
//!
//! ```
//! use ferrostack_graph::{Graph, Verb, mermaid, svg};
//!
//! let template = serde_json::json!({ "Resources": {
//!     "Orders": { "Type": "AWS::SQS::Queue" },
//!     "Work": { "Type": "AWS::Lambda::Function" },
//!     "Source": { "Type": "AWS::Lambda::EventSourceMapping", "Properties": {
//!         "EventSourceArn": { "Fn::GetAtt": ["Orders", "Arn"] },
//!         "FunctionName": { "Ref": "Work" },
//!     } },
//! } });
//! let graph = Graph::of("shop", &template);
//! assert_eq!(graph.sentences(), ["Orders triggers Work"]);
//! assert!(mermaid::draw(&[graph.clone()]).contains("Orders -->|triggers| Work"));
//! assert!(svg::draw(&[graph]).starts_with("<svg"));
//! ```

mod gather;
pub mod html;
mod kinds;
mod layout;
pub mod mermaid;
mod model;
mod read;
mod rights;
pub mod svg;

pub use model::{Column, Edge, Graph, Node, Verb};
