//! The schemas of existing warehouses, each of which belongs to one stack.

use std::fmt;

use super::Warehouse;
use crate::tenancy::Tenancy;

/// A schema of an existing warehouse. Two stacks that set up the same one would replace each other's views and read each other's rows.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The system that sets it up.
    pub system: &'static str,
    /// The name of the workgroup or cluster, as in the tenant file.
    pub warehouse: String,
    key: SchemaKey,
}

/// What identifies a schema: the workgroup's ID or the cluster's name, the database, and the schema's name. In lower case, to which
/// Redshift folds names by default.
pub type SchemaKey = [String; 3];

impl Schema {
    /// The schema that `system` sets up, with the name in the tenant file or a name of the tenant. `None` in a warehouse that the stack
    /// creates, because nobody shares that.
    pub(crate) fn new(system: &'static str, warehouse: &Warehouse, name: String) -> Option<Self> {
        let (warehouse, id, database) = match warehouse {
            Warehouse::Made(_) => return None,
            Warehouse::Workgroup(existing) => {
                (existing.name.as_str(), existing.id.as_str(), existing.database.as_str())
            }
            Warehouse::Cluster(cluster) => (cluster.name.as_str(), cluster.name.as_str(), cluster.database.as_str()),
        };
        let key = [id, database, &name].map(str::to_lowercase);
        Some(Self { system, warehouse: warehouse.to_owned(), key })
    }

    /// Equal for equal schemas.
    pub fn key(&self) -> &SchemaKey {
        &self.key
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { warehouse, key: [_, database, name], .. } = self;
        write!(f, "the schema `{name}` of the database `{database}` in `{warehouse}`")
    }
}

/// The answer of the settings of a system that sets up no schema. A system that does has a method of this name of its own, which Rust
/// prefers.
pub(crate) trait NoSchema {
    /// The schema that the system sets up.
    fn schema_of(&self, _: &Tenancy) -> Option<Schema> {
        None
    }
}

impl<T> NoSchema for T {}
