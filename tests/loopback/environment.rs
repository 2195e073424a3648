//! A function's environment.

use std::collections::BTreeMap;

/// A function's environment, from which its settings are read.
pub type Environment = Box<dyn Fn(&str) -> Option<String>>;

/// The variables of a function that finds all of AWS at `url`: the ones Lambda sets, and its `own`, where a later one
/// replaces an earlier one. Everything that must stay secret contains `canary`.
pub fn environment<'a>(url: &str, own: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Environment {
    let mut variables: BTreeMap<String, String> = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "canary-aws-secret"),
        ("AWS_SESSION_TOKEN", "canary-aws-session"),
        ("AWS_ENDPOINT_URL", url),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    variables.extend(own.into_iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Box::new(move |name| variables.get(name).cloned())
}
