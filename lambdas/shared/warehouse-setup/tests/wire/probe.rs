//! A small system: a schema, a user, and one grant.

use custom_resource::Kind;
use loopback::{Answer, Request};
use redshift::{Warehouse, identifier};
use serde::Deserialize;
use serde_json::{Value, json};
use warehouse_setup::schema::Unowned;
use warehouse_setup::{Database, Done, System, WarehouseSetup, schema, user};
use warehouse_tests::{Scripted, Setup};

pub(crate) struct Probe;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Properties {
    warehouse: Warehouse,
    schema: String,
    name: String,
}

impl System for Probe {
    type Properties = Properties;

    fn read(properties: &Value) -> Result<Properties, String> {
        let read: Properties = serde_json::from_value(properties.clone()).map_err(|error| error.to_string())?;
        identifier(&read.schema).map_err(|error| error.to_string())?;
        Ok(read)
    }

    fn place(properties: &Properties) -> (&Warehouse, &str) {
        (&properties.warehouse, &properties.schema)
    }

    fn apply<'a>(
        &'a self,
        database: &'a mut Database,
        wanted: &'a Properties,
        _: Option<&'a Properties>,
        _: Kind,
    ) -> Done<'a> {
        Box::pin(async move {
            schema::create(database, &wanted.schema, Unowned::Use).await?;
            user::make(database, "probing", &wanted.name).await?;
            database.run("grant a right", "grant something").await
        })
    }

    fn remove<'a>(&'a self, database: &'a mut Database, _: &'a Properties) -> Done<'a> {
        let statements = ["revoke something".to_owned(), "revoke something else".to_owned()];
        Box::pin(async move { database.all_but_missing("revoke rights", &statements).await })
    }
}

const SETUP: Setup<Probe> = |variable, clock| {
    let config = function::aws::service(variable, "REDSHIFT_DATA").unwrap();
    WarehouseSetup::new(Probe, &config, clock)
};

pub(crate) async fn world() -> Scripted<Probe> {
    Scripted::new(SETUP).await
}

pub(crate) async fn world_with(
    fault: impl Fn(usize, &Request) -> Option<Answer> + Clone + Send + 'static,
) -> Scripted<Probe> {
    Scripted::with(SETUP, fault).await
}

/// The ID after a successful [`create`].
pub(crate) const ID: &str = "acme-setup/InWarehouse/workgroup:w/d/probes";

pub(crate) fn create() -> Value {
    warehouse_tests::create(json!({
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:setup", "ServiceTimeout": "360",
        "Schema": "probes", "Name": "prober",
        "Warehouse": {"Workgroup": "w", "Database": "d"},
    }))
}
