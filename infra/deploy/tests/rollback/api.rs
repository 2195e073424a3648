//! The account's interfaces, as far as the deployer calls them: CloudFormation, S3, and the services that speak JSON.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use loopback::{Answer, Request, reply};
use serde_json::{Value, json};

use crate::account::{Account, Existing};
use crate::stack::{self, Event, Stack, Wanted};

pub(crate) type Shared = Arc<Mutex<Account>>;

/// Serves the account on loopback; returns the endpoint.
pub(crate) async fn serve(account: &Shared) -> String {
    let account = Arc::clone(account);
    let address = loopback::serve(move |request| {
        let answer = answer(&mut account.lock().unwrap(), &request);
        async move { answer }
    });
    format!("http://{}", address.await)
}

fn answer(account: &mut Account, request: &Request) -> Answer {
    let target = request.header("x-amz-target");
    if let Some((service, operation)) = target.split_once('.') {
        return match json_service(account, service, operation, &serde_json::from_str(&request.body).unwrap()) {
            Ok(answer) => reply(200, answer),
            Err(code) => reply(400, json!({ "__type": code, "message": "the model says so" })),
        };
    }
    if !request.header("content-type").starts_with("application/x-www-form") {
        return storage(account, request);
    }
    let form: HashMap<String, String> =
        axum::extract::Query::try_from_uri(&format!("/?{}", request.body).parse().unwrap()).unwrap().0;
    let action = form["Action"].as_str();
    match cloudformation(account, action, &form) {
        Ok(answer) => {
            reply(200, format!("<{action}Response><{action}Result>{answer}</{action}Result></{action}Response>"))
        }
        Err((code, message)) => reply(
            400,
            format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"),
        ),
    }
}

/// The answer in XML, or the error's code and message.
type Said = Result<String, (&'static str, String)>;

fn cloudformation(account: &mut Account, action: &str, form: &HashMap<String, String>) -> Said {
    let asked = form.get("StackName").or_else(|| form.get("ChangeSetName")).cloned().unwrap_or_default();
    let name = asked.split('/').nth(1).unwrap_or(&asked).to_owned();
    let absent = || ("ValidationError", format!("Stack with id {name} does not exist"));
    let change_set = form.get("ChangeSetName").map(|id| id.rsplit('/').next().unwrap().to_owned()).unwrap_or_default();
    match action {
        "GetCallerIdentity" => Ok("<Account>111122223333</Account>".to_owned()),
        "DescribeStacks" if asked.is_empty() => {
            Ok(format!("<Stacks>{}</Stacks>", account.stacks.values().map(described).collect::<String>()))
        }
        "DescribeStacks" => find(account, &asked, &name)
            .map(|stack| format!("<Stacks>{}</Stacks>", described(stack)))
            .ok_or_else(absent),
        "DescribeStackEvents" => {
            let events = &find(account, &asked, &name).ok_or_else(absent)?.events;
            Ok(page_of_events(events, form.get("NextToken"), &find(account, &asked, &name).unwrap().id))
        }
        "ListStackResources" => {
            let stack = find(account, &asked, &name).ok_or_else(absent)?;
            let members: String = stack
                .members
                .iter()
                .map(|(id, member)| {
                    let kind = member.definition["Type"].as_str().unwrap();
                    format!(
                        "<member><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{}</PhysicalResourceId>\
                         <ResourceType>{kind}</ResourceType><ResourceStatus>{}</ResourceStatus></member>",
                        member.physical, member.status
                    )
                })
                .collect();
            Ok(format!("<StackResourceSummaries>{members}</StackResourceSummaries>"))
        }
        "GetTemplate" => {
            let template = find(account, &asked, &name).ok_or_else(absent)?.wanted.template.to_string();
            Ok(format!("<TemplateBody>{}</TemplateBody>", escape(&template)))
        }
        "CreateChangeSet" => create_change_set(account, form, &name, &change_set),
        "DescribeChangeSet" => {
            let stack = account.stacks.get(&name).ok_or_else(absent)?;
            let wanted = stack.change_sets.get(&change_set).ok_or(("ChangeSetNotFound", String::new()))?;
            let status = match describe_difference(stack, wanted) {
                true => "<Status>CREATE_COMPLETE</Status>",
                false => {
                    "<Status>FAILED</Status><StatusReason>The submitted information didn't contain changes.</StatusReason>"
                }
            };
            Ok(format!("{status}<ExecutionStatus>AVAILABLE</ExecutionStatus><StackId>{}</StackId>", stack.id))
        }
        "ExecuteChangeSet" => {
            let wanted = account.stacks.get(&name).ok_or_else(absent)?.change_sets.get(&change_set).cloned();
            stack::execute(account, &name, wanted.ok_or(("ChangeSetNotFound", String::new()))?);
            Ok(String::new())
        }
        "DeleteChangeSet" => {
            account.stacks.get_mut(&name).ok_or_else(absent)?.change_sets.remove(&change_set);
            Ok(String::new())
        }
        "ListChangeSets" => {
            let stack = account.stacks.get(&name).ok_or_else(absent)?;
            let members: String = stack
                .change_sets
                .keys()
                .map(|id| format!("<member><ChangeSetId>{id}</ChangeSetId><Status>CREATE_COMPLETE</Status></member>"))
                .collect();
            Ok(format!("<Summaries>{members}</Summaries>"))
        }
        "ContinueUpdateRollback" => {
            stack::continue_rollback(account, &name);
            Ok(String::new())
        }
        // A stack that no longer exists counts as deleted.
        "DeleteStack" if find(account, &asked, &name).is_none_or(|stack| stack.status == "DELETE_COMPLETE") => {
            Ok(String::new())
        }
        "DeleteStack" => {
            let retained: BTreeSet<String> =
                (1..).map_while(|n| form.get(&format!("RetainResources.member.{n}")).cloned()).collect();
            if !retained.is_empty() && account.stacks[&name].status != "DELETE_FAILED" {
                return Err((
                    "ValidationError",
                    "RetainResources is only for stacks in the state DELETE_FAILED".to_owned(),
                ));
            }
            stack::delete(account, &name, &retained);
            Ok(String::new())
        }
        other => panic!("the model does not know {other}"),
    }
}

/// A name finds stacks that exist, an ID also those that were deleted.
fn find<'a>(account: &'a Account, asked: &str, name: &str) -> Option<&'a Stack> {
    match asked.starts_with("arn:") {
        true => account.stacks.get(name).filter(|stack| stack.id == asked).or_else(|| account.deleted.get(asked)),
        false => account.stacks.get(name),
    }
}

