//! The systems that need something in a warehouse, told apart by the property `Kind`.

use redshift::Warehouse;
use serde_json::Value;

use crate::database::Database;
use crate::query_app::{self, Scripts};
use crate::write_back;

/// What one system asks for.
pub(crate) enum System {
    QueryApp(Box<query_app::Properties>),
    WriteBack(Box<write_back::Properties>),
}

impl System {
    /// # Errors
    ///
    /// One sentence that names the property.
    pub(crate) fn read(properties: &Value) -> Result<System, String> {
        match properties["Kind"].as_str() {
            Some("query-app") => Ok(System::QueryApp(Box::new(query_app::Properties::read(properties)?))),
            Some("write-back") => Ok(System::WriteBack(Box::new(write_back::Properties::read(properties)?))),
            other => {
                let other = other.unwrap_or("missing");
                Err(format!("the property Kind is {other}; allowed are query-app and write-back"))
            }
        }
    }

    pub(crate) fn warehouse(&self) -> &Warehouse {
        match self {
            System::QueryApp(it) => &it.warehouse,
            System::WriteBack(it) => &it.warehouse,
        }
    }

    /// Warehouse, database and schema, for ids.
    pub(crate) fn place(&self) -> String {
        match self {
            System::QueryApp(it) => format!("{}/{}", it.place, it.schema_name),
            System::WriteBack(it) => format!("{}/{}", it.place, it.names.schema_name),
        }
    }

    /// Makes what is not there and brings the rest to what the properties say. `scripts` are there for a Create.
    ///
    /// # Errors
    ///
    /// What could not be done, in one sentence.
    pub(crate) async fn apply(
        &self,
        database: &mut Database,
        old: Option<&System>,
        scripts: Option<&Scripts>,
    ) -> Result<(), String> {
        match (self, old) {
            (System::QueryApp(wanted), Some(System::QueryApp(old))) => {
                query_app::apply(database, wanted, Some(old), scripts).await
            }
            (System::QueryApp(wanted), _) => query_app::apply(database, wanted, None, scripts).await,
            (System::WriteBack(wanted), Some(System::WriteBack(old))) => {
                write_back::apply(database, wanted, Some(old)).await
            }
            (System::WriteBack(wanted), _) => write_back::apply(database, wanted, None).await,
        }
    }

    /// Takes away what was made, but for data.
    ///
    /// # Errors
    ///
    /// What could not be done, in one sentence.
    pub(crate) async fn remove(&self, database: &mut Database) -> Result<(), String> {
        match self {
            System::QueryApp(made) => query_app::remove(database, made).await,
            System::WriteBack(made) => write_back::remove(database, made).await,
        }
    }
}

/// `workgroup:w/d` or `cluster:c/d`
pub(crate) fn place(warehouse: &Value) -> String {
    let text = |upper: &str, lower: &str| {
        let found = warehouse[upper].as_str().or(warehouse[lower].as_str());
        found.filter(|text| !text.is_empty())
    };
    let database = text("Database", "database").unwrap_or_default();
    match (text("Workgroup", "workgroup"), text("Cluster", "cluster")) {
        (Some(name), _) => format!("workgroup:{name}/{database}"),
        (None, name) => format!("cluster:{}/{database}", name.unwrap_or_default()),
    }
}
