//! The Redshift that a system works with: an existing one, or one that the stack creates.

mod place;
mod schema;

use cfn::Value;
use cfn::intrinsic::sub;
pub(crate) use place::{Host, Part, Place, own_statements, statements_of};
pub(crate) use schema::NoSchema;
pub use schema::{Schema, SchemaKey};
use serde::Deserialize;

use crate::shared::arn::{check_arn, is_named};
use crate::shared::fields::{GroupId, Identifier, SubnetId, checked_text, distinct, given, in_range};

/// The Redshift that a system works with.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub enum Warehouse {
    /// A Serverless namespace and workgroup that the stack creates.
    Made(Made),
    /// A Serverless workgroup.
    Workgroup(Existing),
    /// A provisioned cluster.
    Cluster(Cluster),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, deserialize_with = "given")]
    create: Option<Made>,
    #[serde(default, deserialize_with = "given")]
    workgroup: Option<Existing>,
    #[serde(default, deserialize_with = "given")]
    cluster: Option<Cluster>,
}

impl TryFrom<Fields> for Warehouse {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        match (fields.create, fields.workgroup, fields.cluster) {
            (Some(made), None, None) => Ok(Self::Made(made)),
            (None, Some(workgroup), None) => Ok(Self::Workgroup(workgroup)),
            (None, None, Some(cluster)) => Ok(Self::Cluster(cluster)),
            _ => Err("a warehouse is either `create`, `workgroup` or `cluster`; give one of them".to_owned()),
        }
    }
}

/// A Serverless namespace and workgroup to create.
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
    #[serde(deserialize_with = "distinct")]
    subnets: Vec<SubnetId>,
    #[serde(deserialize_with = "distinct")]
    security_groups: Vec<GroupId>,
}

fn eight() -> u32 {
    8
}

impl TryFrom<MadeFields> for Made {
    type Error = String;

    fn try_from(fields: MadeFields) -> Result<Self, String> {
        let capacity = in_range("`capacity`", fields.capacity, 8..=1024)?;
        if capacity % 8 != 0 {
            return Err(format!("`capacity` is {capacity}; must be a multiple of 8 Redshift processing units"));
        }
        // Three zones: https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-usage-considerations.html
        if fields.subnets.len() < 3 || fields.security_groups.is_empty() {
            return Err(format!(
                "{} subnets and {} security groups; must be at least 3 subnets, each in a different zone, and 1 security group",
                fields.subnets.len(),
                fields.security_groups.len()
            ));
        }
        Ok(Self {
            database: fields.database,
            capacity,
            subnets: fields.subnets,
            security_groups: fields.security_groups,
        })
    }
}

/// An existing Serverless workgroup.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Existing {
    name: WarehouseName,
    /// Its ID, the last part of its ARN: rights name the workgroup by its ID and not by its name.
    id: WorkgroupId,
    database: Identifier,
    /// The secret of a user that may create in the database; without one, setup logs in as its IAM role.
    #[serde(default, deserialize_with = "given")]
    secret: Option<SecretArn>,
    #[serde(default, deserialize_with = "given")]
    sign_role: Option<RoleArn>,
}

/// An existing provisioned cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    name: WarehouseName,
    database: Identifier,
    /// A user that may create in the database, usually a superuser.
    user: Identifier,
    #[serde(default, deserialize_with = "given")]
    sign_role: Option<RoleArn>,
}

impl Warehouse {
    /// A role that is already attached to it, with which it calls the function that signs links.
    pub(crate) fn sign_role(&self) -> Option<&RoleArn> {
        match self {
            Self::Made(_) => None,
            Self::Workgroup(workgroup) => workgroup.sign_role.as_ref(),
            Self::Cluster(cluster) => cluster.sign_role.as_ref(),
        }
    }

    /// The database users that may assume the role that calls the signing function: those of this cluster, or of
    /// anything Serverless in this account and region, since users there are not identified by the name of their workgroup alone.
    pub(crate) fn users(&self) -> Value<String> {
        let warehouse = match self {
            Self::Cluster(cluster) => cluster.name.as_str(),
            Self::Made(_) | Self::Workgroup(_) => "*",
        };
        sub(format!("arn:${{AWS::Partition}}:redshift:${{AWS::Region}}:${{AWS::AccountId}}:dbuser:{warehouse}/*"))
    }
}

checked_text! {
    /// The name of a workgroup or a cluster.
    pub WarehouseName, |text: &str| {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=63).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid name of a workgroup or cluster; use at most 63 characters a-z, 0-9 and `-`"))
    }
}

checked_text! {
    /// The ID of a workgroup.
    pub WorkgroupId, |text: &str| {
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        if lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()) {
            return Ok(());
        }
        Err(format!("`{text}` is not a workgroup ID; use the last part of its ARN, as in 0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f"))
    }
}

checked_text! {
    /// The ARN of a secret.
    pub(crate) SecretArn, |text: &str| {
        check_arn(text, "a secret", "arn:aws:secretsmanager:<region>:<account>:secret:<name>", |resource| is_named(resource, "secret:"))
    }
}

checked_text! {
    /// An IAM role.
    pub(crate) RoleArn, |text: &str| check_arn(text, "a role", "arn:aws:iam::<account>:role/<name>", |resource| is_named(resource, "role/"))
}

impl RoleArn {
    /// The role's name, without its path.
    pub(crate) fn name(&self) -> &str {
        self.as_str().rsplit('/').next().unwrap_or_default()
    }
}
