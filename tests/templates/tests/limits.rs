//! The limits that several properties or resources share: each is tried with the most that is allowed, and with one more.

use std::collections::BTreeMap;
use std::path::Path;

use aws::apigateway::{authorizer, resource, rest_api, stage};
use aws::apigatewayv2::{self, integration, route};
use aws::cloudfront::distribution::{self, Distribution};
use aws::dynamodb::table;
use aws::ec2::security_group::{Ingress, SecurityGroup};
use aws::ec2::vpc_endpoint::VpcEndpoint;
use aws::events::rule::{self, Rule};
use aws::iam::managed_policy::ManagedPolicy;
use aws::iam::role::{Policy, PolicyRequired, Role};
use aws::kms::key::Key;
use aws::lambda::event_source_mapping::{EventSourceMapping, Filter, FilterCriteria};
use aws::lambda::function::{Code, Environment, Function, LoggingConfig, Required};
use aws::s3::bucket_policy::{self, BucketPolicy};
use aws::scheduler::schedule::{self, FlexibleTimeWindow, Schedule};
use aws::secretsmanager::resource_policy;
use aws::sqs::queue;
use aws::ssm::parameter::{self, Parameter};
use cfn::{App, Attributes, Json, Stack};
use constructs::limits::{LIMITS, markdown};
use constructs::{Architecture, EventRule, EventRules, Queue, RustFunction};
use serde_json::json;

/// A way to have `amount` of something.
type Fill = fn(&mut Stack, usize);

