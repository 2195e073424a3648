//! From a template to what is in its picture.

use std::collections::{BTreeMap, BTreeSet};

use cfn::{Json, references};

use crate::kinds::{self, Role};
use crate::{Column, Edge, Graph, Node, Verb, gather, rights};

/// How long a chain of parts can be: a method is part of an API, an alias of a version of a function. A longer one is a circle.
const DEEPEST: usize = 6;

/// Services that act on a function only as their own resources in the template say.
const DRAWN_BY_THEIR_OWN_RESOURCES: &[&str] =
    &["apigateway", "cognito-idp", "events", "lambda", "logs", "s3", "scheduler", "secretsmanager", "sns"];

impl Graph {
    /// The picture of a template, which belongs to the stack of this name. The template may come from anywhere: what is not
    /// understood is left out.
    pub fn of(stack: &str, template: &Json) -> Self {
        let mut reader = Reader::new(stack, template);
        for (id, resource) in reader.resources.clone() {
            reader.resource(id, resource);
        }
        reader.finish()
    }
}

struct Reader<'a> {
    resources: BTreeMap<&'a str, Resource<'a>>,
    /// The node of each resource that has one.
    nodes: BTreeMap<&'a str, usize>,
    /// The nodes that are not resources, by their label.
    others: BTreeMap<String, usize>,
    graph: Graph,
    edges: BTreeMap<(usize, usize), BTreeSet<Verb>>,
}

#[derive(Clone, Copy)]
struct Resource<'a> {
    kind: &'a str,
    properties: &'a Json,
}

impl<'a> Reader<'a> {
    fn new(stack: &str, template: &'a Json) -> Self {
        let mut graph = Graph { stack: stack.to_owned(), ..Graph::default() };
        let (mut resources, mut nodes) = (BTreeMap::new(), BTreeMap::new());
        for (id, resource) in template["Resources"].as_object().into_iter().flatten() {
            let kind = resource["Type"].as_str().unwrap_or_default();
            let properties = &resource["Properties"];
            resources.insert(id.as_str(), Resource { kind, properties });
            if let Role::Node(column, words) = kinds::role(kind) {
                nodes.insert(id.as_str(), graph.nodes.len());
                graph.nodes.push(Node { label: id.clone(), kind: describe(kind, words, properties), column });
            }
        }
        Self { resources, nodes, others: BTreeMap::new(), graph, edges: BTreeMap::new() }
    }

