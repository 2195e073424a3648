//! Custom resource that puts the query page into the bucket it is served from.
