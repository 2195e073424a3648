//! Cognito user pools: who may sign in to a page.

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

/// People with a verified e-mail address as their name, and one client, a page in the browser, where they sign in.
///
/// Passwords never leave the browser (SRP), and the client has no secret, since a browser keeps none. Only an administrator
/// makes users, unless [`UserPool::sign_up_through`] opens it. An address cannot be changed: it is what a user was let in
/// for. Nobody learns from signing in or from a forgotten password whether a user exists; signing up tells that an address is
/// taken, which Cognito cannot be kept from. The pool survives its stack, and cannot be deleted by mistake.
#[derive(Clone, Debug, Default)]
pub struct UserPool {
    sign_up: Option<FunctionRef>,
    second_factor_required: bool,
    mail: Option<(String, String)>,
}

impl UserPool {
    /// Fewest characters of a password, with lower and upper case, a digit and a symbol among them.
    const PASSWORD_LENGTH: i64 = 12;
    /// Days that the password in an invitation is good for.
    const INVITATION_DAYS: i64 = 7;
    /// Minutes that a token opens the API; each one after it comes from the refresh token, which can be revoked.
    const TOKEN_MINUTES: i64 = 60;
    /// Hours after which somebody has to sign in again: a working day.
    const SESSION_HOURS: i64 = 12;
    /// Minutes that somebody has for a step of signing in.
    const STEP_MINUTES: i64 = 3;

    /// Lets people sign up by themselves, if this function does not refuse them.
    #[must_use]
    pub fn sign_up_through(mut self, function: Option<&FunctionRef>) -> Self {
        self.sign_up = function.cloned();
        self
    }

    /// Whether everybody needs an authenticator app, or only who has set one up.
    #[must_use]
    pub fn second_factor_required(mut self, required: bool) -> Self {
        self.second_factor_required = required;
        self
    }

    /// The address that messages come from, and the ARN of the identity in SES that sends them. Without it Cognito sends them by
    /// itself, 50 a day (<https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>).
    ///
    /// No policy is needed: Cognito makes a service-linked role for it, which whoever deploys the first such pool of an account has
    /// to be allowed (`iam:CreateServiceLinkedRole`).
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
            .deletion_protection(user_pool::DeletionProtection::Active);
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

    /// A client for signing in with name and password, by SRP, and for renewing tokens; it may read the address and give it
    /// when somebody signs up.
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
    /// The pool's id, `<region>_<letters>`.
    pub fn id(&self) -> Value<String> {
        self.pool.reference()
    }

    /// The pool's ARN.
    pub fn arn(&self) -> Value<String> {
        self.pool.arn()
    }

    /// The id of its client; no secret.
    pub fn client_id(&self) -> Value<String> {
        self.client.reference()
    }
}
