//! The warehouse as the rest of the stack sees it: how it is entered, by whom, and where.

use super::access::{GroupId, SubnetId};
use super::invoker::Invoker;
use super::warehouse::{Made, Warehouse};
use crate::Tenant;
use aws::redshiftserverless::namespace::{LogExport, Namespace};
use aws::redshiftserverless::workgroup::{Workgroup, WorkgroupRef};
use cfn::intrinsic::{sub, sub_with};
use cfn::{Attributes, Json, Stack, Value};
use constructs::{FunctionRef, Grant};
use serde_json::json;

/// The administrator of a namespace that the stack makes; its password is known to Redshift and Secrets Manager only.
const ADMIN: &str = "admin";
/// The port of every Redshift.
const PORT: i64 = 5439;

/// The warehouse as the rest of the stack sees it.
pub(super) struct Place {
    database: String,
    kind: Kind,
}

enum Kind {
    Serverless {
        /// The name as text.
        name: String,
        /// The workgroup, when it is the stack's own.
        made: Option<WorkgroupRef>,
        arn: Value<String>,
        /// Name or ARN of the secret that setup logs in with, and the ARN that the right to read it goes by.
        secret: Option<(String, Value<String>)>,
    },
    Cluster {
        name: String,
        /// The user of setup.
        user: String,
        /// The user of the API.
        writer: String,
    },
}

/// Who works with the warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Creates and grants.
    Setup,
    /// Reads and appends quotes.
    Writer,
}

/// The warehouse, which is made where the tenant file says so.
pub(super) fn place(stack: &mut Stack, tenant: &Tenant, warehouse: &Warehouse, invoker: &Invoker) -> Place {
    match warehouse {
        Warehouse::Made(made) => made.add(stack, invoker),
        Warehouse::Workgroup(it) => {
            let arn = "arn:${AWS::Partition}:redshift-serverless:${AWS::Region}:${AWS::AccountId}:workgroup/";
            Place {
                database: it.database.as_str().to_owned(),
                kind: Kind::Serverless {
                    name: it.name.as_str().to_owned(),
                    made: None,
                    arn: sub(format!("{arn}{}", it.id.as_str())),
                    secret: it.secret.as_ref().map(|it| (it.as_str().to_owned(), it.as_str().into())),
                },
            }
        }
        Warehouse::Cluster(it) => Place {
            database: it.database.as_str().to_owned(),
            kind: Kind::Cluster {
                name: it.name.as_str().to_owned(),
                user: it.user.as_str().to_owned(),
                writer: format!("write_back_{}", tenant.tenant.as_str().replace('-', "_")),
            },
        },
    }
}

impl Made {
    fn add(&self, stack: &mut Stack, invoker: &Invoker) -> Place {
        // A namespace and a workgroup want a name; the stack's is unique in the account.
        let name = stack.name().to_owned();
        let namespace = Namespace::new(name.as_str())
            .db_name(self.database.as_str())
            .admin_username(ADMIN)
            .manage_admin_password(true)
            .iam_roles([invoker.arn.clone()])
            .log_exports([LogExport::Connectionlog, LogExport::Useractivitylog, LogExport::Userlog]);
        let namespace = stack.add("Namespace", namespace.retain());
        let workgroup = Workgroup::new(name.as_str())
            .namespace_name(namespace.reference())
            .base_capacity(i64::from(self.capacity))
            .publicly_accessible(false)
            .enhanced_vpc_routing(true)
            .subnet_ids(self.subnets.iter().map(SubnetId::as_str).collect::<Vec<_>>())
            .security_group_ids(self.security_groups.iter().map(GroupId::as_str).collect::<Vec<_>>());
        let workgroup = stack.add("Workgroup", workgroup);
        // <https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-secrets-manager-integration.html>
        let secret = format!("redshift!{name}-{ADMIN}");
        let secret_arn = sub(format!(
            "arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:{secret}-??????"
        ));
        Place {
            database: self.database.as_str().to_owned(),
            kind: Kind::Serverless {
                name,
                arn: workgroup.workgroup_workgroup_arn(),
                made: Some(workgroup),
                secret: Some((secret, secret_arn)),
            },
        }
    }
}

