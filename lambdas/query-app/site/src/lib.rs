//! Custom resource that publishes the query page, which is part of its zip, to the bucket that serves it.
//!
//! ```text
//! CloudFormation ─ event ─► SitePublisher ─► Page  (site/ next to the bootstrap, and config.json from the properties)
//!        ▲                     └─► PageBucket ─► S3: put all objects, then delete the ones that are no longer part
//!        └──── one PUT ────────┘
//! ```
//!
//! # What holds whatever happens
//!
//! - **One answer to each event**, sent by the crate `custom-resource`.
//! - **Everything may run again**: an object is written whole under its own name, and deleting a missing object has no effect.
//! - **A browser never finds half a page**: files with their content's hash in the name are written first, then the others, `index.html` last.
//!   Files that are no longer part are deleted after that.
//! - **A Delete empties the bucket**, which contains only the page: CloudFormation only deletes empty buckets. The ID consists
//!   of the stack, the resource and the bucket, even for a Create that fails, whose objects would otherwise prevent the deletion.
//! - **Limits**: 500 files, 5 MB each, 20 MB in total.

mod bucket;
mod config;
mod handler;
mod page;
mod settings;

pub use handler::SitePublisher;
pub use settings::Settings;
