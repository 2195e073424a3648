//! Who may do what with what a stack makes in QuickSight.

use crate::fields::checked_text;
use aws::quicksight::{dashboard, data_set, data_source};
use serde::Deserialize;

/// Users and groups of QuickSight, and what each kind of them may do.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Audience {
    owners: Vec<Principal>,
    viewers: Vec<Principal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    owners: Vec<Principal>,
    #[serde(default)]
    viewers: Vec<Principal>,
}