impl Place {
    /// The warehouse as redshift-setup reads it.
    pub(super) fn for_setup(&self) -> Json {
        match &self.kind {
            Kind::Serverless { name, made, secret, .. } => {
                // By its attribute, so that setup waits for the workgroup.
                let name = made.as_ref().map_or_else(|| name.as_str().into(), WorkgroupRef::workgroup_workgroup_name);
                let mut json = json!({ "Workgroup": Json::from(name), "Database": self.database });
                if let Some((secret, _)) = secret {
                    json["Secret"] = secret.as_str().into();
                }
                json
            }
            Kind::Cluster { name, user, .. } => json!({ "Cluster": name, "Database": self.database, "DbUser": user }),
        }
    }

    /// The warehouse as write-back-api reads it.
    pub(super) fn for_writer(&self) -> String {
        let json = match &self.kind {
            Kind::Serverless { name, .. } => json!({ "workgroup": name, "database": self.database }),
            Kind::Cluster { name, writer, .. } => {
                json!({ "cluster": name, "database": self.database, "dbUser": writer })
            }
        };
        json.to_string()
    }

    /// The database user of the API: in Serverless it is named after the role.
    pub(super) fn writer(&self, api: &FunctionRef) -> Value<String> {
        match &self.kind {
            Kind::Serverless { .. } => sub_with("IAMR:${Role}", [("Role", api.role_name())]),
            Kind::Cluster { writer, .. } => writer.as_str().into(),
        }
    }

    /// Rights on the Data API, and to log in.
    pub(super) fn grants(&self, part: Part) -> Vec<Grant> {
        let login = match &self.kind {
            Kind::Serverless { secret: Some((_, arn)), .. } if part == Part::Setup => {
                Grant::new(["secretsmanager:GetSecretValue"], [arn.clone()])
            }
            Kind::Serverless { arn, .. } => Grant::new(["redshift-serverless:GetCredentials"], [arn.clone()]),
            Kind::Cluster { name, user, writer } => {
                let user = if part == Part::Setup { user } else { writer };
                let resources = [format!("dbuser:{name}/{user}"), format!("dbname:{name}/{}", self.database)];
                Grant::new(["redshift:GetClusterCredentials"], resources.map(|it| redshift_arn(&it)))
            }
        };
        let warehouse = match &self.kind {
            Kind::Serverless { arn, .. } => arn.clone(),
            Kind::Cluster { name, .. } => redshift_arn(&format!("cluster:{name}")),
        };
        let on_statements =
            ["redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"];
        // A statement is no resource that a policy could name; the condition leaves the caller its own.
        let own = json!({ "StringEquals": { "redshift-data:statement-owner-iam-userid": "${aws:userid}" } });
        vec![
            login,
            Grant::new(["redshift-data:ExecuteStatement"], [warehouse]),
            Grant::new(on_statements, ["*".into()]).only_when(own),
        ]
    }

    /// The database.
    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// Where QuickSight connects to: a cluster by its name, a workgroup by host and port.
    pub(super) fn host(&self) -> Host {
        match &self.kind {
            Kind::Cluster { name, .. } => Host::Cluster(name.clone()),
            Kind::Serverless { made: Some(workgroup), .. } => {
                Host::Address(workgroup.workgroup_endpoint_address(), PORT)
            }
            Kind::Serverless { name, .. } => {
                let host = "${AWS::AccountId}.${AWS::Region}.redshift-serverless.${AWS::URLSuffix}";
                Host::Address(sub(format!("{name}.{host}")), PORT)
            }
        }
    }
}

/// Where a warehouse is reached.
pub(super) enum Host {
    /// The cluster of this name.
    Cluster(String),
    /// Host and port.
    Address(Value<String>, i64),
}

fn redshift_arn(resource: &str) -> Value<String> {
    sub(format!("arn:${{AWS::Partition}}:redshift:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"))
}
