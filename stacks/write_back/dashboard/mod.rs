//! The dashboards: quotes to generate, and the history of those that were.

mod definition;

use aws::cloudformation::custom_resource::CustomResourceRef;
use aws::quicksight::dashboard::{self, Dashboard};
use aws::quicksight::data_set::{
    self, DataSet, DataSetRef, InputColumn, InputColumnType, PhysicalTable, RelationalTable,
};
use aws::quicksight::data_source::{
    self, DataSource, DataSourceCredentials, DataSourceParameters, DataSourceRef, DataSourceType,
    RedshiftIamParameters, RedshiftParameters, SslProperties, VpcConnectionProperties,
};
use cfn::intrinsic::account_id;
use cfn::{Attributes, Stack, Value};
use definition::{Column, HISTORY, QUOTES, Sheet};
use serde::Deserialize;

use super::props::Props;
use crate::shared::arn::{check_arn, is_named};
use crate::shared::fields::{checked_text, distinct, given};
use crate::shared::quicksight::{self, Principal};
use crate::shared::warehouse::{Host, Place, RoleArn, SecretArn};

/// The dashboards, and who may do what with them.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct DashboardProps {
    /// QuickSight's connection into the VPC, for a warehouse that is not public.
    pub vpc_connection: Option<VpcConnection>,
    login: Login,
    owners: Vec<Principal>,
    viewers: Vec<Principal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, deserialize_with = "given")]
    secret: Option<SecretArn>,
    #[serde(default, deserialize_with = "given")]
    role: Option<RoleArn>,
    #[serde(default, deserialize_with = "given")]
    database_user: Option<DatabaseUser>,
    #[serde(default, deserialize_with = "given")]
    vpc_connection: Option<VpcConnection>,
    #[serde(deserialize_with = "distinct")]
    owners: Vec<Principal>,
    #[serde(default, deserialize_with = "distinct")]
    viewers: Vec<Principal>,
}

/// How QuickSight logs in.
#[derive(Clone, Debug)]
enum Login {
    /// With user and password from a secret that QuickSight may read.
    Secret(SecretArn),
    /// With a role that QuickSight may assume, as a user of the database.
    Role(RoleArn, DatabaseUser),
}

impl TryFrom<Fields> for DashboardProps {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let login = match (fields.secret, fields.role, fields.database_user) {
            (Some(secret), None, None) => Login::Secret(secret),
            (None, Some(role), Some(user)) => Login::Role(role, user),
            _ => {
                return Err(
                    "QuickSight logs in with `secret`, or with `role` and `database_user`; give one or the other"
                        .to_owned(),
                );
            }
        };
        if fields.owners.is_empty() {
            return Err("the dashboards have no owner; name at least one under `owners`".to_owned());
        }
        Ok(Self { vpc_connection: fields.vpc_connection, login, owners: fields.owners, viewers: fields.viewers })
    }
}

/// Adds the data source, the datasets and the dashboards, once the views exist.
pub(super) fn add(
    stack: &mut Stack,
    dashboard: &DashboardProps,
    props: &Props,
    schema: &str,
    place: &Place,
    views: &CustomResourceRef,
) {
    let source = stack.add("DataSource", data_source(stack.name(), dashboard, place).depends_on([views]));
    for sheet in [&QUOTES, &HISTORY] {
        let name = format!("{}-{}", stack.name(), sheet.id);
        let set = data_set(&name, dashboard, schema, &source, sheet);
        let set = stack.add(&format!("{}Data", sheet.logical), set);
        stack.add(sheet.logical, shown(&name, dashboard, props, &set, sheet));
    }
    for sheet in [&QUOTES, &HISTORY] {
        let id = format!("{}-{}", stack.name(), sheet.id);
        stack.output(&format!("{}Id", sheet.logical), Value::from(id));
    }
}

fn data_source(name: &str, dashboard: &DashboardProps, place: &Place) -> DataSource {
    let mut redshift = match place.host() {
        Host::Cluster(cluster) => RedshiftParameters::new(place.database()).cluster_id(cluster),
        Host::Address(host, port) => RedshiftParameters::new(place.database()).host(host).port(port),
    };
    if let Login::Role(role, user) = &dashboard.login {
        redshift = redshift.iam_parameters(RedshiftIamParameters::new(role.as_str()).database_user(user.as_str()));
    }
    let mut source =
        DataSource::new(data_source::Required { name: name.into(), r#type: DataSourceType::Redshift.into() })
            .aws_account_id(account_id())
            .data_source_id(name)
            .data_source_parameters(DataSourceParameters::new().redshift_parameters(redshift))
            .ssl_properties(SslProperties::new().disable_ssl(false))
            .permissions(quicksight::data_source_permissions(&dashboard.owners));
    if let Login::Secret(secret) = &dashboard.login {
        source = source.credentials(DataSourceCredentials::new().secret_arn(secret.as_str()));
    }
    match &dashboard.vpc_connection {
        Some(connection) => source.vpc_connection_properties(VpcConnectionProperties::new(connection.as_str())),
        None => source,
    }
}

/// A view, queried each time it is shown: a copy in SPICE would show expired links.
fn data_set(name: &str, dashboard: &DashboardProps, schema: &str, source: &DataSourceRef, sheet: &Sheet) -> DataSet {
    let column = |column: &Column| {
        InputColumn::new(data_set::InputColumnRequired {
            name: column.name.into(),
            r#type: Value::<InputColumnType>::raw(column.kind.name()),
        })
    };
    let table = RelationalTable::new(data_set::RelationalTableRequired {
        data_source_arn: source.arn(),
        input_columns: sheet.columns.iter().map(column).collect::<Vec<_>>().into(),
        name: sheet.view.into(),
    })
    .schema(schema);
    DataSet::new()
        .aws_account_id(account_id())
        .data_set_id(name)
        .name(name)
        .import_mode(data_set::ImportMode::DirectQuery)
        .physical_table_map([("view", PhysicalTable::new().relational_table(table))])
        .permissions(quicksight::data_set_permissions(&dashboard.owners))
}

fn shown(name: &str, dashboard: &DashboardProps, props: &Props, set: &DataSetRef, sheet: &Sheet) -> Dashboard {
    let currency = props.currency.as_ref().map(|currency| currency.as_str());
    Dashboard::new(dashboard::Required {
        aws_account_id: account_id(),
        dashboard_id: name.into(),
        name: sheet.title.into(),
    })
    .definition(definition::of(sheet, &set.arn(), currency))
    .permissions(quicksight::dashboard_permissions(&dashboard.owners, &dashboard.viewers))
}

checked_text! {
    /// A VPC connection of QuickSight.
    pub VpcConnection, |text: &str| {
        let form = "arn:aws:quicksight:<region>:<account>:vpcConnection/<id>";
        check_arn(text, "a VPC connection of QuickSight", form, |resource| is_named(resource, "vpcConnection/"))
    }
}

checked_text! {
    /// A user of the database.
    pub(super) DatabaseUser, |text: &str| {
        if (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid database user; use 1 to 64 visible characters"))
    }
}
