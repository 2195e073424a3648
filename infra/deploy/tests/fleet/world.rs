//! A CloudFormation with a clock, a memory for tokens and a bad network, and an S3 that only stores objects.
//!
//! It counts what may happen only once: how often a stack was created.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use loopback::{Answer, Request, reply};
use tokio::time::Instant;

/// How many of a thousand requests go wrong.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Throttled, without effect.
    pub(crate) throttled: u32,
    /// A server error or a lost connection, before the request takes effect.
    pub(crate) unheard: u32,
    /// The same, after it took effect.
    pub(crate) unanswered: u32,
    /// Answered up to a minute and a half late.
    pub(crate) slow: u32,
}

impl Faults {
    pub(crate) const MANY: Faults = Faults { throttled: 60, unheard: 40, unanswered: 40, slow: 10 };
}

pub(crate) struct World {
    rng: Rng,
    faults: Faults,
    /// The longest operation.
    pub(crate) longest: Duration,
    pub(crate) stacks: BTreeMap<String, Stack>,
    /// Uploads by key.
    pub(crate) uploads: BTreeMap<String, u32>,
    pub(crate) requests: u64,
    /// How often each action of CloudFormation was requested.
    pub(crate) actions: BTreeMap<String, u32>,
    pub(crate) upsets: u64,
    /// The largest number of stacks that were under way at the same time.
    pub(crate) most_at_once: usize,
    /// The role that CloudFormation was to work with, by stack.
    pub(crate) execution_roles: BTreeMap<String, String>,
    /// Stacks whose creation fails.
    pub(crate) failing: Vec<String>,
    /// Stacks that a policy forbids the caller to change.
    pub(crate) denied: Vec<String>,
    /// Credentials are rejected from this request on.
    pub(crate) shut_out_after: Option<u64>,
}