fn create_change_set(account: &mut Account, form: &HashMap<String, String>, name: &str, change_set: &str) -> Said {
    let template = match form.get("TemplateBody") {
        Some(body) => body.clone(),
        None => account.objects[form["TemplateURL"].rsplit('/').next().unwrap()].clone(),
    };
    let (status, previous) =
        account.stacks.get(name).map_or(("", Wanted::default()), |stack| (stack.status, stack.wanted.clone()));
    let expected = match status {
        "" | "REVIEW_IN_PROGRESS" => "CREATE",
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" => "UPDATE",
        status => {
            return Err(("ValidationError", format!("Stack {name} is in {status} state and can not be updated.")));
        }
    };
    if form["ChangeSetType"] != expected {
        return Err(("ValidationError", format!("the type of the change set must be {expected}")));
    }
    let tags = if form.contains_key("Tags.member.1.Key") {
        pairs(form, "Tags", "", &BTreeMap::new())
    } else {
        previous.tags.clone()
    };
    let wanted = Wanted {
        template: serde_json::from_str(&template).unwrap(),
        parameters: pairs(form, "Parameters", "Parameter", &previous.parameters),
        tags: tags.clone(),
    };
    let number = account.number();
    let new =
        || Stack::in_review(name, format!("arn:aws:cloudformation:eu-west-1:111122223333:stack/{name}/{number}"), tags);
    if status.is_empty() {
        let mut stack = new();
        stack.is(account, "REVIEW_IN_PROGRESS", "");
        account.stacks.insert(name.to_owned(), stack);
    }
    let stack = account.stacks.get_mut(name).unwrap();
    if stack.change_sets.contains_key(change_set) {
        return Err(("AlreadyExistsException", String::new()));
    }
    stack.change_sets.insert(change_set.to_owned(), wanted);
    Ok(format!("<Id>arn:change-set/{name}/{change_set}</Id><StackId>{}</StackId>", stack.id))
}

