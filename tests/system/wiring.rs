//! Every variable that a function reads is set by its stack, and every one that is set is read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What every Lambda has, and what only a target on this machine sets.
fn is_given(name: &str) -> bool {
    name.starts_with("AWS_") || ["QLIK_ENDPOINT_URL", "SLACK_ENDPOINT_URL"].contains(&name)
}

/// The variables of a function in the example tenant's stack; what is no text there is a reference.
fn variables_of(function: &str) -> BTreeMap<String, String> {
    let example = include_str!("../../stacks/tenants/example.yaml");
    let assembly = template_tests::assembly(example);
    let stack = assembly.stacks.iter().find(|it| it.template.resources.contains_key(function));
    let template = &stack.expect("a stack has the function").template;
    let variables = template.properties(function)["Environment"]["Variables"].as_object().expect("it has variables");
    let reference = |name: &str| match name {
        "REDIRECT_URL" => "https://a-reference.example.com/callback",
        _ => "a-reference",
    };
    variables.iter().map(|(name, it)| (name.clone(), it.as_str().unwrap_or(reference(name)).to_owned())).collect()
}

/// Fails unless `reads`, which answers whether a function's settings can be read, asks for just what the stack sets.
fn assert_reads_what_is_set(function: &str, reads: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> bool) {
    let set = variables_of(function);
    let read = RefCell::new(BTreeSet::new());
    let variable = |name: &str| {
        read.borrow_mut().insert(name.to_owned());
        match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            // AWS_ENDPOINT_URL and its like are no credentials: an `x` there would be no URL.
            _ if name.contains("ENDPOINT") => None,
            _ => set.get(name).cloned().or_else(|| name.starts_with("AWS_").then(|| "x".to_owned())),
        }
    };
    assert!(reads(&variable), "{function} takes what its stack sets");
    let read = read.into_inner();
    let unset: Vec<_> = read.iter().filter(|it| !is_given(it) && !set.contains_key(*it)).collect();
    let unread: Vec<_> = set.keys().filter(|it| !read.contains(*it)).collect();
    assert_eq!(
        (unset, unread),
        (Vec::new(), Vec::<&String>::new()),
        "{function}: (read but not set, set but not read)"
    );
}

#[test]
fn the_qlik_reload_function_reads_just_what_its_stack_sets() {
    assert_reads_what_is_set("Reload", |variable| qlik_reload::Settings::read(&variable).is_ok());
}

#[test]
fn the_slack_oauth_function_reads_just_what_its_stack_sets() {
    assert_reads_what_is_set("Install", |variable| slack_oauth::Settings::read(&variable).is_ok());
}