#[derive(Default)]
pub(crate) struct Stack {
    pub(crate) status: &'static str,
    /// How often its creation was executed.
    pub(crate) creations: u32,
    /// How many change sets were created for its creation.
    pub(crate) asked: u32,
    template: String,
    /// XML, as in descriptions.
    pub(crate) parameters: String,
    pub(crate) tags: String,
    under_way: Option<(Instant, &'static str)>,
    /// XML, the newest first.
    events: Vec<String>,
    change_sets: BTreeMap<String, ChangeSet>,
}

struct ChangeSet {
    token: String,
    template: String,
    parameters: String,
    tags: String,
    ready: Instant,
    executed_by: Option<String>,
}

pub(crate) type Shared = Arc<Mutex<World>>;

/// An action's answer: its XML, or status and code of the error.
type Said = Result<String, (u16, &'static str)>;

impl World {
    pub(crate) fn new(seed: u64, faults: Faults, longest: Duration) -> World {
        World {
            rng: Rng::with_seed(seed),
            faults,
            longest,
            stacks: BTreeMap::new(),
            uploads: BTreeMap::new(),
            requests: 0,
            actions: BTreeMap::new(),
            upsets: 0,
            most_at_once: 0,
            execution_roles: BTreeMap::new(),
            failing: Vec::new(),
            denied: Vec::new(),
            shut_out_after: None,
        }
    }

    /// Stacks whose creation was executed twice, or only asked for by two change sets.
    pub(crate) fn twice(&self) -> usize {
        self.stacks.values().filter(|stack| stack.creations > 1 || stack.asked > 1).count()
    }

    pub(crate) fn complete(&self) -> usize {
        self.stacks.values().filter(|stack| stack.status == "CREATE_COMPLETE").count()
    }
}

/// Serves the world on loopback; returns the endpoint.
pub(crate) async fn serve(world: &Shared) -> String {
    let world = Arc::clone(world);
    let address = loopback::serve(move |request| {
        let world = Arc::clone(&world);
        async move { answer(&world, &request).await }
    });
    format!("http://{}", address.await)
}

enum Upset {
    None,
    Throttled,
    Unheard,
    Unanswered,
    Slow(Duration),
}

pub(crate) async fn answer(world: &Shared, request: &Request) -> Answer {
    let upset = {
        let mut world = world.lock().unwrap();
        world.requests += 1;
        if world.shut_out_after.is_some_and(|requests| world.requests > requests) {
            return refusal(403, "ExpiredToken");
        }
        let upset = roll(&mut world);
        world.upsets += u64::from(!matches!(upset, Upset::None));
        upset
    };
    match upset {
        Upset::Throttled if is_query(request) => return refusal(400, "Throttling"),
        Upset::Throttled => return reply(503, "<Error><Code>SlowDown</Code></Error>"),
        Upset::Unheard => return gone(world),
        Upset::Slow(time) => tokio::time::sleep(time).await,
        Upset::None | Upset::Unanswered => {}
    }
    let said = take(&mut world.lock().unwrap(), request);
    if matches!(upset, Upset::Unanswered) {
        return gone(world);
    }
    said
}

fn roll(world: &mut World) -> Upset {
    let Faults { throttled, unheard, unanswered, slow } = world.faults;
    let mut dice = world.rng.u32(..1000);
    for (share, upset) in [(throttled, Upset::Throttled), (unheard, Upset::Unheard), (unanswered, Upset::Unanswered)] {
        if dice < share {
            return upset;
        }
        dice -= share;
    }
    if dice < slow { Upset::Slow(Duration::from_millis(world.rng.u64(..90_000))) } else { Upset::None }
}

/// No usable answer: a closed connection or a server error.
fn gone(world: &Shared) -> Answer {
    if world.lock().unwrap().rng.bool() { Answer::HangUp } else { refusal(503, "ServiceUnavailable") }
}

fn refusal(status: u16, code: &str) -> Answer {
    reply(status, format!("<ErrorResponse><Error><Code>{code}</Code><Message>{code}</Message></Error></ErrorResponse>"))
}

fn take(world: &mut World, request: &Request) -> Answer {
    if request.header("content-type").starts_with("application/x-amz-json") {
        // The services with lists of what is tagged and of what API Gateway has; there is nothing.
        return reply(200, "{}");
    }
    if !is_query(request) {
        return object(world, request);
    }
    let form: HashMap<String, String> =
        axum::extract::Query::try_from_uri(&format!("/?{}", request.body).parse().unwrap()).unwrap().0;
    let action = form["Action"].clone();
    match act(world, &action, &form) {
        Ok(said) => reply(200, format!("<{action}Response><{action}Result>{said}</{action}Result></{action}Response>")),
        Err((status, "does not exist")) => {
            let message = "<Code>ValidationError</Code><Message>Stack does not exist</Message>";
            reply(status, format!("<ErrorResponse><Error>{message}</Error></ErrorResponse>"))
        }
        Err((status, code)) => refusal(status, code),
    }
}

/// Whether the request is for CloudFormation; other requests are for S3.
fn is_query(request: &Request) -> bool {
    request.header("content-type").starts_with("application/x-www-form")
}

fn object(world: &mut World, request: &Request) -> Answer {
    let key = request.target.split('?').next().unwrap_or_default().trim_start_matches("/assets").trim_matches('/');
    match request.method.as_str() {
        "PUT" => {
            *world.uploads.entry(key.to_owned()).or_default() += 1;
            reply(200, "")
        }
        _ if key.is_empty() => reply(200, ""),
        // Objects are only uploaded under the hash of their contents.
        _ if world.uploads.contains_key(key) => {
            let hash = (0..64).step_by(2).map(|at| u8::from_str_radix(&key[at..at + 2], 16).unwrap());
            let checksum = aws_smithy_types::base64::encode(hash.collect::<Vec<_>>());
            Answer::Reply { status: 200, headers: vec![("x-amz-checksum-sha256", checksum)], body: Vec::new() }
        }
        _ => reply(404, ""),
    }
}

fn act(world: &mut World, action: &str, form: &HashMap<String, String>) -> Said {
    if action == "GetCallerIdentity" {
        return Ok("<Account>111122223333</Account>".to_owned());
    }
    let asked = form.get("StackName").or_else(|| form.get("ChangeSetName")).cloned().unwrap_or_default();
    let name = asked.split('/').nth(1).unwrap_or(&asked).to_owned();
    let id = stack_id(&name);
    if let Some(stack) = world.stacks.get_mut(&name) {
        go_on(stack, &name, &id);
    }
    *world.actions.entry(action.to_owned()).or_default() += 1;
    match action {
        "DescribeStacks" if name.is_empty() => Ok(page_of_stacks(world, form.get("NextToken"))),
        "DescribeStacks" => {
            let stack = world.stacks.get(&name).ok_or((400, "does not exist"))?;
            Ok(format!("<Stacks>{}</Stacks>", described(stack, &name)))
        }
        "DescribeStackEvents" => {
            let stack = world.stacks.get(&name).ok_or((400, "does not exist"))?;
            Ok(format!("<StackEvents>{}</StackEvents>", stack.events.concat()))
        }
        "CreateChangeSet" if world.denied.contains(&name) => Err((403, "AccessDenied")),
        "CreateChangeSet" => create_change_set(world, form, &name, &id),
        "DescribeChangeSet" => {
            let stack = world.stacks.get(&name).ok_or((404, "ChangeSetNotFound"))?;
            describe_change_set(stack, form, &id)
        }
        "ExecuteChangeSet" => execute(world, form, &name, &id),
        "DeleteChangeSet" => {
            let change_set = change_set_name(form);
            world.stacks.get_mut(&name).ok_or((404, "ChangeSetNotFound"))?.change_sets.remove(&change_set);
            Ok(String::new())
        }
        "GetTemplate" => {
            let stack = world.stacks.get(&name).ok_or((400, "does not exist"))?;
            Ok(format!("<TemplateBody>{}</TemplateBody>", stack.template))
        }
        "ListStackResources" => Ok("<StackResourceSummaries></StackResourceSummaries>".to_owned()),
        "DeleteStack" => {
            let stack = world.stacks.get_mut(&name).ok_or((400, "does not exist"))?;
            stack.status = "DELETE_IN_PROGRESS";
            stack.under_way = Some((Instant::now(), "DELETE_COMPLETE"));
            stack.events.insert(0, event(&id, &name, &id, stack.status, ""));
            Ok(String::new())
        }
        _ => Err((400, "InvalidAction")),
    }
}

/// As CloudFormation lists stacks: a hundred at once.
fn page_of_stacks(world: &mut World, after: Option<&String>) -> String {
    let names: Vec<_> = world.stacks.keys().filter(|name| after.is_none_or(|after| *name > after)).cloned().collect();
    let page = &names[..names.len().min(100)];
    for name in page {
        go_on(world.stacks.get_mut(name).unwrap(), name, &stack_id(name));
    }
    let members: String = page.iter().map(|name| described(&world.stacks[name], name)).collect();
    let next = match page.last() {
        Some(last) if page.len() < names.len() => format!("<NextToken>{last}</NextToken>"),
        _ => String::new(),
    };
    format!("<Stacks>{members}</Stacks>{next}")
}

fn described(stack: &Stack, name: &str) -> String {
    format!(
        "<member><StackName>{name}</StackName><StackId>{}</StackId><StackStatus>{}</StackStatus>\
         <Parameters>{}</Parameters><Tags>{}</Tags></member>",
        stack_id(name),
        stack.status,
        stack.parameters,
        stack.tags
    )
}

fn stack_id(name: &str) -> String {
    format!("arn:aws:cloudformation:eu-west-1:111122223333:stack/{name}/1")
}

/// Completes the operation that is under way, once its time has come.
fn go_on(stack: &mut Stack, name: &str, id: &str) {
    if let Some((_, status)) = stack.under_way.filter(|(end, _)| *end <= Instant::now()) {
        stack.under_way = None;
        if status == "ROLLBACK_COMPLETE" {
            stack.events.insert(0, event(id, "Ping", "fn", "CREATE_FAILED", "no such bucket"));
        }
        stack.status = status;
        stack.events.insert(0, event(id, name, id, status, ""));
    }
}

fn create_change_set(world: &mut World, form: &HashMap<String, String>, name: &str, id: &str) -> Said {
    let again = world.rng.bool();
    let ready = Instant::now() + Duration::from_millis(world.rng.u64(..800));
    let stack = world.stacks.entry(name.to_owned()).or_default();
    let change_set = form["ChangeSetName"].clone();
    let said = format!("<Id>arn:change-set/{name}/{change_set}</Id><StackId>{id}</StackId>");
    if let Some(found) = stack.change_sets.get(&change_set) {
        // CloudFormation does not document what it does with a known token in every case: the deployer has to handle both.
        return if found.token == form["ClientToken"] && again {
            Ok(said)
        } else {
            Err((400, "AlreadyExistsException"))
        };
    }
    let expected = match stack.status {
        "" | "REVIEW_IN_PROGRESS" => "CREATE",
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" => "UPDATE",
        _ => return Err((400, "ValidationError")),
    };
    if form["ChangeSetType"] != expected {
        return Err((400, "ValidationError"));
    }
    if stack.status.is_empty() {
        stack.status = "REVIEW_IN_PROGRESS";
        stack.events.insert(0, event(id, name, id, "REVIEW_IN_PROGRESS", ""));
    }
    stack.asked += u32::from(expected == "CREATE");
    let asked = ChangeSet {
        token: form["ClientToken"].clone(),
        template: form["TemplateBody"].clone(),
        parameters: members(form, "Parameters", "Parameter"),
        tags: members(form, "Tags", ""),
        ready,
        executed_by: None,
    };
    stack.change_sets.insert(change_set, asked);
    world.execution_roles.extend(form.get("RoleARN").map(|role| (name.to_owned(), role.clone())));
    Ok(said)
}

/// A list of keys and values from a form, as XML.
fn members(form: &HashMap<String, String>, list: &str, prefix: &str) -> String {
    let member = |number: usize| {
        let [key, value] = ["Key", "Value"].map(|part| form.get(&format!("{list}.member.{number}.{prefix}{part}")));
        let (key, value) = (key?, value?);
        Some(format!("<member><{prefix}Key>{key}</{prefix}Key><{prefix}Value>{value}</{prefix}Value></member>"))
    };
    (1..).map_while(member).collect()
}

fn describe_change_set(stack: &Stack, form: &HashMap<String, String>, id: &str) -> Said {
    let name = change_set_name(form);
    let found = stack.change_sets.get(&name).ok_or((404, "ChangeSetNotFound"))?;
    let status = if found.ready > Instant::now() {
        "<Status>CREATE_IN_PROGRESS</Status>"
    } else if found.executed_by.is_none()
        && (&found.template, &found.parameters, &found.tags) == (&stack.template, &stack.parameters, &stack.tags)
    {
        "<Status>FAILED</Status><StatusReason>The submitted information didn't contain changes.</StatusReason>"
    } else {
        "<Status>CREATE_COMPLETE</Status>"
    };
    let executed = if found.executed_by.is_some() { "EXECUTE_IN_PROGRESS" } else { "AVAILABLE" };
    let stack_name = id.split('/').nth(1).unwrap();
    Ok(format!(
        "{status}<ExecutionStatus>{executed}</ExecutionStatus><StackId>{id}</StackId>\
         <ChangeSetId>arn:change-set/{stack_name}/{name}</ChangeSetId>"
    ))
}

fn execute(world: &mut World, form: &HashMap<String, String>, name: &str, id: &str) -> Said {
    let again = world.rng.bool();
    let end = Instant::now() + world.longest.mul_f64(0.1 + 0.9 * world.rng.f64());
    let fails = world.failing.iter().any(|failing| failing == name);
    let stack = world.stacks.get_mut(name).ok_or((404, "ChangeSetNotFound"))?;
    let creates = stack.status == "REVIEW_IN_PROGRESS";
    let change_set = stack.change_sets.get_mut(&change_set_name(form)).ok_or((404, "ChangeSetNotFound"))?;
    let token = &form["ClientRequestToken"];
    if let Some(executed_by) = &change_set.executed_by {
        return if executed_by == token && again { Ok(String::new()) } else { Err((400, "InvalidChangeSetStatus")) };
    }
    if change_set.ready > Instant::now() || stack.under_way.is_some() {
        return Err((400, "InvalidChangeSetStatus"));
    }
    change_set.executed_by = Some(token.clone());
    stack.template = change_set.template.clone();
    stack.parameters = change_set.parameters.clone();
    stack.tags = change_set.tags.clone();
    stack.change_sets.retain(|_, change_set| change_set.executed_by.is_some());
    let (now, then) = match (creates, fails) {
        (true, true) => ("CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"),
        (true, false) => ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"),
        (false, _) => ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"),
    };
    stack.creations += u32::from(creates);
    stack.status = now;
    stack.under_way = Some((end, then));
    stack.events.insert(0, event(id, name, id, now, ""));
    let under_way =
        world.stacks.values().filter(|stack| stack.under_way.is_some_and(|(end, _)| end > Instant::now())).count();
    world.most_at_once = world.most_at_once.max(under_way);
    Ok(String::new())
}

fn change_set_name(form: &HashMap<String, String>) -> String {
    let name = &form["ChangeSetName"];
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

fn event(stack_id: &str, logical: &str, physical: &str, status: &str, reason: &str) -> String {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!(
        "<member><EventId>{number}</EventId><StackId>{stack_id}</StackId><LogicalResourceId>{logical}</LogicalResourceId>\
         <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceStatus>{status}</ResourceStatus>\
         <ResourceStatusReason>{reason}</ResourceStatusReason></member>"
    )
}
