//! Building blocks for stacks: hand-written, opinionated, safe by default.
//!
//! A construct is a struct with setters. `new` takes what is required, setters take what is optional, and adding the construct to a stack
//! returns a ref with values and grants. The unsafe choice is the one you have to type.
//!
//! # What does not compile
//!
//! A good queue, and what it is for:
//!
//! ```
//! use aws::sqs::queue::Queue;
//! use cfn::{Attributes, Stack};
//!
//! let mut stack = Stack::new("jobs");
//! let queue = stack.add("Queue", Queue::new().visibility_timeout(60).retain());
//! stack.output("Url", queue.reference());
//! ```
//!
//! A property that does not exist:
//!
//! ```compile_fail
//! aws::sqs::queue::Queue::new().visibilty_timeout(60);
//! ```
//!
//! A value of a different type:
//!
//! ```compile_fail
//! aws::sqs::queue::Queue::new().visibility_timeout("a minute");
//! ```
//!
//! An attribute that does not exist:
//!
//! ```compile_fail
//! let mut stack = cfn::Stack::new("jobs");
//! stack.add("Queue", aws::sqs::queue::Queue::new()).stream_arn();
//! ```
//!
//! A required property that is missing:
//!
//! ```compile_fail
//! aws::sqs::queue_policy::QueuePolicy::new(aws::sqs::queue_policy::Required { queues: ["url"].into() });
//! ```
//!
//! A name where an enum is expected:
//!
//! ```compile_fail
//! fn with_runtime(function: aws::lambda::function::Function) -> aws::lambda::function::Function {
//!     function.runtime("provided.al2023")
//! }
//! ```
//!
//! A resource type that does not exist:
//!
//! ```compile_fail
//! aws::sqs::topic::Topic::new();
//! ```
//!
//! A name as the target of `DependsOn`, which takes refs:
//!
//! ```compile_fail
//! use cfn::Attributes;
//!
//! aws::sqs::queue::Queue::new().depends_on(["Other"]);
//! ```
//!
//! `Fn::And` of one condition:
//!
//! ```compile_fail
//! cfn::intrinsic::and([cfn::intrinsic::equals("a", "b")]);
//! ```

mod access_log;
mod alarm;
mod api_endpoint;
mod api_v2;
mod bucket;
pub mod bucket_name;
pub mod checks;
mod custom_resource;
mod estimate;
pub mod event_pattern;
mod event_rule;
mod grant;
mod http_api;
mod iam_actions;
pub mod limits;
mod managed_policy;
mod permission;
mod queue;
mod rest_api;
mod rust_function;
mod schedule;
pub mod schedule_expression;
mod secret;
mod stream;
mod table;
mod user_pool;
mod web_acl;
mod web_socket_api;
mod website;

pub use alarm::Alarm;
pub use api_endpoint::ApiEndpoint;
pub use bucket::{Bucket, BucketRef, Writer, private_bucket};
pub use custom_resource::CustomResource;
pub use event_rule::{EventInput, EventRule, EventRules, EventRulesRef};
pub use grant::Grant;
pub use http_api::{HttpApi, HttpApiRef, HttpRoutes};
pub use managed_policy::ManagedPolicy;
pub use queue::{Queue, QueueRef};
pub use rest_api::{Cors, RestApi, RestApiRef, Usage};
pub use rust_function::{Architecture, FunctionRef, RustFunction};
pub use schedule::{Schedule, ScheduleGroup, ScheduleGroupRef};
pub use secret::{Rotation, Secret, SecretRef};
pub use stream::TableTrigger;
pub use table::{Index, Table, TableRef};
pub use user_pool::{UserPool, UserPoolRef};
pub use web_acl::WebAcl;
pub use web_socket_api::{WebSocketApi, WebSocketApiRef, WebSocketRoutes};
pub use website::{Website, WebsiteRef};