/// Whether the change set changes anything. Policies and metadata of a resource alone do not count as a change of it, but CloudFormation
/// takes new metadata for one; a new description is nothing.
fn describe_difference(stack: &Stack, wanted: &Wanted) -> bool {
    let resources = |template: &Value| {
        let mut resources = template["Resources"].clone();
        for resource in resources.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
            for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
                resource.as_object_mut().unwrap().remove(policy);
            }
        }
        resources
    };
    let old = &stack.wanted;
    resources(&old.template) != resources(&wanted.template)
        || (&old.parameters, &old.tags) != (&wanted.parameters, &wanted.tags)
}

fn pairs(
    form: &HashMap<String, String>,
    list: &str,
    prefix: &str,
    previous: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let pair = |number: usize| {
        let key = form.get(&format!("{list}.member.{number}.{prefix}Key"))?;
        let value = form.get(&format!("{list}.member.{number}.{prefix}Value")).or_else(|| previous.get(key))?;
        Some((key.clone(), value.clone()))
    };
    (1..).map_while(pair).collect()
}

fn described(stack: &Stack) -> String {
    let list = |prefix: &str, values: &BTreeMap<String, String>| {
        let member = |(key, value): (&String, &String)| {
            format!("<member><{prefix}Key>{key}</{prefix}Key><{prefix}Value>{value}</{prefix}Value></member>")
        };
        values.iter().map(member).collect::<String>()
    };
    let outputs = stack.wanted.template["Outputs"].as_object().into_iter().flatten();
    let outputs = outputs.map(|(name, output)| (name.clone(), escape(&stack.resolve(&output["Value"])))).collect();
    let updated = if stack.updates == 0 {
        String::new()
    } else {
        format!("<LastUpdatedTime>2030-01-01T00:00:{:02}Z</LastUpdatedTime>", stack.updates)
    };
    let description = escape(stack.wanted.template["Description"].as_str().unwrap_or_default());
    format!(
        "<member><StackName>{}</StackName><StackId>{}</StackId><StackStatus>{}</StackStatus>{updated}<Description>{description}</Description>\
         <Parameters>{}</Parameters><Tags>{}</Tags><Outputs>{}</Outputs></member>",
        stack.name,
        stack.id,
        stack.status,
        list("Parameter", &stack.wanted.parameters),
        list("", &stack.tags),
        list("Output", &outputs)
    )
}

/// The newest first, fifty at once.
fn page_of_events(events: &[Event], after: Option<&String>, stack_id: &str) -> String {
    let left = after.map_or(events.len(), |text| text.parse().unwrap());
    let page = &events[left.saturating_sub(50)..left];
    let member = |event: &Event| {
        format!(
            "<member><EventId>{}</EventId><StackId>{stack_id}</StackId><LogicalResourceId>{}</LogicalResourceId><PhysicalResourceId>{}</PhysicalResourceId>\
             <ResourceType>{}</ResourceType><ResourceStatus>{}</ResourceStatus><ResourceStatusReason>{}</ResourceStatusReason></member>",
            event.number,
            event.logical_id,
            escape(&event.physical),
            event.kind,
            event.status,
            escape(&event.reason)
        )
    };
    let members: String = page.iter().rev().map(member).collect();
    let next = if left > 50 { format!("<NextToken>{}</NextToken>", left - 50) } else { String::new() };
    format!("<StackEvents>{members}</StackEvents>{next}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// S3: every function's code is already stored, and buckets are empty.
fn storage(account: &mut Account, request: &Request) -> Answer {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let key = path.trim_start_matches('/').split_once('/').map(|(_, key)| key).unwrap_or_default();
    match request.method.as_str() {
        "PUT" => {
            account.objects.insert(key.to_owned(), unchunked(&request.body));
            reply(200, "")
        }
        "HEAD" if key.is_empty() => reply(200, ""),
        "HEAD" if key.ends_with(".zip") || account.objects.contains_key(key) => {
            let hash = key.split('.').next().unwrap();
            let bytes = (0..64).step_by(2).map(|at| u8::from_str_radix(&hash[at..at + 2], 16).unwrap());
            let checksum = aws_smithy_types::base64::encode(bytes.collect::<Vec<_>>());
            Answer::Reply { status: 200, headers: vec![("x-amz-checksum-sha256", checksum)], body: Vec::new() }
        }
        "HEAD" => reply(404, ""),
        _ if query.contains("versions") => reply(200, "<ListVersionsResult></ListVersionsResult>"),
        _ => reply(200, "<DeleteResult></DeleteResult>"),
    }
}

/// A body without the lengths and the checksum between its chunks.
/// <https://docs.aws.amazon.com/AmazonS3/latest/developerguide/sigv4-streaming-trailers.html>
fn unchunked(body: &str) -> String {
    if body.starts_with('{') {
        return body.to_owned();
    }
    let (mut rest, mut text) = (body, String::new());
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length.split(';').next().unwrap(), 16).unwrap();
        if length == 0 {
            break;
        }
        text.push_str(&after[..length]);
        rest = &after[length + 2..];
    }
    text
}