    fn resource(&mut self, id: &str, Resource { kind, properties }: Resource<'_>) {
        let this = self.owners(id, DEEPEST);
        match kind {
            "AWS::ApiGateway::Method" => {
                if properties["Integration"]["Type"] != "MOCK" {
                    let caller = caller(&properties["AuthorizationType"], properties["ApiKeyRequired"] == true);
                    self.person(caller, &this);
                }
                self.connect(&this, &properties["Integration"]["Uri"], Verb::Calls);
            }
            "AWS::ApiGatewayV2::Route" => {
                // After connecting, a WebSocket sends messages without being asked who it is again.
                let key = properties["RouteKey"].as_str().unwrap_or_default();
                if key == "$connect" || key.contains('/') || key == "$default" && !self.has_connect() {
                    self.person(caller(&properties["AuthorizationType"], false), &this);
                }
            }
            "AWS::ApiGatewayV2::Integration" => self.connect(&this, &properties["IntegrationUri"], Verb::Calls),
            "AWS::ApiGateway::Authorizer" | "AWS::ApiGatewayV2::Authorizer" => {
                for property in ["AuthorizerUri", "ProviderARNs", "JwtConfiguration"] {
                    self.connect(&this, &properties[property], Verb::Calls);
                }
            }
            "AWS::Athena::DataCatalog" => {
                self.person("Athena users", &this);
                self.connect(&this, properties, Verb::Calls);
            }
            "AWS::Athena::WorkGroup" => self.connect(&this, properties, Verb::Writes),
            "AWS::CloudFront::Distribution" => {
                self.person("People with a browser", &this);
                self.connect(&this, &properties["DistributionConfig"]["Origins"], Verb::Reads);
            }
            "AWS::Cognito::UserPool" => self.connect(&this, &properties["LambdaConfig"], Verb::Triggers),
            "AWS::Events::Rule" => {
                self.connect_from(&properties["EventPattern"], &this, Verb::Triggers);
                self.connect_from(&properties["EventBusName"], &this, Verb::Triggers);
                for target in properties["Targets"].as_array().into_iter().flatten() {
                    self.target(&this, target);
                }
            }
            "AWS::IAM::ManagedPolicy" | "AWS::IAM::Policy" => {
                for role in names_in(&properties["Roles"]) {
                    let holders = self.holders(role);
                    self.rights(&holders, &properties["PolicyDocument"]);
                }
            }
            "AWS::IAM::Role" => {
                let holders = self.holders(id);
                for policy in properties["Policies"].as_array().into_iter().flatten() {
                    self.rights(&holders, &policy["PolicyDocument"]);
                }
            }
            "AWS::Lambda::EventInvokeConfig" => {
                let destinations = &properties["DestinationConfig"];
                self.connect(&this, &destinations["OnFailure"], Verb::FailsTo);
                self.connect(&this, &destinations["OnSuccess"], Verb::Triggers);
            }
            "AWS::Lambda::EventSourceMapping" => {
                let function = self.nodes_in(&properties["FunctionName"]);
                self.connect_from(&properties["EventSourceArn"], &function, Verb::Triggers);
                self.connect(&function, &properties["DestinationConfig"], Verb::FailsTo);
            }
            "AWS::Lambda::Function" => self.connect(&this, &properties["DeadLetterConfig"], Verb::FailsTo),
            "AWS::Lambda::Permission" => self.permission(properties),
            "AWS::QuickSight::Dashboard" => {
                self.person("Dashboard readers", &this);
                self.connect(&this, properties, Verb::Reads);
            }
            "AWS::QuickSight::DataSet" => self.connect(&this, properties, Verb::Reads),
            "AWS::QuickSight::DataSource" => {
                self.connect(&this, properties, Verb::Reads);
                let database = properties["Type"].as_str().unwrap_or_default().to_lowercase();
                let database = self.other(&rights::service(&database), "", Column::Services);
                self.join(&this, &[database].into(), Verb::Reads);
            }
            "AWS::S3::Bucket" => self.connect(&this, &properties["NotificationConfiguration"], Verb::Triggers),
            "AWS::SNS::Subscription" => self.subscription(properties),
            "AWS::SQS::Queue" => self.connect(&this, &properties["RedrivePolicy"], Verb::FailsTo),
            "AWS::Scheduler::Schedule" => self.target(&this, &properties["Target"]),
            "AWS::SecretsManager::RotationSchedule" => {
                self.connect(&this, &properties["RotationLambdaARN"], Verb::Triggers);
            }
            _ if kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource" => {
                let deployment = self.other("Each deployment", "CloudFormation", Column::WaysIn);
                self.connect(&[deployment].into(), &properties["ServiceToken"], Verb::Triggers);
            }
            _ if matches!(kinds::role(kind), Role::Node(Column::Services, _)) => {
                self.connect(&this, properties, Verb::Uses);
            }
            _ => {}
        }
    }

    /// Whoever has this role: the resources that name it as theirs, or whom it trusts.
    fn holders(&mut self, role: &str) -> BTreeSet<usize> {
        let mut holders = self.owners(role, DEEPEST);
        let trust = self.resources.get(role).map(|role| &role.properties["AssumeRolePolicyDocument"]);
        if let (true, Some(trust)) = (holders.is_empty(), trust) {
            for principal in statements(trust).flat_map(|statement| texts(&statement["Principal"]["Service"])) {
                holders.extend(self.principal(principal));
            }
        }
        holders
    }

    fn rights(&mut self, holders: &BTreeSet<usize>, document: &Json) {
        for statement in statements(document).filter(|statement| statement["Effect"] != "Deny") {
            for action in texts(&statement["Action"]) {
                let (Some(verb), Some((service, _))) = (rights::verb(action), action.split_once(':')) else { continue };
                for resource in items(&statement["Resource"]) {
                    let mut targets = self.nodes_in(resource);
                    if targets.is_empty() && !names_a_part(&self.resources, resource) {
                        targets.insert(self.outside(service, resource));
                    }
                    self.join(holders, &targets, verb);
                }
            }
        }
    }

    /// The node for something that belongs to a service but not to this stack.
    fn outside(&mut self, service: &str, resource: &Json) -> usize {
        let bucket = text(resource).and_then(|arn| arn.split(":s3:::").nth(1)).and_then(|name| name.split('/').next());
        match bucket {
            Some(name) if !name.is_empty() && !name.contains(['*', '$']) => {
                self.other(name, "another account's S3 bucket", Column::Services)
            }
            _ => self.other(&rights::service(service), "", Column::Services),
        }
    }

    /// What a rule or schedule starts, and where it sends what could not be started.
    fn target(&mut self, this: &BTreeSet<usize>, target: &Json) {
        self.connect(this, &target["Arn"], Verb::Triggers);
        self.connect(this, &target["DeadLetterConfig"], Verb::FailsTo);
    }

    fn permission(&mut self, properties: &Json) {
        let Some(principal) = properties["Principal"].as_str() else { return };
        let callers: BTreeSet<_> = self.principal(principal).into_iter().collect();
        let function = self.nodes_in(&properties["FunctionName"]);
        self.join(&callers, &function, Verb::Calls);
    }

    /// The node of a service that acts on its own account, unless its resources are in the picture anyway.
    fn principal(&mut self, principal: &str) -> Option<usize> {
        let service = principal.split('.').next().unwrap_or(principal);
        let drawn = DRAWN_BY_THEIR_OWN_RESOURCES.contains(&service);
        (!drawn).then(|| self.other(&rights::service(service), "", Column::Services))
    }

    fn subscription(&mut self, properties: &Json) {
        let topic = self.nodes_in(&properties["TopicArn"]);
        if matches!(properties["Protocol"].as_str(), Some("email" | "email-json" | "sms")) {
            let reader = self.other("Subscribers", "by mail or text message", Column::People);
            return self.join(&topic, &[reader].into(), Verb::Triggers);
        }
        self.connect(&topic, &properties["Endpoint"], Verb::Triggers);
    }

    fn has_connect(&self) -> bool {
        self.resources.values().any(|resource| resource.properties["RouteKey"] == "$connect")
    }

    fn person(&mut self, who: &str, way_in: &BTreeSet<usize>) {
        let person = self.other(who, "", Column::People);
        self.join(&[person].into(), way_in, Verb::Calls);
    }

    fn other(&mut self, label: &str, kind: &str, column: Column) -> usize {
        if let Some(node) = self.others.get(label) {
            return *node;
        }
        let node = self.graph.nodes.len();
        self.graph.nodes.push(Node { label: label.to_owned(), kind: kind.to_owned(), column });
        self.others.insert(label.to_owned(), node);
        node
    }

    /// Draws an edge to every node that `to` refers to.
    fn connect(&mut self, from: &BTreeSet<usize>, to: &Json, verb: Verb) {
        let to = self.nodes_in(to);
        self.join(from, &to, verb);
    }

    fn connect_from(&mut self, from: &Json, to: &BTreeSet<usize>, verb: Verb) {
        let from = self.nodes_in(from);
        self.join(&from, to, verb);
    }

    fn join(&mut self, from: &BTreeSet<usize>, to: &BTreeSet<usize>, verb: Verb) {
        for (from, to) in from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))) {
            if from != to {
                self.edges.entry((from, to)).or_default().insert(verb);
            }
        }
    }

    /// The nodes that these properties refer to.
    fn nodes_in(&self, json: &Json) -> BTreeSet<usize> {
        self.nodes_within(json, DEEPEST)
    }

    fn nodes_within(&self, json: &Json, depth: usize) -> BTreeSet<usize> {
        // Something that several nodes use is not one of them: to use the same role is not to use each other.
        let shared =
            |id: &str| self.resources.get(id).is_some_and(|resource| kinds::role(resource.kind) == Role::PartOfUser);
        names_in(json).into_iter().filter(|id| !shared(id)).flat_map(|id| self.owners(id, depth)).collect()
    }

    /// The nodes that a resource belongs to: itself, or what it is a part of.
    fn owners(&self, id: &str, depth: usize) -> BTreeSet<usize> {
        if let Some(node) = self.nodes.get(id) {
            return [*node].into();
        }
        let (Some(resource), Some(depth)) = (self.resources.get(id), depth.checked_sub(1)) else {
            return BTreeSet::new();
        };
        match kinds::role(resource.kind) {
            Role::PartOf(properties) => properties
                .iter()
                .flat_map(|property| self.nodes_within(&resource.properties[*property], depth))
                .collect(),
            Role::PartOfUser => self.users(id, depth),
            Role::Node(..) | Role::Hidden => BTreeSet::new(),
        }
    }

    /// The nodes of the resources that refer to this one.
    fn users(&self, id: &str, depth: usize) -> BTreeSet<usize> {
        let is_role = self.resources[id].kind == "AWS::IAM::Role";
        let others = self.resources.iter().filter(|(other, _)| **other != id);
        let users = others.filter(|(_, other)| uses(other.properties, id, is_role));
        users.flat_map(|(user, _)| self.owners(user, depth)).collect()
    }

    fn finish(self) -> Graph {
        let Self { mut graph, mut edges, .. } = self;
        for verbs in edges.values_mut() {
            // A schedule has the right to call what it triggers, and a function that to write to its dead-letter queue.
            if verbs.contains(&Verb::Triggers) {
                verbs.remove(&Verb::Calls);
            }
            if verbs.contains(&Verb::FailsTo) {
                verbs.remove(&Verb::Writes);
            }
        }
        // What starts work sends failures to the same queue as the function that does it; the lines would only hide others.
        let starts_work = |node: usize| graph.nodes[node].column == Column::WaysIn;
        edges.retain(|(from, _), verbs| !(starts_work(*from) && verbs.contains(&Verb::FailsTo)));
        graph.edges = edges.into_iter().map(|((from, to), verbs)| Edge { from, to, verbs }).collect();
        gather::alike(without_loose_services(graph))
    }
}

