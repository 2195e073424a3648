//! The warehouse as the rest of the stack sees it: where it is, who logs in, and how.

use aws::redshiftserverless::namespace::{LogExport, Namespace};
use aws::redshiftserverless::workgroup::{Workgroup, WorkgroupRef};
use cfn::intrinsic::{select, split, stack_id, sub, sub_with};
use cfn::{Attributes, Json, Referable, Stack, Value};
use constructs::{FunctionRef, Grant};
use serde_json::json;

use super::{Made, Warehouse};
use crate::shared::fields::{GroupId, SubnetId};

/// The administrator of a namespace that the stack creates; its password is only known to Redshift and Secrets Manager.
const ADMIN: &str = "admin";
/// The default port of Redshift.
const PORT: i64 = 5439;

/// The warehouse as the rest of the stack sees it.
pub(crate) struct Place {
    database: String,
    kind: Kind,
}

enum Kind {
    Serverless {
        group: Group,
        arn: Value<String>,
        /// Name or ARN of the secret that setup logs in with, and its ARN in the right to read it.
        secret: Option<(Value<String>, Value<String>)>,
    },
    Cluster {
        name: String,
        /// The user that setup logs in as.
        user: String,
        /// The user that the system's function logs in as.
        worker: String,
    },
}

/// A workgroup.
enum Group {
    /// One that exists, by its name.
    Existing(String),
    /// The stack's own.
    Made(WorkgroupRef),
}

/// Who works with the warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Creates and grants.
    Setup,
    /// Works with what was created, as its own user.
    Worker,
}

impl Warehouse {
    /// The warehouse. If the tenant file says so, it is created, and these roles are attached to it. `worker` is the user as
    /// which the system's function logs in to a cluster.
    pub(crate) fn place(&self, stack: &mut Stack, roles: Vec<Value<String>>, worker: &str) -> Place {
        match self {
            Warehouse::Made(made) => made.add(stack, roles),
            Warehouse::Workgroup(workgroup) => {
                let arn = "arn:${AWS::Partition}:redshift-serverless:${AWS::Region}:${AWS::AccountId}:workgroup/";
                Place {
                    database: workgroup.database.as_str().to_owned(),
                    kind: Kind::Serverless {
                        group: Group::Existing(workgroup.name.as_str().to_owned()),
                        arn: sub(format!("{arn}{}", workgroup.id.as_str())),
                        secret: workgroup
                            .secret
                            .as_ref()
                            .map(|secret| (secret.as_str().into(), secret.as_str().into())),
                    },
                }
            }
            Warehouse::Cluster(cluster) => Place {
                database: cluster.database.as_str().to_owned(),
                kind: Kind::Cluster {
                    name: cluster.name.as_str().to_owned(),
                    user: cluster.user.as_str().to_owned(),
                    worker: worker.to_owned(),
                },
            },
        }
    }
}

impl Made {
    fn add(&self, stack: &mut Stack, roles: Vec<Value<String>>) -> Place {
        let name = own_name(stack.name());
        let namespace = Namespace::new(name.clone())
            .db_name(self.database.as_str())
            .admin_username(ADMIN)
            .manage_admin_password(true);
        let namespace = if roles.is_empty() { namespace } else { namespace.iam_roles(roles) };
        let namespace =
            namespace.log_exports([LogExport::Connectionlog, LogExport::Useractivitylog, LogExport::Userlog]);
        let namespace = stack.add("Namespace", namespace.retain());
        let workgroup = Workgroup::new(name)
            .namespace_name(namespace.reference())
            .base_capacity(i64::from(self.capacity))
            .publicly_accessible(false)
            .enhanced_vpc_routing(true)
            .subnet_ids(self.subnets.iter().map(SubnetId::as_str).collect::<Vec<_>>())
            .security_group_ids(self.security_groups.iter().map(GroupId::as_str).collect::<Vec<_>>());
        let workgroup = stack.add("Workgroup", workgroup);
        // <https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-secrets-manager-integration.html>
        let secret = format!("redshift!${{{}}}-{ADMIN}", namespace.logical_id());
        let secret_arn = sub(format!(
            "arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:{secret}-??????"
        ));
        Place {
            database: self.database.as_str().to_owned(),
            kind: Kind::Serverless {
                arn: workgroup.workgroup_workgroup_arn(),
                group: Group::Made(workgroup),
                secret: Some((sub(secret), secret_arn)),
            },
        }
    }
}

/// The name of a namespace and its workgroup, which both need one. The namespace outlives its stack: with the first part of the stack's ID, a
/// UUID, the stack can be created again.
fn own_name(stack: &str) -> Value<String> {
    let uuid = select(2, split("/", stack_id()));
    sub_with(format!("{stack}-${{Id}}"), [("Id", select(0, split("-", uuid)))])
}

