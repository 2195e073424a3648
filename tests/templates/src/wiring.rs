//! The environment variables of functions: a stack must set every variable that a function reads, and no others.
//!
//! Functions and stacks do not link each other. The crate `lambdas/<system>/wiring` links both, and compares them with this:
//!
//! ```text
//! Wiring::of(&SYSTEM).function("Greet", |variable| greet::Settings::read(&variable).map(drop)).assert_complete();
//! ```

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use cfn::{Json, Template};
use stacks::System;

use crate::{assembly, example, gate_tenants};

/// The check of one system's functions.
#[must_use = "only `assert_complete` finds functions that were not checked"]
pub struct Wiring {
    system: &'static str,
    /// The system's templates, of the example and of each gate tenant.
    templates: Vec<Template>,
    checked: BTreeSet<&'static str>,
}

impl Wiring {
    /// The system's templates, of the example and of each of its gate tenants.
    ///
    /// # Panics
    ///
    /// When no tenant has the system.
    pub fn of(system: &System) -> Self {
        let files = gate_tenants(system).into_iter().chain([example()]);
        let templates = files.flat_map(|file| assembly(&file).stacks).map(|stack| stack.template);
        let end = format!("-{}", system.name);
        let templates: Vec<Template> = templates.filter(|template| template.stack.ends_with(&end)).collect();
        assert!(!templates.is_empty(), "no tenant has {}", system.name);
        Self { system: system.name, templates, checked: BTreeSet::new() }
    }

    /// Reads the settings of the function with this logical ID by `read`, and compares the variables that it asked for with those
    /// that the stack sets.
    ///
    /// # Panics
    ///
    /// When they differ, with the names of the variables.
    pub fn function<E: Display>(
        mut self,
        function: &'static str,
        read: impl Fn(&dyn Fn(&str) -> Option<String>) -> Result<(), E>,
    ) -> Self {
        self.checked.insert(function);
        let (mut asked, mut set) = (BTreeSet::new(), BTreeSet::new());
        for variables in self.variables_of(function) {
            let asked_here = RefCell::new(BTreeSet::new());
            let variable = |name: &str| {
                asked_here.borrow_mut().insert(name.to_owned());
                given(name).or_else(|| variables.get(name).cloned())
            };
            if let Err(error) = read(&variable) {
                panic!("{function} rejects the variables that its stack sets: {error}\n{variables:#?}");
            }
            let asked_here = asked_here.into_inner();
            let unread: Vec<_> = variables.keys().filter(|name| !asked_here.contains(*name)).collect();
            assert_eq!(unread, Vec::<&String>::new(), "{function}: set but not read");
            asked.extend(asked_here);
            set.extend(variables.into_keys());
        }
        assert!(!asked.is_empty(), "no tenant of {} has a function {function} that reads variables", self.system);
        let unset: Vec<_> = asked.iter().filter(|name| !is_set_elsewhere(name) && !set.contains(*name)).collect();
        assert_eq!(unset, Vec::<&String>::new(), "{function}: read but not set for any tenant");
        self
    }

    /// Ends the check.
    ///
    /// # Panics
    ///
    /// When the system has a function that was not checked, with its logical ID.
    pub fn assert_complete(self) {
        let functions: BTreeSet<&str> = self
            .templates
            .iter()
            .flat_map(|template| template.all("AWS::Lambda::Function"))
            .map(|(id, _)| id)
            .collect();
        let unchecked: Vec<_> = functions.difference(&self.checked).collect();
        assert!(unchecked.is_empty(), "the wiring of {} does not check {unchecked:?}", self.system);
    }

    /// The variables of a function, in each template that has it.
    fn variables_of(&self, function: &str) -> Vec<BTreeMap<String, String>> {
        let templates = self.templates.iter().filter(|template| template.resources.contains_key(function));
        let variables = templates.map(|template| {
            let properties = template.properties(function);
            let variables = properties["Environment"]["Variables"].as_object();
            variables.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
        });
        variables.collect()
    }
}

/// The variables that every function has on Lambda.
fn given(name: &str) -> Option<String> {
    match name {
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        "LAMBDA_TASK_ROOT" => Some("/var/task".to_owned()),
        // An `x` would be a credential, but not a URL.
        _ if name.starts_with("AWS_") && !name.contains("ENDPOINT") => Some("x".to_owned()),
        _ => None,
    }
}

/// Whether Lambda sets the variable, or only somebody who replaces an endpoint or its certificates.
fn is_set_elsewhere(name: &str) -> bool {
    name.starts_with("AWS_") || name.ends_with("_ENDPOINT_URL") || ["LAMBDA_TASK_ROOT", "SSL_CERT_FILE"].contains(&name)
}

/// A value as CloudFormation might resolve it.
fn text(value: &Json) -> String {
    let list = |items: &Json| items.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    match value.as_object().and_then(|object| object.iter().next()) {
        None => value.as_str().unwrap_or_default().to_owned(),
        Some((name, argument)) if name == "Ref" && argument == "AWS::AccountId" => "123456789012".to_owned(),
        Some((name, argument)) if name == "Fn::Join" => {
            list(&argument[1]).join(argument[0].as_str().unwrap_or_default())
        }
        Some((name, argument)) if name == "Fn::Sub" => {
            let template = argument.as_str().or(argument[0].as_str()).unwrap_or_default();
            let mut parts = template.split("${");
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |done, part| done + "a-reference" + part.split_once('}').map_or("", |(_, rest)| rest))
        }
        Some(_) => "a-reference".to_owned(),
    }
}
