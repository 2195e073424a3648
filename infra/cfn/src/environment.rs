//! Where a stack is deployed.

/// An account and a region, and as whom a deployer works there. What is not known is decided when the stack is deployed: it goes where the
/// caller is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// As a cloud assembly names it: `aws://111122223333/eu-central-1`.
    pub(crate) fn uri(&self) -> String {
        let account = self.account.as_deref().unwrap_or("unknown-account");
        let region = self.region.as_deref().unwrap_or("unknown-region");
        format!("aws://{account}/{region}")
    }
}
