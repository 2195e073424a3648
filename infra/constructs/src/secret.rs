//! Secrets.

use aws::secretsmanager::rotation_schedule::{self, RotationRules, RotationSchedule};
use aws::secretsmanager::secret::{self, GenerateSecretString};
use cfn::intrinsic::account_id;
use cfn::{Attributes, Construct, Json, Scope, Value};

use crate::FunctionRef;
use crate::grant::Grant;

/// A secret that is kept when its stack is deleted.
#[derive(Clone, Debug)]
pub struct Secret {
    description: String,
    generate: Option<GenerateSecretString>,
}

impl Secret {
    /// The number of letters and digits of a generated key: 381 bits.
    pub const KEY_LENGTH: i64 = 64;

    /// A secret without a value, which somebody sets after the stack is deployed; `description` says what it is.
    pub fn new(description: &str) -> Self {
        Self { description: description.to_owned(), generate: None }
    }

    /// A secret whose value is a key of [`Secret::KEY_LENGTH`] letters and digits that nobody has seen.
    pub fn key(description: &str) -> Self {
        let generate = GenerateSecretString::new().password_length(Self::KEY_LENGTH).exclude_punctuation(true);
        Self { description: description.to_owned(), generate: Some(generate) }
    }

    /// A [`Secret::key`] inside a JSON object, as `field` in addition to the fields of `others`.
    pub fn key_in(description: &str, others: &Json, field: &str) -> Self {
        let secret = Self::key(description);
        let generate = secret
            .generate
            .map(|generate| generate.secret_string_template(others.to_string()).generate_string_key(field));
        Self { generate, ..secret }
    }
}

impl Construct for Secret {
    type Ref = SecretRef;

    fn add_to(self, scope: &mut Scope<'_>) -> SecretRef {
        let secret = secret::Secret::new().description(self.description);
        let secret = match self.generate {
            Some(generate) => secret.generate_secret_string(generate),
            None => secret,
        };
        SecretRef(scope.add_here(secret.retain()))
    }
}

/// A secret in a stack.
#[derive(Clone, Debug)]
pub struct SecretRef(secret::SecretRef);

impl SecretRef {
    /// The secret's ARN.
    pub fn arn(&self) -> Value<String> {
        // `GetAtt Id` and not `Ref`: both return the ARN on AWS, but some emulators return a name for `Ref`.
        self.0.id()
    }

    /// The right to read its value.
    pub fn grant_read(&self) -> Grant {
        self.grant(["secretsmanager:GetSecretValue"])
    }

    /// The right to perform `actions`, such as `secretsmanager:PutSecretValue`, on it.
    pub fn grant(&self, actions: impl Into<Vec<&'static str>>) -> Grant {
        Grant::new(actions, [self.arn()])
    }
}

/// Gives a secret a new value at an interval of days, by a function that creates it.
#[derive(Clone, Debug)]
pub struct Rotation {
    secret: SecretRef,
    function: FunctionRef,
    days: u32,
}

impl Rotation {
    /// The rotation of `secret` by `function`; the first one is after `days`, not immediately.
    pub fn new(secret: &SecretRef, function: &FunctionRef, days: u32) -> Self {
        Self { secret: secret.clone(), function: function.clone(), days }
    }
}

impl Construct for Rotation {
    type Ref = rotation_schedule::RotationScheduleRef;

    fn add_to(self, scope: &mut Scope<'_>) -> rotation_schedule::RotationScheduleRef {
        let permission = self.function.callable_by("secretsmanager.amazonaws.com", self.secret.arn());
        let permission = scope.add("Permission", permission.source_account(account_id()));
        scope.add_here(
            RotationSchedule::new(self.secret.arn())
                .rotation_lambda_arn(self.function.arn())
                .rotation_rules(RotationRules::new().automatically_after_days(i64::from(self.days)))
                .rotate_immediately_on_update(false)
                .depends_on(&[permission]),
        )
    }
}
