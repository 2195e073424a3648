//! Lets only people from the tenant's domains sign up: Cognito calls it before it creates a user.
//!
//! A user created by an administrator is accepted, whatever the address. Nobody is confirmed here: a person who signs up proves the
//! address with the code that Cognito sends to it. No log line contains an address.

mod address;

use std::fmt;

use function::{Invalid, required};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;
use tracing::info;

/// The function's settings.
pub struct Settings {
    /// In lower case.
    domains: Vec<String>,
}

impl Settings {
    /// Reads `DOMAINS`, the domains separated by commas.
    ///
    /// # Errors
    ///
    /// If there is none, or one is not a domain in lower case.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let domains: Vec<String> = required(variable, "DOMAINS")?.split(',').map(str::to_owned).collect();
        match domains.iter().find(|domain| !address::is_domain(domain)) {
            Some(domain) => Err(Invalid(format!(
                "the environment variable DOMAINS has {domain:?}; must be domains in lower case, as in acme.example,b.example"
            ))),
            None => Ok(Settings { domains }),
        }
    }
}

/// Why a person cannot sign up; Cognito shows it with `PreSignUp failed with error` before it and a full stop after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for Diagnostic {
    fn from(error: Refused) -> Diagnostic {
        Diagnostic { error_type: "Refused".to_owned(), error_message: error.to_string() }
    }
}

/// Cognito's trigger for a user created by an administrator.
const BY_ADMINISTRATOR: &str = "PreSignUp_AdminCreateUser";

/// Returns the event as received, which lets Cognito create the user.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>
///
/// # Errors
///
/// If the address is missing, not from one of the domains, or an alias with a `+`.
pub fn handle(settings: &Settings, event: LambdaEvent<Value>) -> Result<Value, Refused> {
    let event = event.payload;
    let source = event["triggerSource"].as_str().unwrap_or_default();
    let address = event["request"]["userAttributes"]["email"].as_str().unwrap_or_default();
    let domain = address::domain(address);
    let allowed = domain.is_some_and(|domain| settings.domains.contains(&domain));
    info!(step = "sign up", source, allowed);
    if source == BY_ADMINISTRATOR {
        return Ok(event);
    }
    // One mailbox would be as many persons as its owner likes, each with limits of its own.
    if allowed && address.contains('+') {
        return Err(Refused("an address with a + cannot sign up; use the address without it".to_owned()));
    }
    if allowed {
        return Ok(event);
    }
    Err(Refused(format!("only people with an e-mail address at {} can sign up", settings.domains.join(" or "))))
}

#[cfg(test)]
mod tests {
    use lambda_runtime::Context;
    use serde_json::json;

    use super::*;

    fn settings(domains: &str) -> Result<Settings, Invalid> {
        Settings::read(&|name: &str| (name == "DOMAINS").then(|| domains.to_owned()))
    }

    /// As Cognito calls it: <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>.
    fn event(source: &str, attributes: Value) -> LambdaEvent<Value> {
        let payload = json!({
            "version": "1",
            "region": "eu-central-1",
            "userPoolId": "eu-central-1_AbCdEf",
            "userName": "2f1e8c1c-0b7e-4f3a-9c5d-6a1b2c3d4e5f",
            "callerContext": { "awsSdkVersion": "x", "clientId": "c" },
            "triggerSource": source,
            "request": { "userAttributes": attributes, "validationData": null },
            "response": { "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false },
        });
        LambdaEvent::new(payload, Context::default())
    }

    #[test]
    fn an_address_from_a_domain_is_accepted_unchanged_and_not_confirmed() {
        let settings = settings("acme.example,b.example").unwrap();
        for address in ["ada@acme.example", "Ada.Lovelace@ACME.Example", "o'brien@b.example"] {
            let asked = event("PreSignUp_SignUp", json!({ "email": address }));
            assert_eq!(handle(&settings, asked.clone()), Ok(asked.payload), "{address}");
        }
    }

    #[test]
    fn every_other_address_is_refused_in_one_sentence() {
        let settings = settings("acme.example,b.example").unwrap();
        for address in [
            "ada@evil.example",
            "ada@sub.acme.example",
            "ada@notacme.example",
            "ada@acme.example.evil.example",
            "ada@acme.example@evil.example",
            "ada@evil.example,b@acme.example",
            "\"ada@evil.example\"@acme.example",
            "<ada@evil.example>@acme.example",
            "ada @acme.example",
            "ada@acme.example ",
            "ada@acme.example\n",
            "ada@acme\u{ff0e}example",
            "ada@\u{430}cme.example",
            "ada@acme.example.",
            "@acme.example",
            "acme.example",
            "",
        ] {
            let refused = handle(&settings, event("PreSignUp_SignUp", json!({ "email": address }))).unwrap_err();
            let sentence = "only people with an e-mail address at acme.example or b.example can sign up";
            assert_eq!(refused.to_string(), sentence, "{address}");
        }
        let odd = [json!({}), json!({ "email": 1 }), json!(null)];
        assert!(odd.into_iter().all(|address| handle(&settings, event("PreSignUp_SignUp", address)).is_err()));
        let other = event("PreSignUp_ExternalProvider", json!({ "email": "ada@evil.example" }));
        assert!(handle(&settings, other).is_err());
    }

    #[test]
    fn an_alias_of_a_mailbox_is_not_another_person() {
        let settings = settings("acme.example").unwrap();
        for address in ["ada+1@acme.example", "+@acme.example", "Ada+b+c@ACME.example"] {
            let refused = handle(&settings, event("PreSignUp_SignUp", json!({ "email": address }))).unwrap_err();
            assert!(refused.to_string().starts_with("an address with a + cannot sign up"), "{address}");
        }
        let invited = event(BY_ADMINISTRATOR, json!({ "email": "ada+1@acme.example" }));
        assert!(handle(&settings, invited).is_ok());
    }

    #[test]
    fn an_administrator_can_create_any_user() {
        let asked = event("PreSignUp_AdminCreateUser", json!({ "email": "guest@other.example" }));
        assert_eq!(handle(&settings("acme.example").unwrap(), asked.clone()), Ok(asked.payload));
    }

    #[test]
    fn settings_without_a_domain_are_refused() {
        for domains in ["", ",", "acme.example,", "Acme.example", "acme", "a@b.example", " acme.example"] {
            let problem = settings(domains).err().map(|error| error.to_string());
            assert!(problem.is_some_and(|problem| problem.contains("DOMAINS")), "{domains:?}");
        }
    }
}
