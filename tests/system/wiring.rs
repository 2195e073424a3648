//! Every variable that a function reads is set by its stack, and every one that is set is read.

use cfn::Json;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The tenants of which each function is in one at least, with each of its options.
const TENANTS: [&str; 3] = [
    include_str!("../../stacks/tenants/example.yaml"),
    include_str!("../gates/tenants/options.yaml"),
    include_str!("../gates/tenants/least.yaml"),
];

/// What every Lambda has, and what only a target on this machine sets.
fn is_given(name: &str) -> bool {
    name.starts_with("AWS_") || ["LAMBDA_TASK_ROOT", "QLIK_ENDPOINT_URL", "SLACK_ENDPOINT_URL"].contains(&name)
}

/// The variables of a function, in each tenant that has it.
fn variables_of(function: &str) -> Vec<BTreeMap<String, String>> {
    let templates = TENANTS.into_iter().flat_map(|it| template_tests::assembly(it).stacks).map(|it| it.template);
    let templates = templates.filter(|it| it.resources.contains_key(function));
    let variables = templates.map(|template| {
        let properties = template.properties(function);
        let variables = properties["Environment"]["Variables"].as_object();
        variables.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
    });
    variables.collect()
}

/// A value as CloudFormation might resolve it.
fn text(value: &Json) -> String {
    let list = |items: &Json| items.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    match value.as_object().and_then(|it| it.iter().next()) {
        None => value.as_str().unwrap_or_default().to_owned(),
        Some((name, it)) if name == "Ref" && it == "AWS::AccountId" => "123456789012".to_owned(),
        Some((name, it)) if name == "Fn::Join" => list(&it[1]).join(it[0].as_str().unwrap_or_default()),
        Some((name, it)) if name == "Fn::Sub" => {
            let template = it.as_str().or(it[0].as_str()).unwrap_or_default();
            let mut parts = template.split("${");
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |done, part| done + "a-reference" + part.split_once('}').map_or("", |(_, rest)| rest))
        }
        Some(_) => "a-reference".to_owned(),
    }
}

/// Reads the settings of a function by `read` and compares what it asked for with what its stacks set.
fn check<E: std::fmt::Display>(function: &str, read: impl Fn(&dyn Fn(&str) -> Option<String>) -> Result<(), E>) {
    let (mut asked, mut set) = (BTreeSet::new(), BTreeSet::new());
    for variables in variables_of(function) {
        let asked_here = RefCell::new(BTreeSet::new());
        let variable = |name: &str| {
            asked_here.borrow_mut().insert(name.to_owned());
            match name {
                "AWS_REGION" => Some("eu-central-1".to_owned()),
                // AWS_ENDPOINT_URL and its like are no credentials: an `x` there would be no URL.
                _ if name.starts_with("AWS_") => (!name.contains("ENDPOINT")).then(|| "x".to_owned()),
                "LAMBDA_TASK_ROOT" => Some("/var/task".to_owned()),
                _ => variables.get(name).cloned(),
            }
        };
        if let Err(error) = read(&variable) {
            panic!("{function} does not take what its stack sets: {error}\n{variables:#?}");
        }
        let asked_here = asked_here.into_inner();
        let unread: Vec<_> = variables.keys().filter(|it| !asked_here.contains(*it)).collect();
        assert_eq!(unread, Vec::<&String>::new(), "{function}: set but not read");
        asked.extend(asked_here);
        set.extend(variables.into_keys());
    }
    assert!(!asked.is_empty(), "no tenant has {function}");
    let unset: Vec<_> = asked.iter().filter(|it| !is_given(it) && !set.contains(*it)).collect();
    assert_eq!(unset, Vec::<&String>::new(), "{function}: read but set by no tenant");
}

#[test]
fn every_function_reads_just_what_its_stack_sets() {
    check("Reload", |it| qlik_reload::Settings::read(&it).map(drop));
    check("ReportApi", |it| report_api::Settings::read(&it).map(drop));
    check("ReportPoller", |it| report_poller::Settings::read(&it).map(drop));
    check("ReportSender", |it| report_sender::Settings::read(&it).map(drop));
    check("Sign", |it| write_back_sign::Settings::read(&it).map(drop));
    check("Install", |it| slack_oauth::Settings::read(&it).map(drop));
    check("Connector", |it| slack_connector::Settings::read(&it).map(drop));
    check("QuoteApi", |it| write_back_api::Settings::read(&it).map(drop));
    check("Setup", |it| redshift_setup::Settings::read(&it).map(drop));
    check("Socket", |it| query_socket::Settings::read(&it).map(drop));
    check("Finished", |it| query_finished::Settings::read(&it).map(drop));
    check("Results", |it| query_results::Settings::read(&it).map(drop));
    check("SignUp", |it| query_sign_up::Settings::read(&it).map(drop));
    check("PublishSite", |it| query_site::Settings::read(&it).map(drop));
    check("Rotate", |it| write_back_rotate::Settings::read(&it).map(drop));
}