/// A service that nothing is known to use explains nothing.
fn without_loose_services(graph: Graph) -> Graph {
    let connected: BTreeSet<_> = graph.edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
    let stays = |node: usize| graph.nodes[node].column != Column::Services || connected.contains(&node);
    let mut new = Vec::new();
    let mut next = 0;
    for node in 0..graph.nodes.len() {
        new.push(stays(node).then_some(next));
        next += usize::from(stays(node));
    }
    graph.keep(|node| new[node])
}

/// Whether a resource uses the other one. A role is used only where a property is called after it: a policy may mention a role
/// that belongs to somebody else.
fn uses(properties: &Json, id: &str, is_role: bool) -> bool {
    match properties {
        Json::Object(map) if is_role => map.iter().any(|(key, value)| {
            let named = ["Role", "RoleArn", "RoleARN", "Credentials", "CredentialsArn"];
            if named.iter().any(|name| key.ends_with(name)) { refers(value, id) } else { uses(value, id, true) }
        }),
        Json::Array(items) if is_role => items.iter().any(|item| uses(item, id, true)),
        _ if is_role => false,
        _ => refers(properties, id),
    }
}

fn refers(json: &Json, id: &str) -> bool {
    names_in(json).contains(&id)
}

/// Whether it is a resource of this template that is not drawn, such as a log group.
fn names_a_part(resources: &BTreeMap<&str, Resource<'_>>, json: &Json) -> bool {
    names_in(json).iter().any(|name| resources.contains_key(name))
}