/// How to have each of what is limited. Amounts with references are estimated, so these have none.
const FILLS: &[(&str, Fill)] = &[
    ("tags of a resource", |stack, amount| {
        let tags: Vec<_> = (0..amount).map(|number| aws::Tag::new(format!("k{number}"), "v")).collect();
        stack.add("It", queue::Queue::new().tags(tags));
    }),
    ("environment variables of a function, together", |stack, amount| {
        stack.add("It", function(&[("A", 1), ("B", amount - 3)]));
    }),
    ("inline policies of a role, together", |stack, amount| {
        let policies = [100, amount - 100].map(|length| {
            Policy::new(PolicyRequired {
                policy_name: format!("P{length}").into(),
                policy_document: of_length(length).into(),
            })
        });
        stack.add("It", Role::new(json!({})).policies(policies));
    }),
    ("trust policy of a role", |stack, amount| drop(stack.add("It", Role::new(of_length(amount))))),
    ("managed policies of a role", |stack, amount| {
        let arns: Vec<_> = (0..amount).map(|number| format!("arn:aws:iam::aws:policy/P{number}")).collect();
        stack.add("It", Role::new(json!({})).managed_policy_arns(arns));
    }),
    ("a managed policy", |stack, amount| drop(stack.add("It", ManagedPolicy::new(of_length(amount))))),
    ("an event pattern", |stack, amount| drop(stack.add("It", Rule::new().event_pattern(of_length(amount))))),
    ("targets of a rule", |stack, amount| {
        let target = |number: usize| {
            let arn = "arn:aws:sqs:eu-central-1:123456789012:q".into();
            rule::Target::new(rule::TargetRequired { arn, id: format!("T{number}").into() })
        };
        stack.add(
            "It",
            Rule::new().schedule_expression("rate(1 day)").targets((0..amount).map(target).collect::<Vec<_>>()),
        );
    }),
    ("rules of one event bus", |stack, amount| {
        for number in 0..amount {
            stack.add(&format!("It{number}"), Rule::new().schedule_expression("rate(1 day)"));
        }
    }),
    ("the input of a schedule", |stack, amount| {
        let required = schedule::TargetRequired {
            arn: "arn:aws:sqs:eu-central-1:123456789012:q".into(),
            role_arn: "arn:aws:iam::123456789012:role/r".into(),
        };
        let schedule = Schedule::new(schedule::Required {
            flexible_time_window: FlexibleTimeWindow::new(schedule::Mode::Off).into(),
            schedule_expression: "rate(1 day)".into(),
            target: schedule::Target::new(required).input("x".repeat(amount)).into(),
        });
        stack.add("It", schedule);
    }),
    ("resource policy of a REST API", |stack, amount| {
        stack.add("It", rest_api::RestApi::new().name("n").policy(of_length(amount)));
    }),
    ("path resources of a REST API", |stack, amount| {
        for number in 0..amount {
            let required = resource::Required {
                parent_id: "p".into(),
                path_part: format!("p{number}").into(),
                rest_api_id: "a".into(),
            };
            stack.add(&format!("It{number}"), resource::Resource::new(required));
        }
    }),
    ("authorizers of a REST API", |stack, amount| {
        for number in 0..amount {
            let required = authorizer::Required {
                name: format!("a{number}").into(),
                rest_api_id: "a".into(),
                r#type: "COGNITO_USER_POOLS".into(),
            };
            stack.add(&format!("It{number}"), authorizer::Authorizer::new(required));
        }
    }),
    ("stages of a REST API", |stack, amount| {
        for number in 0..amount {
            stack.add(&format!("It{number}"), stage::Stage::new("a").stage_name(format!("s{number}")));
        }
    }),
    ("integrations of an HTTP or WebSocket API", |stack, amount| {
        for number in 0..amount {
            let required = integration::Required { api_id: "a".into(), integration_type: "AWS_PROXY".into() };
            stack.add(&format!("It{number}"), integration::Integration::new(required));
        }
    }),
    ("authorizers of an HTTP or WebSocket API", |stack, amount| {
        for number in 0..amount {
            let required = apigatewayv2::authorizer::Required {
                api_id: "a".into(),
                authorizer_type: "REQUEST".into(),
                name: format!("a{number}").into(),
            };
            stack.add(&format!("It{number}"), apigatewayv2::authorizer::Authorizer::new(required));
        }
    }),
    ("stages of an HTTP or WebSocket API", |stack, amount| {
        for number in 0..amount {
            let required =
                apigatewayv2::stage::Required { api_id: "a".into(), stage_name: format!("s{number}").into() };
            stack.add(&format!("It{number}"), apigatewayv2::stage::Stage::new(required));
        }
    }),
    ("filters of an event source", |stack, amount| {
        let filters: Vec<_> = (0..amount).map(|_| Filter::new().pattern(r#"{"a":["b"]}"#)).collect();
        let source = EventSourceMapping::new("f").filter_criteria(FilterCriteria::new().filters(filters));
        stack.add("It", source);
    }),
    ("host names of a distribution", |stack, amount| {
        let behavior = distribution::DefaultCacheBehaviorRequired {
            target_origin_id: "o".into(),
            viewer_protocol_policy: distribution::ViewerProtocolPolicy::HttpsOnly.into(),
        };
        let required = distribution::DistributionConfigRequired {
            default_cache_behavior: distribution::DefaultCacheBehavior::new(behavior).into(),
            enabled: true.into(),
        };
        let names: Vec<_> = (0..amount).map(|number| format!("h{number}.example.com")).collect();
        stack.add("It", Distribution::new(distribution::DistributionConfig::new(required).aliases(names)));
    }),
    ("routes of an HTTP or WebSocket API", |stack, amount| {
        for number in 0..amount {
            let required = route::Required { api_id: "a".into(), route_key: format!("GET /{number}").into() };
            stack.add(&format!("It{number}"), route::Route::new(required));
        }
    }),
    ("a bucket policy", |stack, amount| {
        let policy_document = of_length(amount).into();
        stack.add("It", BucketPolicy::new(bucket_policy::Required { bucket: "a-bucket".into(), policy_document }));
    }),
    ("a key policy", |stack, amount| drop(stack.add("It", Key::new().key_policy(of_length(amount)).retain()))),
    ("policy of a VPC endpoint", |stack, amount| {
        stack.add("It", VpcEndpoint::new("vpc-0a1b2c3d").policy_document(of_length(amount)));
    }),
    ("inbound rules of a security group", |stack, amount| {
        let ingress =
            |number: usize| Ingress::new("tcp").from_port(443).to_port(443).cidr_ip(format!("10.0.0.{number}/32"));
        let group = SecurityGroup::new("A group").security_group_ingress((0..amount).map(ingress).collect::<Vec<_>>());
        stack.add("It", group);
    }),
    ("a standard parameter", |stack, amount| {
        let required = parameter::Required { r#type: parameter::Type::String.into(), value: "x".repeat(amount).into() };
        stack.add("It", Parameter::new(required));
    }),
    ("global secondary indexes of a table", |stack, amount| {
        let index = |number: usize| {
            table::GlobalSecondaryIndex::new(table::GlobalSecondaryIndexRequired {
                index_name: format!("index{number}").into(),
                key_schema: Vec::<table::KeySchema>::new().into(),
                projection: table::Projection::new().into(),
            })
        };
        let indexes: Vec<_> = (0..amount).map(index).collect();
        stack.add("It", table::Table::new(Vec::<table::KeySchema>::new()).global_secondary_indexes(indexes).retain());
    }),
    ("resource policy of a secret", |stack, amount| {
        let required = resource_policy::Required { resource_policy: of_length(amount).into(), secret_id: "s".into() };
        stack.add("It", resource_policy::ResourcePolicy::new(required));
    }),
];

/// A JSON document with this many characters.
fn of_length(amount: usize) -> Json {
    json!({ "x": "x".repeat(amount - json!({ "x": "" }).to_string().len()) })
}

/// A function with variables of these lengths.
fn function(variables: &[(&str, usize)]) -> Function {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, length)| ((*name).to_owned(), "x".repeat(*length))).collect();
    Function::new(Required { code: Code::new().into(), role: "arn:aws:iam::123456789012:role/r".into() })
        .logging_config(LoggingConfig::new().log_group("g"))
        .environment(Environment::new().variables(variables))
}

/// The messages about limits.
fn messages(fill: Fill, amount: usize) -> Vec<String> {
    let mut stack = Stack::new("s");
    fill(&mut stack, amount);
    let findings = App::default().stack(stack).checks(constructs::checks::ALL).synth().findings;
    let messages = findings.into_iter().filter(|finding| finding.is_error()).map(|finding| finding.message);
    messages.filter(|message| LIMITS.iter().any(|limit| message.starts_with(&format!("{}: ", limit.name)))).collect()
}

#[test]
fn every_limit_is_checked() {
    for (name, fill) in FILLS {
        let limit =
            LIMITS.iter().find(|limit| limit.name == *name).unwrap_or_else(|| panic!("no limit is called {name}"));
        assert_eq!(messages(*fill, limit.most), [""; 0], "{name}");
        let (more, unit) = (limit.most + 1, limit.unit);
        assert_eq!(messages(*fill, more), [format!("{name}: {more} {unit}; must be at most {}", limit.most)]);
    }
    // The others are those of the engine, and the one below.
    assert_eq!(LIMITS.len(), FILLS.len() + 9, "a limit has no test");
}

/// Lambda writes a statement for each permission, so this is an estimate.
#[test]
fn a_function_has_room_for_about_fifty_permissions() {
    let messages = |count: usize| {
        messages(
            |stack, count| {
                let function = stack.add("Reload", function(&[]));
                for number in 0..count {
                    let permission = aws::lambda::permission::Permission::new(aws::lambda::permission::Required {
                        action: "lambda:InvokeFunction".into(),
                        function_name: function.arn(),
                        principal: "events.amazonaws.com".into(),
                    });
                    let rule =
                        stack.add(&format!("EventNumber{number}"), Rule::new().schedule_expression("rate(1 day)"));
                    stack.add(&format!("EventNumber{number}Permission"), permission.source_arn(rule.arn()));
                }
            },
            count,
        )
    };
    assert_eq!(messages(45), [""; 0]);
    let [message] = &messages(75)[..] else { panic!("75 permissions fit") };
    assert!(message.starts_with("resource policy of a function: "), "{message}");
}

#[test]
fn rules_with_one_permission_have_none_of_their_own() {
    let mut stack = Stack::new("s");
    let dead_letters = stack.add("DeadLetters", Queue::dead_letters());
    let function = stack.add("Reload", RustFunction::new("f", Architecture::X86_64));
    let other = stack.add("Other", RustFunction::new("f", Architecture::X86_64));
    let events = stack.add("Events", EventRules::new(&function));
    let rule = |function| EventRule::new("A rule", json!({ "source": ["a"] }), function, None, &dead_letters);
    stack.add("A", rule(&function).permitted_by(&events));
    stack.add("B", rule(&function).permitted_by(&events));
    stack.add("C", rule(&other));
    let template = App::default().stack(stack).synth().stacks.remove(0).template;
    let permissions: Vec<&str> = template.all("AWS::Lambda::Permission").map(|(id, _)| id).collect();
    assert_eq!(permissions, ["EventsPermission", "CPermission"]);
}

#[test]
fn the_page_lists_every_limit() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/limits.md");
    let page = std::fs::read_to_string(&path).expect("docs/limits.md");
    let (text, _) = page.split_once("| what |").expect("a table");
    let expected = text.to_owned() + &markdown();
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(&path, expected).expect("the page can be written");
        return;
    }
    assert_eq!(page, expected, "run `UPDATE_TABLES=1 cargo test -p template-tests --test limits`");
}
