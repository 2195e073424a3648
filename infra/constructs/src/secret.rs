//! Secrets.

use crate::grant::Grant;
use aws::secretsmanager::secret;
use cfn::{Attributes, Construct, Scope, Value};

/// A secret whose value somebody puts in after the stack stands; it survives its stack.
#[derive(Clone, Debug)]
pub struct Secret {
    description: String,
}

impl Secret {
    /// A secret without a value; `description` tells what to put in.
    pub fn new(description: &str) -> Self {
        Self { description: description.to_owned() }
    }
}

impl Construct for Secret {
    type Ref = SecretRef;

    fn add_to(self, scope: &mut Scope<'_>) -> SecretRef {
        SecretRef(scope.add_here(secret::Secret::new().description(self.description).retain()))
    }
}

/// A secret in a stack.
#[derive(Clone, Debug)]
pub struct SecretRef(secret::SecretRef);

impl SecretRef {
    /// The secret's ARN.
    pub fn arn(&self) -> Value<String> {
        // `GetAtt Id` and not `Ref`: both give the ARN on AWS, and some emulators give a name for `Ref`.
        self.0.id()
    }

    /// The right to read its value.
    pub fn grant_read(&self) -> Grant {
        Grant::new(["secretsmanager:GetSecretValue"], [self.arn()])
    }
}
