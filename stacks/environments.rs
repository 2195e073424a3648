//! The environments: the accounts and regions that tenants are deployed to. One optional file lists them by name.
//!
//! ```text
//! stacks/environments.yaml ─► Environments ─┬─ of(tenant) ─► Environment ─► place(Stack)
//!                                           └─ all of them, one platform stack each
//! ```

use std::collections::BTreeMap;

use cfn::{Json, Stack};
use serde::Deserialize;

use crate::shared::arn::{Arn, check_arn, is_account, is_named, is_region};
use crate::shared::fields::{Name, checked_text, given};
use crate::{Tenant, TenantError, tenant};

/// The environments by name; none if there is no file, and then tenants are deployed where the caller is signed in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Environments(BTreeMap<Name, Environment>);

/// An account and a region, and as whom deployments work there.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Environment {
    place: cfn::Environment,
    permissions_boundary: Option<PolicyArn>,
}

/// [`Environment`] as the file has it, before the checks that span several keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    account: AccountId,
    region: Region,
    #[serde(default, deserialize_with = "given")]
    role: Option<RoleArn>,
    #[serde(default, deserialize_with = "given")]
    execution_role: Option<RoleArn>,
    #[serde(default, deserialize_with = "given")]
    permissions_boundary: Option<PolicyArn>,
}

checked_text! {
    AccountId, |text: &str| {
        if is_account(text) {
            return Ok(());
        }
        Err(format!("`{text}` is not an AWS account; use its twelve digits in quotes"))
    }
}

checked_text! {
    Region, |text: &str| {
        if is_region(text) {
            return Ok(());
        }
        Err(format!("`{text}` is not an AWS region; use a name such as eu-central-1"))
    }
}

checked_text! {
    RoleArn, |text: &str| {
        check_arn(text, "a role", "arn:aws:iam::<account>:role/<name>", |arn| is_named(arn, "role/"))
    }
}

checked_text! {
    PolicyArn, |text: &str| {
        check_arn(text, "a managed policy", "arn:aws:iam::<account>:policy/<name>", |arn| is_named(arn, "policy/"))
    }
}

impl TryFrom<Fields> for Environment {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let account = fields.account.as_str();
        let roles = [("role", &fields.role), ("execution_role", &fields.execution_role)];
        let roles = roles.iter().filter_map(|(key, role)| Some((*key, role.as_ref()?.as_str())));
        let boundary = fields.permissions_boundary.iter().map(|policy| ("permissions_boundary", policy.as_str()));
        for (key, arn) in roles.chain(boundary) {
            let owner = Arn::parse(arn).map(|arn| arn.account).unwrap_or_default();
            if owner != account {
                return Err(format!(
                    "the `{key}` belongs to account {owner}; it must belong to the `account` {account}"
                ));
            }
        }
        let text = |role: Option<RoleArn>| role.map(|role| role.as_str().to_owned());
        let place = cfn::Environment {
            account: Some(account.to_owned()),
            region: Some(fields.region.as_str().to_owned()),
            role: text(fields.role),
            execution_role: text(fields.execution_role),
        };
        Ok(Self { place, permissions_boundary: fields.permissions_boundary })
    }
}

impl Environments {
    /// Reads the environments from the text of their file. A file without any is the same as none.
    ///
    /// # Errors
    ///
    /// The first mistake, with its line and column, the value, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, TenantError> {
        let is_comment = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        if text.lines().all(is_comment) {
            return Ok(Self::default());
        }
        tenant::parse(text)
    }

    /// The environment of a tenant; `None` if there are none at all, and the tenant is deployed where the caller is signed in.
    ///
    /// # Errors
    ///
    /// What is wrong with the tenant's `environment`, and which ones there are.
    pub fn of(&self, tenant: &Tenant) -> Result<Option<&Environment>, String> {
        let names = || self.0.keys().map(Name::as_str).collect::<Vec<_>>().join(", ");
        match &tenant.environment {
            None if self.0.is_empty() => Ok(None),
            None => Err(format!("the key `environment` is missing; use one of {}", names())),
            Some(name) if self.0.is_empty() => Err(format!(
                "there is no environment `{}`, because no file lists environments; add it to environments.yaml or remove the key",
                name.as_str()
            )),
            Some(name) => {
                let found = self.0.get(name).map(Some);
                found.ok_or_else(|| format!("`{}` is not an environment; use one of {}", name.as_str(), names()))
            }
        }
    }

    /// Each environment with its name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Environment)> {
        self.0.iter().map(|(name, environment)| (name.as_str(), environment))
    }
}

impl Environment {
    /// The stack in this environment. If the environment has a permissions boundary, so has each role of the stack.
    pub fn place(&self, mut stack: Stack) -> Stack {
        if let Some(policy) = &self.permissions_boundary {
            stack.set_everywhere("AWS::IAM::Role", "PermissionsBoundary", &Json::from(policy.as_str()));
        }
        stack.environment(&self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "production:\n  account: \"012345678901\"\n  region: eu-central-1\n  \
        role: arn:aws:iam::012345678901:role/deploy\n  permissions_boundary: arn:aws:iam::012345678901:policy/limits\n";

    #[test]
    fn a_mistake_is_one_sentence_at_its_place() {
        for (from, to, expected) in [
            ("\"012345678901\"", "\"12\"", "2:12: `12` is not an AWS account; use its twelve digits in quotes"),
            ("eu-central-1", "eu", "3:11: `eu` is not an AWS region; use a name such as eu-central-1"),
            (
                "eu-central-1",
                "no-central-1",
                "3:11: `no-central-1` is not an AWS region; use a name such as eu-central-1",
            ),
            (
                "role/deploy",
                "user/deploy",
                "4:9: `arn:aws:iam::012345678901:user/deploy` is not a role; use arn:aws:iam::<account>:role/<name>",
            ),
            (
                "  role: ",
                "  rule: ",
                "4:3: unknown key `rule`; use one of account, region, role, execution_role, permissions_boundary",
            ),
            (
                "::012345678901:role",
                "::999999999999:role",
                "2:3: the `role` belongs to account 999999999999; it must belong to the `account` 012345678901",
            ),
            ("  region: eu-central-1\n", "", "4:3: the key `region` is missing"),
        ] {
            assert_eq!(Environments::parse(&GOOD.replace(from, to)).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_file_of_comments_lists_none() {
        for text in ["", "# production:\n\n  # later\n"] {
            assert_eq!(Environments::parse(text).unwrap().all().count(), 0, "{text}");
        }
    }
}
