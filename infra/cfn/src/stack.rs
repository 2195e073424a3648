//! Stacks: resources that are deployed together.

use std::collections::BTreeMap;
use std::panic::Location;

use crate::properties::Problem;
use crate::template::{Entry, Template};
use crate::{
    Acknowledgement, Condition, Construct, Environment, Finding, Json, LogicalId, NamedCondition, Output, Parameter,
    Resource, Value,
};

/// An ordered set of resources that are deployed together.
#[derive(Debug)]
pub struct Stack {
    pub(crate) template: Template,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) dependencies: Vec<String>,
    pub(crate) environment: Environment,
    pub(crate) companions: Vec<Stack>,
    pub(crate) assets: Vec<Asset>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) acknowledgements: Vec<Acknowledgement>,
}

/// The code of one function: built from a package, uploaded, and passed to the stack as a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The Cargo package that builds it.
    pub package: String,
    /// The instruction set it is built for, `x86_64` or `arm64`.
    pub architecture: String,
    /// The template parameter that receives `<sha256 of the zip>.zip`.
    pub key_parameter: String,
}

/// A mapping of a stack, for [`crate::intrinsic::find_in_map`].
#[derive(Clone, Debug)]
pub struct Mapping(String);

impl Mapping {
    /// The mapping's name in the template.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Stack {
    /// An empty stack. The name is its name in CloudFormation: at most 128 letters, digits and hyphens, starting with a letter.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            template: Template::new(name.into()),
            tags: BTreeMap::new(),
            dependencies: Vec::new(),
            environment: Environment::default(),
            companions: Vec::new(),
            assets: Vec::new(),
            findings: Vec::new(),
            acknowledgements: Vec::new(),
        }
    }

    /// What the stack is for, at most 1,024 bytes.
    #[must_use]
    pub fn description(mut self, text: &str) -> Self {
        self.template.description = Some(text.to_owned());
        self
    }

    /// A tag of the stack, which CloudFormation passes on to its resources.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Where the stack is deployed; by default, where the caller is signed in. Companions are deployed with the same account and roles, in
    /// regions of their own.
    #[must_use]
    pub fn environment(mut self, environment: &Environment) -> Self {
        for companion in &mut self.companions {
            let region = companion.environment.region.take();
            companion.environment = Environment { region, ..environment.clone() };
        }
        self.environment = environment.clone();
        self
    }

    /// The stack's name.
    pub fn name(&self) -> &str {
        &self.template.stack
    }

    /// Adds a construct and returns its ref. `id` becomes the logical ID, or the start of it if the construct has several resources: a name
    /// that people will read in the console for years. Changing it replaces the resources.
    #[track_caller]
    pub fn add<C: Construct>(&mut self, id: &str, construct: C) -> C::Ref {
        let location = Location::caller();
        construct.add_to(&mut Scope { stack: self, path: id.to_owned(), location, nested: false })
    }

    /// Declares a parameter; two parameters with the same name are a finding.
    #[track_caller]
    pub fn parameter<T>(&mut self, name: &str, parameter: Parameter<T>) -> Value<T> {
        if self.template.parameters.insert(name.to_owned(), parameter.json).is_some() {
            self.twice("parameters", name, Location::caller());
        }
        Value::reference(&LogicalId(name.to_owned()))
    }

    /// Names a condition.
    #[track_caller]
    pub fn condition(&mut self, name: &str, condition: impl Into<Condition>) -> NamedCondition {
        if self.template.conditions.insert(name.to_owned(), condition.into().into()).is_some() {
            self.twice("conditions", name, Location::caller());
        }
        NamedCondition(name.to_owned())
    }

    /// Declares a mapping: key, second key, value.
    #[track_caller]
    pub fn mapping<const N: usize>(&mut self, name: &str, rows: [(&str, BTreeMap<String, Json>); N]) -> Mapping {
        let rows = rows.into_iter().map(|(key, row)| (key.to_owned(), row.into_iter().collect())).collect();
        if self.template.mappings.insert(name.to_owned(), Json::Object(rows)).is_some() {
            self.twice("mappings", name, Location::caller());
        }
        Mapping(name.to_owned())
    }

    /// Shows a value of the deployed stack.
    #[track_caller]
    pub fn output(&mut self, name: &str, output: impl Into<Output>) {
        if self.template.outputs.insert(name.to_owned(), output.into().json).is_some() {
            self.twice("outputs", name, Location::caller());
        }
    }

    /// Metadata of the template, which tools read and CloudFormation ignores.
    pub fn metadata(&mut self, name: &str, value: impl Into<Json>) {
        self.template.metadata.insert(name.to_owned(), value.into());
    }

    /// Deploys this stack after the one with that name.
    pub fn deploy_after(&mut self, stack: &str) {
        self.dependencies.push(stack.to_owned());
    }

    /// Adds a stack with what this one needs in a different region of the same account, for example a certificate for CloudFront. It is
    /// deployed before this one, which reads its outputs with [`stack_output_from`](crate::intrinsic::stack_output_from).
    pub fn companion(&mut self, mut companion: Stack, region: &str) {
        companion.environment.region = Some(region.to_owned());
        self.deploy_after(companion.name());
        self.companions.push(companion);
    }

    /// Sets a property of every resource of a type, for what holds for all of them and no construct should have to know. What is added
    /// later is not changed.
    pub fn set_everywhere(&mut self, ty: &str, property: &str, value: &Json) {
        for entry in self.template.resources.values_mut().filter(|entry| entry.ty == ty) {
            entry.properties[property] = value.clone();
        }
        for companion in &mut self.companions {
            companion.set_everywhere(ty, property, value);
        }
    }

    /// Reports a problem at the caller's line, for rules that types cannot express.
    #[track_caller]
    pub fn finding(&mut self, finding: Finding) {
        self.findings.push(finding.at(Location::caller()));
    }

    /// Accepts what a check finds about one resource, with a reason.
    pub fn acknowledge(&mut self, acknowledgement: Acknowledgement) {
        self.acknowledgements.push(acknowledgement);
    }

    fn twice(&mut self, what: &str, name: &str, location: &'static Location<'static>) {
        self.findings.push(Finding::error(name, format!("two {what} have this name; rename one")).at(location));
    }
}

