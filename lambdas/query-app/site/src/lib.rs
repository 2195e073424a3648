//! Custom resource that puts the query page, which its zip carries, into the bucket it is served from.
//!
//! ```text
//! CloudFormation ─ event ─► Handler ─► Page  (site/ beside the bootstrap, and config.json out of the properties)
//!        ▲                     └─► PageBucket ─► S3: put what there is, then delete what is no longer part
//!        └──── one PUT ────────┘
//! ```
//!
//! # What holds whatever happens
//!
//! - **One answer to each event**, by the crate `custom-resource`.
//! - **Everything may run again**: an object is written whole under its own name, and one that is away is deleted again in vain.
//! - **A browser never finds half a page**: files with their content's hash in the name come first, then the others, `index.html` last.
//!   What is no longer part goes after that.
//! - **A Delete empties the bucket**, which holds nothing but the page: CloudFormation deletes only empty buckets. The id is made
//!   of the stack, the resource and the bucket, also of a Create that fails, whose objects would otherwise hold up the bucket.
//! - **Limits**: 500 files, 5 MB each, 20 MB together.

mod bucket;
mod config;
mod handler;
mod page;
mod settings;

pub use handler::Handler;
pub use settings::Settings;