/// The services that speak JSON. Sizes are unknown: they decide nothing.
fn json_service(
    account: &mut Account,
    service: &str,
    operation: &str,
    question: &Value,
) -> Result<Value, &'static str> {
    match (service, operation) {
        ("DynamoDB_20120810", "Scan") => Ok(json!({ "Items": [] })),
        ("ResourceGroupsTaggingAPI_20170126", "GetResources") => Ok(tagged(account, question)),
        ("CloudApiService", "GetResource") => {
            let id = question["Identifier"].as_str().unwrap();
            let found = account.resources.get(id).filter(|found| found.kind == question["TypeName"].as_str().unwrap());
            let found = found.ok_or("ResourceNotFoundException")?;
            Ok(json!({ "TypeName": found.kind, "ResourceDescription": { "Identifier": id, "Properties": "{}" } }))
        }
        ("CloudApiService", "DeleteResource") => {
            let id = question["Identifier"].as_str().unwrap();
            if !account.resources.contains_key(id) {
                return Err("ResourceNotFoundException");
            }
            let event = match account.delete(id) {
                Ok(()) => json!({ "OperationStatus": "SUCCESS", "RequestToken": "1" }),
                Err(reason) => {
                    json!({ "OperationStatus": "FAILED", "StatusMessage": reason, "ErrorCode": "GeneralServiceException" })
                }
            };
            Ok(json!({ "ProgressEvent": event }))
        }
        _ => Err("AccessDeniedException"),
    }
}

/// The resources that the Resource Groups Tagging API lists. It has no roles and no children of APIs.
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html>
fn tagged(account: &Account, question: &Value) -> Value {
    let filters = question["TagFilters"].as_array().unwrap();
    let matches = |tags: &BTreeMap<String, String>| {
        filters.iter().all(|filter| {
            let values = filter["Values"].as_array();
            tags.get(filter["Key"].as_str().unwrap()).is_some_and(|tag| {
                values.is_none_or(|values| values.is_empty() || values.iter().any(|value| value == tag))
            })
        })
    };
    let member = |(id, existing): (&String, &Existing)| {
        let arn = arn(&existing.kind, id)?;
        let mut tags = existing.tags.clone();
        tags.insert("aws:cloudformation:stack-id".to_owned(), existing.stack_id.clone());
        tags.insert(
            "aws:cloudformation:stack-name".to_owned(),
            existing.stack_id.split('/').nth(1).unwrap().to_owned(),
        );
        tags.insert("aws:cloudformation:logical-id".to_owned(), existing.logical_id.clone());
        let list: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        matches(&tags).then(|| json!({ "ResourceARN": arn, "Tags": list }))
    };
    json!({ "ResourceTagMappingList": account.resources.iter().filter_map(member).collect::<Vec<_>>(), "PaginationToken": "" })
}

fn arn(kind: &str, id: &str) -> Option<String> {
    let here = "eu-west-1:111122223333";
    Some(match kind {
        "AWS::S3::Bucket" => format!("arn:aws:s3:::{id}"),
        "AWS::DynamoDB::Table" => format!("arn:aws:dynamodb:{here}:table/{id}"),
        "AWS::SQS::Queue" => format!("arn:aws:sqs:{here}:{}", id.rsplit('/').next().unwrap()),
        "AWS::SecretsManager::Secret" => id.to_owned(),
        "AWS::Cognito::UserPool" => format!("arn:aws:cognito-idp:{here}:userpool/{id}"),
        "AWS::Logs::LogGroup" => format!("arn:aws:logs:{here}:log-group:{id}"),
        "AWS::Lambda::Function" => format!("arn:aws:lambda:{here}:function:{id}"),
        _ => return None,
    })
}