/// A place in a stack where a construct puts its resources; the path becomes the logical ID.
#[derive(Debug)]
pub struct Scope<'a> {
    stack: &'a mut Stack,
    path: String,
    /// The line in the stack that added the construct.
    location: &'static Location<'static>,
    /// Whether a construct created this scope: then the lines of Rust below it are the construct's, not the author's.
    nested: bool,
}

impl Scope<'_> {
    /// Adds a construct under this scope: `Check` and `Role` become `CheckRole`.
    pub fn add<C: Construct>(&mut self, id: &str, construct: C) -> C::Ref {
        let path = format!("{}{id}", self.path);
        construct.add_to(&mut Scope { stack: self.stack, path, location: self.location, nested: true })
    }

    /// Adds a construct at this scope itself, without its own name: the main resource of a construct.
    pub fn add_here<C: Construct>(&mut self, construct: C) -> C::Ref {
        self.add("", construct)
    }

    /// The path so far, which is the logical ID for [`Scope::add_here`].
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The name of this scope's stack.
    pub fn stack_name(&self) -> &str {
        self.stack.name()
    }

    /// The template with everything that was added so far, for constructs that depend on what they have added.
    pub fn template(&self) -> &Template {
        &self.stack.template
    }

    /// Declares a parameter of the stack, once: a later call with the same name returns the first one.
    pub fn parameter<T>(&mut self, name: &str, parameter: Parameter<T>) -> Value<T> {
        self.stack.template.parameters.entry(name.to_owned()).or_insert(parameter.json);
        Value::reference(&LogicalId(name.to_owned()))
    }

    /// Names a condition of the stack, once: a later call with the same name returns the first one.
    pub fn condition(&mut self, name: &str, condition: impl Into<Condition>) -> NamedCondition {
        self.stack.template.conditions.entry(name.to_owned()).or_insert(condition.into().into());
        NamedCondition(name.to_owned())
    }

    /// Records code to build and deploy with this stack.
    pub fn asset(&mut self, asset: Asset) {
        self.stack.assets.push(asset);
    }

    /// Reports a problem with the construct that is being added, at the line that added it.
    pub fn finding(&mut self, message: impl Into<String>, help: Option<&str>) {
        let finding = Finding::error(self.path.clone(), message).at(self.location);
        self.stack.findings.push(match help {
            Some(help) => finding.help(help),
            None => finding,
        });
    }

    pub(crate) fn insert<R: Resource>(&mut self, resource: R, attributes: Vec<(&'static str, Json)>) -> LogicalId {
        let id = LogicalId(self.path.clone());
        let (properties, problems) = resource.into_properties().into_parts();
        for problem in problems {
            self.report(problem);
        }
        if id.0.is_empty() || id.0.len() > 255 || !id.0.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            self.finding(format!("{:?} is not a valid logical ID; use 1 to 255 letters and digits", id.0), None);
        }
        let entry = Entry { ty: R::TYPE, properties, attributes, stateful: R::STATEFUL, location: self.location };
        if let Some(first) = self.stack.template.resources.insert(id.0.clone(), entry) {
            let help = format!("the other one is at {}", first.location);
            self.finding("two resources have this logical ID; rename one", Some(&help));
        }
        id
    }

    fn report(&mut self, problem: Problem) {
        let location = if self.nested && !problem.exact { self.location } else { problem.location };
        let message = format!("{} {}", problem.path, problem.message);
        self.stack.findings.push(Finding::error(self.path.clone(), message).at(location));
    }
}
