//! Cognito user pools, whose users may sign in to a page.

use aws::cognito::user_pool::{
    self, AccountRecoverySetting, AdminCreateUserConfig, EmailConfiguration, EmailSendingAccount, LambdaConfig,
    MfaConfiguration, PasswordPolicy, Policies, RecoveryOption, SchemaAttribute, UserPoolTier, UsernameConfiguration,
};
use aws::cognito::user_pool_client::{
    AccessToken, ExplicitAuthFlow, IdToken, PreventUserExistenceErrors, RefreshToken, TokenValidityUnits,
    UserPoolClient, UserPoolClientRef,
};
use cfn::{Attributes, Construct, Scope, Value};

use crate::FunctionRef;

/// Users with a verified e-mail address as their name, and one client: a page in the browser, where they sign in.
///
/// Passwords never leave the browser (SRP), and the client has no secret, because a browser cannot keep one. Only an administrator creates
/// users, unless [`UserPool::sign_up_through`] allows sign-up. An address cannot be changed, because access was given to that address.
/// Signing in and resetting a password do not reveal whether a user exists; signing up reveals that an address is taken, which Cognito
/// cannot prevent.
///
/// The pool is kept when its stack is deleted. It has no deletion protection, for the same reason as a [`crate::Table`].
#[derive(Clone, Debug, Default)]
pub struct UserPool {
    sign_up: Option<FunctionRef>,
    second_factor_required: bool,
    mail: Option<(String, String)>,
}

impl UserPool {
    /// The fewest characters of a password, which must contain lower and upper case, a digit and a symbol.
    const PASSWORD_LENGTH: i64 = 12;
    /// Days that the password in an invitation is valid.
    const INVITATION_DAYS: i64 = 7;
    /// Minutes that a token is valid; further tokens come from the refresh token, which can be revoked.
    const TOKEN_MINUTES: i64 = 60;
    /// Hours after which a user has to sign in again: a working day.
    const SESSION_HOURS: i64 = 12;
    /// Minutes that a user has for one step of signing in.
    const STEP_MINUTES: i64 = 3;

    /// Lets people sign up by themselves, unless this function rejects them.
    #[must_use]
    pub fn sign_up_through(mut self, function: Option<&FunctionRef>) -> Self {
        self.sign_up = function.cloned();
        self
    }

    /// Whether all users need an authenticator app, or only those who have set one up.
    #[must_use]
    pub fn second_factor_required(mut self, required: bool) -> Self {
        self.second_factor_required = required;
        self
    }

    /// The address that messages come from, and the ARN of the identity in SES that sends them. Without it, Cognito sends them itself, 50 per
    /// day (<https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>).
    ///
    /// No policy is needed: Cognito creates a service-linked role for it. Whoever deploys the first such pool of an account needs the right
    /// `iam:CreateServiceLinkedRole` for that.
    #[must_use]
    pub fn mail_from(mut self, sender: Option<(&str, &str)>) -> Self {
        self.mail = sender.map(|(from, identity)| (from.to_owned(), identity.to_owned()));
        self
    }

    fn pool(&self) -> user_pool::UserPool {
        let password = PasswordPolicy::new()
            .minimum_length(Self::PASSWORD_LENGTH)
            .require_lowercase(true)
            .require_uppercase(true)
            .require_numbers(true)
            .require_symbols(true)
            .temporary_password_validity_days(Self::INVITATION_DAYS);
        let email = SchemaAttribute::new()
            .name("email")
            .attribute_data_type(user_pool::AttributeDataType::String)
            .required(true)
            .mutable(false);
        let recovery = RecoveryOption::new().name(user_pool::Name::VerifiedEmail).priority(1);
        let mfa = if self.second_factor_required { MfaConfiguration::On } else { MfaConfiguration::Optional };
        let pool = user_pool::UserPool::new()
            .user_pool_tier(UserPoolTier::Essentials)
            .username_attributes([user_pool::UsernameAttribute::Email])
            .username_configuration(UsernameConfiguration::new().case_sensitive(false))
            .auto_verified_attributes([user_pool::AutoVerifiedAttribute::Email])
            .schema([email])
            .policies(Policies::new().password_policy(password))
            .account_recovery_setting(AccountRecoverySetting::new().recovery_mechanisms([recovery]))
            .admin_create_user_config(AdminCreateUserConfig::new().allow_admin_create_user_only(self.sign_up.is_none()))
            .mfa_configuration(mfa)
            .enabled_mfas(["SOFTWARE_TOKEN_MFA"])
            .deletion_protection(user_pool::DeletionProtection::Inactive);
        let pool = match &self.mail {
            Some((from, identity)) => pool.email_configuration(
                EmailConfiguration::new()
                    .email_sending_account(EmailSendingAccount::Developer)
                    .from(from.as_str())
                    .source_arn(identity.as_str()),
            ),
            None => pool,
        };
        match &self.sign_up {
            Some(function) => pool.lambda_config(LambdaConfig::new().pre_sign_up(function.arn())),
            None => pool,
        }
    }

    /// A client for signing in with name and password, by SRP, and for renewing tokens; it may read the address, and set it at sign-up.
    fn client(pool: &user_pool::UserPoolRef) -> UserPoolClient {
        UserPoolClient::new(pool.reference())
            .generate_secret(false)
            .explicit_auth_flows([ExplicitAuthFlow::AllowUserSrpAuth, ExplicitAuthFlow::AllowRefreshTokenAuth])
            .prevent_user_existence_errors(PreventUserExistenceErrors::Enabled)
            .supported_identity_providers(["COGNITO"])
            .enable_token_revocation(true)
            .auth_session_validity(Self::STEP_MINUTES)
            .access_token_validity(Self::TOKEN_MINUTES)
            .id_token_validity(Self::TOKEN_MINUTES)
            .refresh_token_validity(Self::SESSION_HOURS)
            .token_validity_units(
                TokenValidityUnits::new()
                    .access_token(AccessToken::Minutes)
                    .id_token(IdToken::Minutes)
                    .refresh_token(RefreshToken::Hours),
            )
            .read_attributes(["email", "email_verified"])
            .write_attributes(["email"])
    }
}

impl Construct for UserPool {
    type Ref = UserPoolRef;

    fn add_to(self, scope: &mut Scope<'_>) -> UserPoolRef {
        let pool = scope.add_here(self.pool().retain());
        if let Some(function) = self.sign_up {
            scope.add("Permission", function.callable_by("cognito-idp.amazonaws.com", pool.arn()));
        }
        let client = scope.add("Client", Self::client(&pool));
        UserPoolRef { pool, client }
    }
}

/// A user pool in a stack.
#[derive(Clone, Debug)]
pub struct UserPoolRef {
    pool: user_pool::UserPoolRef,
    client: UserPoolClientRef,
}

impl UserPoolRef {
    /// The pool's ID, `<region>_<letters>`.
    pub fn id(&self) -> Value<String> {
        self.pool.reference()
    }

    /// The pool's ARN.
    pub fn arn(&self) -> Value<String> {
        self.pool.arn()
    }

    /// The ID of its client, which is not secret.
    pub fn client_id(&self) -> Value<String> {
        self.client.reference()
    }
}