impl Place {
    /// The warehouse as the set-up reads it.
    pub(crate) fn for_setup(&self) -> Json {
        match &self.kind {
            Kind::Serverless { group, secret, .. } => {
                let name = match group {
                    Group::Existing(name) => name.as_str().into(),
                    // By its attribute, so that setup waits for the workgroup.
                    Group::Made(workgroup) => workgroup.workgroup_workgroup_name(),
                };
                let mut json = json!({ "Workgroup": Json::from(name), "Database": self.database });
                if let Some((secret, _)) = secret {
                    json["Secret"] = secret.clone().into();
                }
                json
            }
            Kind::Cluster { name, user, .. } => json!({ "Cluster": name, "Database": self.database, "DbUser": user }),
        }
    }

    /// The warehouse as the system's functions read it.
    pub(crate) fn for_worker(&self) -> Value<String> {
        let database = &self.database;
        match &self.kind {
            Kind::Serverless { group: Group::Existing(name), .. } => {
                json!({ "workgroup": name, "database": database }).to_string().into()
            }
            Kind::Serverless { group: Group::Made(workgroup), .. } => {
                let name = format!("${{{}}}", workgroup.logical_id());
                sub(json!({ "workgroup": name, "database": database }).to_string())
            }
            Kind::Cluster { name, worker, .. } => {
                json!({ "cluster": name, "database": database, "dbUser": worker }).to_string().into()
            }
        }
    }

    /// The database user of the system's function: in Serverless it is named after the role.
    pub(crate) fn worker(&self, function: &FunctionRef) -> Value<String> {
        match &self.kind {
            Kind::Serverless { .. } => sub_with("IAMR:${Role}", [("Role", function.role_name())]),
            Kind::Cluster { worker, .. } => worker.as_str().into(),
        }
    }

    /// Rights to log in, to start statements, and to follow and read its own.
    pub(crate) fn grants(&self, part: Part) -> Vec<Grant> {
        let followed =
            ["redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"];
        self.grants_start(part).into_iter().chain([own_statements(followed)]).collect()
    }

    /// Rights to log in and to start statements.
    pub(crate) fn grants_start(&self, part: Part) -> [Grant; 2] {
        let login = match &self.kind {
            Kind::Serverless { secret: Some((_, arn)), .. } if part == Part::Setup => {
                Grant::new(["secretsmanager:GetSecretValue"], [arn.clone()])
            }
            Kind::Serverless { arn, .. } => Grant::new(["redshift-serverless:GetCredentials"], [arn.clone()]),
            Kind::Cluster { name, user, worker } => {
                let user = if part == Part::Setup { user } else { worker };
                let resources = [format!("dbuser:{name}/{user}"), format!("dbname:{name}/{}", self.database)];
                Grant::new(["redshift:GetClusterCredentials"], resources.map(|resource| redshift_arn(&resource)))
            }
        };
        let warehouse = match &self.kind {
            Kind::Serverless { arn, .. } => arn.clone(),
            Kind::Cluster { name, .. } => redshift_arn(&format!("cluster:{name}")),
        };
        [login, Grant::new(["redshift-data:ExecuteStatement"], [warehouse])]
    }

    /// The database.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Where QuickSight connects to: a cluster by its name, a workgroup by host and port.
    pub(crate) fn host(&self) -> Host {
        match &self.kind {
            Kind::Cluster { name, .. } => Host::Cluster(name.clone()),
            Kind::Serverless { group: Group::Made(workgroup), .. } => {
                Host::Address(workgroup.workgroup_endpoint_address(), PORT)
            }
            Kind::Serverless { group: Group::Existing(name), .. } => {
                let host = "${AWS::AccountId}.${AWS::Region}.redshift-serverless.${AWS::URLSuffix}";
                Host::Address(sub(format!("{name}.{host}")), PORT)
            }
        }
    }
}

/// The condition key with the owner of a statement, `<id of the role>:<session>`. Statements are not resources that a policy
/// could name: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshiftdataapi.html>.
const OWNER: &str = "redshift-data:statement-owner-iam-userid";

/// The right to do `actions` on the statements that the function itself has started.
pub(crate) fn own_statements(actions: impl Into<Vec<&'static str>>) -> Grant {
    Grant::new(actions, ["*".into()]).only_when(json!({ "StringEquals": { OWNER: "${aws:userid}" } }))
}

/// The right to do `actions` on the statements that `function` has started, for another function.
pub(crate) fn statements_of(function: &FunctionRef, actions: impl Into<Vec<&'static str>>) -> Grant {
    let sessions = sub_with("${RoleId}:*", [("RoleId", function.role_id())]);
    Grant::new(actions, ["*".into()]).only_when(json!({ "StringLike": { OWNER: Json::from(sessions) } }))
}

/// The address of a warehouse.
pub(crate) enum Host {
    /// The cluster of this name.
    Cluster(String),
    /// Host and port.
    Address(Value<String>, i64),
}

fn redshift_arn(resource: &str) -> Value<String> {
    sub(format!("arn:${{AWS::Partition}}:redshift:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"))
}
