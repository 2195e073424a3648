//! A small CloudFormation, S3 and STS that answer over HTTP as the real services do.
//!
//! An operation takes two polls: the first sees it in progress, the second sees it complete.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::fake_json::{self, Items};

pub(crate) const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";

/// What a test sets up, and what it checks afterwards.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) stacks: BTreeMap<String, FakeStack>,
    /// Bucket to keys. `versions` are listed and deleted, but not read.
    pub(crate) buckets: BTreeMap<String, BTreeSet<String>>,
    /// SHA-256 checksums of objects, in base64, by key.
    pub(crate) checksums: BTreeMap<String, String>,
    pub(crate) versions: Vec<(String, String)>,
    /// The next change set contains no changes.
    pub(crate) no_changes: bool,
    /// Every change set fails for this reason.
    pub(crate) refused_change_set: Option<&'static str>,
    /// Pages of events that a change set has, in XML.
    pub(crate) validation: Vec<String>,
    /// No change set is ever ready.
    pub(crate) slow_change_set: bool,
    /// XML of the changes that a change set reports.
    pub(crate) changes: String,
    /// A resource that fails in the next operation, and why; without a resource, the stack rolls back for this reason.
    pub(crate) failing: Option<(&'static str, &'static str)>,
    /// Errors for the next calls of an action, before it works again: status and code.
    pub(crate) refusals: HashMap<&'static str, Vec<(u16, &'static str)>>,
    /// Every call: the action and the stack, if there is one; method and path for S3.
    pub(crate) calls: Vec<String>,
    /// The last request of each action.
    pub(crate) requests: HashMap<String, HashMap<String, String>>,
    pub(crate) put_headers: HeaderMap,
    pub(crate) listed_page_size: usize,
    /// Bodies of the requests that updated functions' code.
    pub(crate) swapped: Vec<String>,
    /// How many more times a function reports that it is being updated.
    pub(crate) busy_functions: u32,
    /// Answers of services that speak JSON, by operation; other operations are denied.
    pub(crate) described: HashMap<&'static str, serde_json::Value>,
    /// The platform's table of QuickSight slots, by key.
    pub(crate) slots: Items,
    /// Items that somebody else writes to it after it was read.
    pub(crate) taken_meanwhile: Items,
    /// ARNs and tags of resources with tags.
    pub(crate) tagged: Vec<(&'static str, Vec<(&'static str, &'static str)>)>,
    /// Operations of services that speak JSON that the caller may not call.
    pub(crate) refused_json: Vec<&'static str>,
    /// Types and IDs of resources that are in no stack.
    pub(crate) outside: Vec<(&'static str, &'static str)>,
    /// Resources that were changed by hand.
    pub(crate) drifted: Vec<&'static str>,
}

#[derive(Default, Clone)]
pub(crate) struct FakeStack {
    pub(crate) status: String,
    pub(crate) next_status: Option<String>,
    pub(crate) template: String,
    pub(crate) resources: Vec<(&'static str, &'static str, &'static str)>,
    pub(crate) events: Vec<String>,
    pub(crate) outputs: Vec<(&'static str, &'static str)>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// By ID; the stack gets the requested values only when a change set is executed.
    pub(crate) change_sets: BTreeMap<String, HashMap<String, String>>,
}

pub(crate) type Shared = Arc<Mutex<Fake>>;

/// One change of a change set, for [`Fake::changes`]; empty values are left out.
pub(crate) fn change(action: &str, id: &str, kind: &str, replacement: &str, policy: &str) -> String {
    let element = |name: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!("<{name}>{text}</{name}>") }
    };
    let parts = [
        element("PolicyAction", policy),
        element("Action", action),
        element("LogicalResourceId", id),
        element("ResourceType", kind),
        element("Replacement", replacement),
    ];
    format!("<member><Type>Resource</Type><ResourceChange>{}</ResourceChange></member>", parts.concat())
}

/// A change of properties, and of attributes such as `Tags`: in place, or with `replacement`.
pub(crate) fn modification(id: &str, kind: &str, replacement: &str, policy: &str, of: &[&str]) -> String {
    let detail = |name: &&str| {
        let target = match *name {
            "Tags" | "DeletionPolicy" => format!("<Attribute>{name}</Attribute>"),
            name => format!("<Attribute>Properties</Attribute><Name>{name}</Name>"),
        };
        format!("<member><Target>{target}</Target></member>")
    };
    let details: String = of.iter().map(detail).collect();
    let change = change("Modify", id, kind, replacement, policy);
    change.replace("</ResourceChange>", &format!("<Details>{details}</Details></ResourceChange>"))
}

