//! The Redshift that quotes are written to: one that is there, or one that the stack makes.

use super::access::{GroupId, SubnetId};
use super::props::Identifier;
use crate::Tenant;
use crate::fields::{checked_text, in_range};
use aws::iam::role::RoleRef;
use aws::redshiftserverless::namespace::{LogExport, Namespace};
use aws::redshiftserverless::workgroup::{Workgroup, WorkgroupRef};
use cfn::intrinsic::{sub, sub_with};
use cfn::{Attributes, Json, Stack, Value};
use constructs::{FunctionRef, Grant};
use serde::Deserialize;
use serde_json::json;

/// The Redshift that quotes are written to.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub enum Warehouse {
    /// A Serverless namespace and workgroup that the stack makes.
    Made(Made),
    /// A Serverless workgroup.
    Workgroup(Existing),
    /// A provisioned cluster.
    Cluster(Cluster),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    create: Option<Made>,
    workgroup: Option<Existing>,
    cluster: Option<Cluster>,
}

impl TryFrom<Fields> for Warehouse {
    type Error = String;

    fn try_from(it: Fields) -> Result<Self, String> {
        match (it.create, it.workgroup, it.cluster) {
            (Some(it), None, None) => Ok(Self::Made(it)),
            (None, Some(it), None) => Ok(Self::Workgroup(it)),
            (None, None, Some(it)) => Ok(Self::Cluster(it)),
            _ => Err("a warehouse is either `create`, `workgroup` or `cluster`; give one of them".to_owned()),
        }
    }
}

/// A Serverless namespace and workgroup to make.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "MadeFields")]
pub struct Made {
    database: Identifier,
    capacity: u32,
    subnets: Vec<SubnetId>,
    security_groups: Vec<GroupId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MadeFields {
    database: Identifier,
    #[serde(default = "eight")]
    capacity: u32,
    subnets: Vec<SubnetId>,
    security_groups: Vec<GroupId>,
}

fn eight() -> u32 {
    8
}

impl TryFrom<MadeFields> for Made {
    type Error = String;

    fn try_from(it: MadeFields) -> Result<Self, String> {
        let capacity = in_range("`capacity`", it.capacity, 8..=1024)?;
        if capacity % 8 != 0 {
            return Err(format!("`capacity` is {capacity}, allowed are multiples of 8 Redshift processing units"));
        }
        // Three zones: https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-usage-considerations.html
        if it.subnets.len() < 3 || it.security_groups.is_empty() {
            return Err(format!(
                "{} subnets and {} security groups, allowed are at least 3 subnets, each in another zone, and 1 security group",
                it.subnets.len(),
                it.security_groups.len()
            ));
        }
        Ok(Self { database: it.database, capacity, subnets: it.subnets, security_groups: it.security_groups })
    }
}

/// A Serverless workgroup that is there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Existing {
    name: WarehouseName,
    /// Its id, which its ARN ends in: rights on it go by this and not by its name.
    id: WorkgroupId,
    database: Identifier,
    /// The secret of a user that may create in the database; without one, setup logs in as its IAM role.
    secret: Option<SecretArn>,
}

/// A provisioned cluster that is there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    name: WarehouseName,
    database: Identifier,
    /// A user that may create in the database, a superuser as a rule.
    user: Identifier,
}

impl Warehouse {
    /// The database users that may take on the role that calls the signing function: those of this cluster, or of
    /// anything Serverless in this account and region, where users are not known under the name of their workgroup alone.
    pub(super) fn users(&self) -> Value<String> {
        let warehouse = match self {
            Self::Cluster(it) => it.name.as_str(),
            Self::Made(_) | Self::Workgroup(_) => "*",
        };
        sub(format!("arn:${{AWS::Partition}}:redshift:${{AWS::Region}}:${{AWS::AccountId}}:dbuser:{warehouse}/*"))
    }
}

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
pub(super) fn place(stack: &mut Stack, tenant: &Tenant, warehouse: &Warehouse, invoker: &RoleRef) -> Place {
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
    fn add(&self, stack: &mut Stack, invoker: &RoleRef) -> Place {
        // A namespace and a workgroup want a name; the stack's is unique in the account.
        let name = stack.name().to_owned();
        let namespace = Namespace::new(name.as_str())
            .db_name(self.database.as_str())
            .admin_username(ADMIN)
            .manage_admin_password(true)
            .iam_roles([invoker.arn()])
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

checked_text! {
    /// The name of a workgroup or a cluster.
    pub(super) WarehouseName, |text: &str| {
        let is_plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
        if (1..=63).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(());
        }
        Err(format!("`{text}` is no workgroup or cluster; allowed are at most 63 characters a-z, 0-9 and `-`"))
    }
}

checked_text! {
    /// The id of a workgroup.
    pub(super) WorkgroupId, |text: &str| {
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        if lengths == [8, 4, 4, 4, 12] && text.bytes().all(|it| it == b'-' || it.is_ascii_hexdigit()) {
            return Ok(());
        }
        Err(format!("`{text}` is no workgroup id; allowed is what its ARN ends in, as in 0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f"))
    }
}

checked_text! {
    /// The ARN of a secret.
    pub(super) SecretArn, |text: &str| {
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            ["arn", partition, "secretsmanager", region, account, "secret", name]
                if partition.starts_with("aws") && !region.is_empty() && account.len() == 12
                    && account.bytes().all(|it| it.is_ascii_digit()) && !name.is_empty() && !name.contains(['*', '?']) => Ok(()),
            _ => Err(format!("`{text}` is no secret; allowed is arn:aws:secretsmanager:<region>:<account>:secret:<name>")),
        }
    }
}
