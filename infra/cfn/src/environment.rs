//! Where a stack is deployed.

/// An account and a region, and as whom a deployer works there. What is not known is decided when the stack is deployed: it goes where the
/// caller is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Environment {
    /// The account's ID: twelve digits.
    pub account: Option<String>,
    /// For example `eu-central-1`.
    pub region: Option<String>,
    /// The ARN of the role that the deployer assumes.
    pub role: Option<String>,
    /// The ARN of the role with which CloudFormation creates and changes resources. Without one, it works with the deployer's rights.
    pub execution_role: Option<String>,
}

impl Environment {
    /// As a cloud assembly names it: `aws://111122223333/eu-central-1`; what is not known is `unknown-account` or `unknown-region`.
    pub fn uri(&self) -> String {
        let account = self.account.as_deref().unwrap_or("unknown-account");
        let region = self.region.as_deref().unwrap_or("unknown-region");
        format!("aws://{account}/{region}")
    }

    /// Reads [`Environment::uri`]; the roles are not part of it. `None` if it is not one.
    pub fn from_uri(uri: &str) -> Option<Self> {
        let (account, region) = uri.strip_prefix("aws://")?.split_once('/')?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_region = region.contains('-') && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let account = match account {
            "unknown-account" => None,
            account => Some(is_account.then(|| account.to_owned())?),
        };
        let region = match region {
            "unknown-region" => None,
            region => Some(is_region.then(|| region.to_owned())?),
        };
        Some(Self { account, region, ..Self::default() })
    }
}