/// Starts the fake, which stops with the test's runtime.
pub(crate) async fn start(fake: Fake) -> (String, Shared) {
    let shared = Arc::new(Mutex::new(fake));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (endpoint, shared)
}

async fn answer(State(shared): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut fake = shared.lock().unwrap();
    // The quotas of services that are the same in all regions are in one of them.
    let is_global = headers.get("x-amz-target").is_some_and(|target| target.as_bytes().starts_with(b"ServiceQuotas"));
    // AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …
    let signature = headers.get("authorization").map(|value| value.to_str().unwrap()).unwrap_or_default();
    if signature.split('/').nth(2) != Some(REGION) && !is_global {
        return error(403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region.");
    }
    if let Some(operation) = headers.get("x-amz-target") {
        return fake_json::answer(&mut fake, operation.to_str().unwrap(), &body);
    }
    if (&method, uri.path()) == (&Method::GET, "/account") {
        fake.calls.push("GetAccount".to_owned());
        return axum::Json(fake.described.get("GetAccount").cloned().unwrap_or_default()).into_response();
    }
    let form = headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form"));
    if !form {
        return s3(&mut fake, &method, &uri, headers, &body);
    }
    let request: HashMap<String, String> =
        axum::extract::Query::try_from_uri(&format!("/?{}", String::from_utf8_lossy(&body)).parse().unwrap())
            .unwrap()
            .0;
    let action = request["Action"].clone();
    let about = stack_name(&request);
    fake.calls.push(if about.is_empty() { action.clone() } else { format!("{action} {about}") });
    if let Some(refusals) = fake.refusals.get_mut(action.as_str()).filter(|refusals| !refusals.is_empty()) {
        let (status, code) = refusals.remove(0);
        return error(status, code, "the fake was told to refuse");
    }
    let result = cloudformation(&mut fake, &action, &request);
    fake.requests.insert(action.clone(), request);
    match result {
        Ok(result) => xml(&format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>")),
        Err(response) => response,
    }
}

#[expect(clippy::result_large_err, reason = "there is one answer per request")]
fn cloudformation(fake: &mut Fake, action: &str, request: &HashMap<String, String>) -> Result<String, Response> {
    if action == "GetCallerIdentity" {
        return Ok(format!("<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/tester</Arn>"));
    }
    let name = stack_name(request);
    let id = stack_id(&name);
    let absent = || error(400, "ValidationError", &format!("Stack with id {name} does not exist"));
    match action {
        // Two per page.
        "DescribeStacks" if name.is_empty() => {
            let after = request.get("NextToken").cloned().unwrap_or_default();
            let left: Vec<_> = fake.stacks.iter().filter(|(name, _)| **name > after).collect();
            let page = &left[..left.len().min(2)];
            let members: String = page.iter().map(|(name, stack)| described(stack, &stack_id(name), name)).collect();
            let next = match page.last() {
                Some((name, _)) if page.len() < left.len() => format!("<NextToken>{name}</NextToken>"),
                _ => String::new(),
            };
            Ok(format!("<Stacks>{members}</Stacks>{next}"))
        }
        "DescribeStacks" => {
            let by_id = request["StackName"].starts_with("arn:");
            let stack = fake.stacks.get_mut(&name).filter(|stack| by_id || stack.status != "DELETE_COMPLETE");
            let stack = stack.ok_or_else(absent)?;
            let member = described(stack, &id, &name);
            go_on(stack, &id, &name);
            Ok(format!("<Stacks>{member}</Stacks>"))
        }
        "CreateChangeSet" => {
            let stack = fake.stacks.entry(name.clone()).or_default();
            let kind = request["ChangeSetType"].as_str();
            let exists = !matches!(stack.status.as_str(), "" | "DELETE_COMPLETE" | "REVIEW_IN_PROGRESS");
            assert_eq!(kind, if exists { "UPDATE" } else { "CREATE" }, "the kind must fit the stack");
            if !exists {
                *stack = FakeStack { change_sets: std::mem::take(&mut stack.change_sets), ..FakeStack::default() };
                stack.status = "REVIEW_IN_PROGRESS".into();
                stack.events = vec![event(&id, &name, &id, "AWS::CloudFormation::Stack", "REVIEW_IN_PROGRESS", "")];
            }
            let change_set = format!("arn:change-set/{name}/{}", request["ChangeSetName"]);
            stack.change_sets.insert(change_set.clone(), request.clone());
            Ok(format!("<Id>{change_set}</Id><StackId>{id}</StackId>"))
        }
        "DescribeChangeSet" if fake.slow_change_set => Ok("<Status>CREATE_IN_PROGRESS</Status>".into()),
        "DescribeChangeSet" if fake.no_changes => Ok(
            "<Status>FAILED</Status><StatusReason>The submitted information didn't contain changes. Submit different \
             information to create a change set.</StatusReason>"
                .into(),
        ),
        "DescribeChangeSet" if fake.refused_change_set.is_some() => Ok(format!(
            "<Status>FAILED</Status><StatusReason>{}</StatusReason>",
            fake.refused_change_set.unwrap_or_default()
        )),
        "DescribeChangeSet" => Ok(format!("<Status>CREATE_COMPLETE</Status><Changes>{}</Changes>", fake.changes)),
        "ExecuteChangeSet" => {
            let failing = fake.failing.take();
            let stack = fake.stacks.get_mut(&name).expect("only existing change sets are executed");
            let wanted = stack.change_sets.remove(&request["ChangeSetName"]).expect("a change set is executed once");
            stack.change_sets.clear();
            stack.template = wanted.get("TemplateBody").cloned().unwrap_or_default();
            let kept = std::mem::take(&mut stack.parameters);
            let previous = |key: &String| kept[key].clone();
            stack.parameters = members(&wanted, "Parameters", "ParameterKey", "ParameterValue", previous);
            if wanted.keys().any(|key| key.starts_with("Tags.")) {
                stack.tags = members(&wanted, "Tags", "Key", "Value", |_| String::new());
            }
            let verb = if stack.status == "REVIEW_IN_PROGRESS" { "CREATE" } else { "UPDATE" };
            begin(stack, &id, &name, verb, failing);
            stack.outputs = vec![("Url", "https://example.test")];
            Ok(String::new())
        }
        "ContinueUpdateRollback" => {
            let failing = fake.failing.take();
            let stack = fake.stacks.get_mut(&name).ok_or_else(absent)?;
            begin(stack, &id, &name, "UPDATE_ROLLBACK", failing);
            Ok(String::new())
        }
        "DeleteStack" => {
            let failing = fake.failing.take();
            let stack = fake.stacks.get_mut(&name).ok_or_else(absent)?;
            begin(stack, &id, &name, "DELETE", failing);
            Ok(String::new())
        }
        "DescribeStackEvents" => {
            let stack = fake.stacks.get_mut(&name).ok_or_else(absent)?;
            let events = stack.events.concat();
            go_on(stack, &id, &name);
            Ok(format!("<StackEvents>{events}</StackEvents>"))
        }
        "ListStackResources" => {
            let member = |(id, kind, physical): &(&str, &str, &str)| {
                format!(
                    "<member><LogicalResourceId>{id}</LogicalResourceId><ResourceType>{kind}</ResourceType>\
                     <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
                )
            };
            let members: String = fake.stacks[&name].resources.iter().map(member).collect();
            Ok(format!("<StackResourceSummaries>{members}</StackResourceSummaries>"))
        }
        "ListChangeSets" => {
            let ids = fake.stacks.get(&name).ok_or_else(absent)?.change_sets.keys();
            let members: String = ids
                .map(|id| format!("<member><ChangeSetId>{id}</ChangeSetId><Status>CREATE_COMPLETE</Status></member>"))
                .collect();
            Ok(format!("<Summaries>{members}</Summaries>"))
        }
        "DescribeEvents" => {
            let at: usize = request.get("NextToken").map_or(0, |token| token.parse().unwrap());
            let page = fake.validation.get(at).cloned().unwrap_or_default();
            let more = at + 1 < fake.validation.len();
            let next = if more { format!("<NextToken>{}</NextToken>", at + 1) } else { String::new() };
            Ok(format!("<OperationEvents>{page}</OperationEvents>{next}"))
        }
        "DetectStackDrift" => Ok("<StackDriftDetectionId>1</StackDriftDetectionId>".into()),
        "DescribeStackDriftDetectionStatus" => Ok("<DetectionStatus>DETECTION_COMPLETE</DetectionStatus>".into()),
        "DescribeStackResourceDrifts" => {
            let member = |id: &&str| {
                format!(
                    "<member><LogicalResourceId>{id}</LogicalResourceId><StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus></member>"
                )
            };
            let members: String = fake.drifted.iter().map(member).collect();
            Ok(format!("<StackResourceDrifts>{members}</StackResourceDrifts>"))
        }
        "GetTemplate" => Ok(format!("<TemplateBody>{}</TemplateBody>", escape(&fake.stacks[&name].template))),
        "DeleteChangeSet" => {
            let stack = fake.stacks.get_mut(&name).ok_or_else(absent)?;
            // By ID, or by name.
            stack.change_sets.retain(|id, _| !id.ends_with(&request["ChangeSetName"]));
            Ok(String::new())
        }
        other => Err(error(400, "InvalidAction", other)),
    }
}

fn described(stack: &FakeStack, id: &str, name: &str) -> String {
    let output = |(key, value): &(&str, &str)| {
        format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
    };
    let outputs: String = stack.outputs.iter().map(output).collect();
    let (parameters, tags) = (pairs("Parameter", &stack.parameters), pairs("", &stack.tags));
    let template: serde_json::Value = serde_json::from_str(&stack.template).unwrap_or_default();
    let description = template["Description"].as_str().unwrap_or_default();
    format!(
        "<member><StackName>{name}</StackName><StackId>{id}</StackId><StackStatus>{}</StackStatus>\
         <Description>{description}</Description><Parameters>{parameters}</Parameters><Tags>{tags}</Tags><Outputs>{outputs}</Outputs></member>",
        stack.status
    )
}

fn pairs(prefix: &str, values: &BTreeMap<String, String>) -> String {
    let member = |(key, value)| {
        format!("<member><{prefix}Key>{key}</{prefix}Key><{prefix}Value>{value}</{prefix}Value></member>")
    };
    values.iter().map(member).collect()
}

/// The members of a list in the query protocol; `previous` gives the value of one that is to keep it.
fn members(
    request: &HashMap<String, String>,
    list: &str,
    key: &str,
    value: &str,
    previous: impl Fn(&String) -> String,
) -> BTreeMap<String, String> {
    let keys = (1..).map_while(|n| {
        let member = format!("{list}.member.{n}");
        Some((request.get(&format!("{member}.{key}"))?, request.get(&format!("{member}.{value}"))))
    });
    keys.map(|(key, value)| (key.clone(), value.cloned().unwrap_or_else(|| previous(key)))).collect()
}

/// Starts an operation: a resource event now, the end at the next poll.
fn begin(stack: &mut FakeStack, id: &str, name: &str, verb: &str, failing: Option<(&str, &str)>) {
    let mut happen = |logical: &str, physical: &str, kind: &str, status: &str, reason: &str| {
        stack.events.insert(0, event(id, logical, physical, kind, status, reason));
    };
    happen(name, id, "AWS::CloudFormation::Stack", &format!("{verb}_IN_PROGRESS"), "");
    stack.next_status = Some(match failing {
        None => {
            happen("Ping", "ping-1", "AWS::Lambda::Function", &format!("{verb}_COMPLETE"), "");
            format!("{verb}_COMPLETE")
        }
        Some(("", reason)) => {
            happen(name, id, "AWS::CloudFormation::Stack", &format!("{verb}_ROLLBACK_IN_PROGRESS"), reason);
            format!("{verb}_ROLLBACK_COMPLETE")
        }
        Some((resource, reason)) => {
            let failed = format!("{}_FAILED", verb.trim_end_matches("_ROLLBACK"));
            happen("Other", "", "AWS::SQS::Queue", &failed, "Resource creation cancelled");
            happen(resource, "", "AWS::IAM::Role", &failed, reason);
            happen("Later", "", "AWS::SQS::Queue", &failed, "a consequence");
            match verb {
                "CREATE" => "ROLLBACK_COMPLETE".into(),
                "UPDATE" => "UPDATE_ROLLBACK_COMPLETE".into(),
                "UPDATE_ROLLBACK" => "UPDATE_ROLLBACK_FAILED".into(),
                _ => "DELETE_FAILED".into(),
            }
        }
    });
    stack.status = format!("{verb}_IN_PROGRESS");
}

/// Completes the operation that is under way.
fn go_on(stack: &mut FakeStack, id: &str, name: &str) {
    if let Some(next) = stack.next_status.take() {
        stack.events.insert(0, event(id, name, id, "AWS::CloudFormation::Stack", &next, ""));
        stack.status = next;
    }
}

fn event(stack_id: &str, logical: &str, physical: &str, kind: &str, status: &str, reason: &str) -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let event_id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!(
        "<member><EventId>{event_id}</EventId><StackId>{stack_id}</StackId><LogicalResourceId>{logical}</LogicalResourceId>\
         <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
         <ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason></member>"
    )
}

fn s3(fake: &mut Fake, method: &Method, uri: &Uri, headers: HeaderMap, body: &Bytes) -> Response {
    let path = uri.path().trim_matches('/').to_owned();
    if path.starts_with("2015-03-31/functions/") {
        fake.calls.push(format!("{method} {path}"));
        if fake.busy_functions > 0 && *method == Method::PUT {
            fake.busy_functions -= 1;
            let code = [("x-amzn-errortype", "ResourceConflictException"), ("content-type", "application/json")];
            return (StatusCode::CONFLICT, code, r#"{"message":"an update is in progress"}"#).into_response();
        }
        fake.swapped.extend((*method == Method::PUT).then(|| String::from_utf8_lossy(body).into_owned()));
        return ([("content-type", "application/json")], r#"{"LastUpdateStatus":"Successful"}"#).into_response();
    }
    let query = uri.query().unwrap_or_default();
    fake.calls.push(format!("{method} {path}"));
    let (bucket, key) = path.split_once('/').unwrap_or((path.as_str(), ""));
    let Some(keys) = fake.buckets.get_mut(bucket) else { return StatusCode::NOT_FOUND.into_response() };
    if *method == Method::HEAD {
        if !key.is_empty() && !keys.contains(key) {
            return StatusCode::NOT_FOUND.into_response();
        }
        let wanted = headers.contains_key("x-amz-checksum-mode");
        let checksum = fake.checksums.get(key).filter(|_| wanted).map(|sum| [("x-amz-checksum-sha256", sum.clone())]);
        return match checksum {
            Some(headers) => (StatusCode::OK, headers).into_response(),
            None => StatusCode::OK.into_response(),
        };
    }
    if *method == Method::PUT {
        keys.insert(key.to_owned());
        // In a header, or behind the body; the fake computes it as S3 would.
        fake.checksums.insert(key.to_owned(), checksum(&headers, body));
        fake.put_headers = headers;
        return StatusCode::OK.into_response();
    }
    if query.contains("versions") {
        if let Some((status, code)) = fake.refusals.get_mut("ListObjectVersions").and_then(Vec::pop) {
            let body = format!("<Error><Code>{code}</Code><Message>the fake was told to refuse</Message></Error>");
            return (StatusCode::from_u16(status).unwrap(), body).into_response();
        }
        let after =
            query.split('&').find_map(|parameter| parameter.strip_prefix("version-id-marker=")).unwrap_or_default();
        let left: Vec<_> = fake.versions.iter().filter(|(_, version)| version.as_str() > after).collect();
        let page = &left[..left.len().min(fake.listed_page_size.max(1))];
        let member = |(key, version): &&(String, String)| {
            format!("<Version><Key>{key}</Key><VersionId>{version}</VersionId><Size>7</Size></Version>")
        };
        let members: String = page.iter().map(member).collect();
        let next = match page.last() {
            Some((key, version)) if page.len() < left.len() => format!(
                "<IsTruncated>true</IsTruncated><NextKeyMarker>{key}</NextKeyMarker><NextVersionIdMarker>{version}</NextVersionIdMarker>"
            ),
            _ => String::new(),
        };
        return xml(&format!("<ListVersionsResult>{next}{members}</ListVersionsResult>"));
    }
    let wanted = String::from_utf8_lossy(body).into_owned();
    fake.versions.retain(|(_, version)| !wanted.contains(&format!("<VersionId>{version}</VersionId>")));
    xml("<DeleteResult></DeleteResult>")
}

/// The checksum that came with an object: in a header, or in the last line of a body in chunks.
fn checksum(headers: &HeaderMap, body: &Bytes) -> String {
    let header = headers.get("x-amz-checksum-sha256").map(|sum| sum.to_str().unwrap().to_owned());
    header.unwrap_or_else(|| {
        let body = String::from_utf8_lossy(body);
        body.split("x-amz-checksum-sha256:").nth(1).unwrap_or_default().trim().to_owned()
    })
}

/// The stack that a request is about: by name, by ID, or by a change set's ID.
fn stack_name(request: &HashMap<String, String>) -> String {
    let text = request.get("StackName").or_else(|| request.get("ChangeSetName")).cloned().unwrap_or_default();
    text.split('/').nth(1).map(str::to_owned).unwrap_or(text)
}

fn stack_id(name: &str) -> String {
    format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/1")
}

fn error(status: u16, code: &str, message: &str) -> Response {
    let body = format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>");
    (StatusCode::from_u16(status).unwrap(), [("content-type", "text/xml")], body).into_response()
}

fn xml(body: &str) -> Response {
    (StatusCode::OK, [("content-type", "text/xml")], body.to_owned()).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