/// Every name that it refers to.
fn names_in(json: &Json) -> Vec<&str> {
    let mut names = Vec::new();
    references(json, &mut |reference| names.push(reference.name()));
    names
}

fn describe(kind: &str, words: &str, properties: &Json) -> String {
    match properties["ProtocolType"].as_str() {
        Some("WEBSOCKET") => "WebSocket API".to_owned(),
        Some("HTTP") => "HTTP API".to_owned(),
        _ if words.is_empty() => kinds::unknown(kind),
        _ => words.to_owned(),
    }
}

/// Who may call a method or route that asks for this authorization.
fn caller(authorization: &Json, api_key: bool) -> &'static str {
    match authorization.as_str() {
        _ if api_key => "Programs with an API key",
        Some("COGNITO_USER_POOLS" | "JWT") => "People who signed in",
        Some("AWS_IAM") => "Callers with an IAM role",
        Some("CUSTOM") => "Callers with a token",
        _ => "All who have the address",
    }
}

fn statements(document: &Json) -> impl Iterator<Item = &Json> {
    items(&document["Statement"])
}

/// The items of a list, or the one value that may be written instead of a list.
fn items(json: &Json) -> impl Iterator<Item = &Json> {
    let list = json.as_array();
    let single = list.is_none().then_some(json);
    list.into_iter().flatten().chain(single)
}

fn texts(json: &Json) -> impl Iterator<Item = &str> {
    items(json).filter_map(Json::as_str)
}

/// A text, or the text of a `Fn::Sub`.
fn text(json: &Json) -> Option<&str> {
    let sub = &json["Fn::Sub"];
    json.as_str().or(sub.as_str()).or(sub[0].as_str())
}
