//! The template of the query app.

mod page;
mod properties;

use std::collections::BTreeSet;

use cfn::assertions::assert_includes;
use cfn::{Json, Template};
use serde_json::json;
use template_tests::{mistake, rights, stateful, template, tenant_file};

const WORKGROUP: &str =
    "warehouse: { workgroup: { name: analytics, id: 0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f, database: sales } }\n";
const CLUSTER: &str = "warehouse: { cluster: { name: analytics, database: sales, user: awsuser } }\n";
const CREATE: &str = "warehouse: { create: { database: sales, subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d, subnet-2a1b2c3d], security_groups: [sg-0a1b2c3d] } }\n";
const DOMAIN: &str =
    "domain: { name: q.acme.example, certificate: 'arn:aws:acm:us-east-1:123456789012:certificate/c' }\n";

fn file(warehouse: &str, lines: &str) -> String {
    tenant_file("query-app", &format!("{warehouse}{lines}"))
}

fn with(lines: &str) -> Template {
    template(&file(WORKGROUP, lines))
}

fn variables<'a>(template: &'a Template, function: &str) -> &'a Json {
    &template.properties(function)["Environment"]["Variables"]
}

#[test]
fn logical_ids_of_resources_with_data_do_not_change() {
    let data = |template: &Template| {
        let ids: Vec<String> = stateful(template).into_iter().map(str::to_owned).collect();
        ids.into_iter().filter(|id| !id.ends_with("Logs")).collect::<Vec<_>>()
    };
    assert_eq!(data(&with("")), ["Requests", "DeadLetters", "PageBucket", "Users"]);
    assert_eq!(data(&template(&file(CREATE, "")))[2], "Namespace");
    let template = with("");
    for (id, policy) in [
        ("Users", "RetainExceptOnCreate"),
        ("DeadLetters", "RetainExceptOnCreate"),
        // What can be created again.
        ("PageBucket", "Delete"),
        ("Requests", "Delete"),
    ] {
        assert_eq!(template.resources[id].attribute("DeletionPolicy"), Some(&json!(policy)), "{id}");
    }
}

#[test]
fn requests_expire_and_open_ones_have_an_index() {
    assert_includes(
        with("").properties("Requests"),
        &json!({
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }, { "AttributeName": "part", "KeyType": "RANGE" }],
            "AttributeDefinitions": [
                { "AttributeName": "id", "AttributeType": "S" },
                { "AttributeName": "part", "AttributeType": "S" },
                { "AttributeName": "open", "AttributeType": "S" },
                { "AttributeName": "since", "AttributeType": "N" },
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "open",
                "KeySchema": [
                    { "AttributeName": "open", "KeyType": "HASH" },
                    { "AttributeName": "since", "KeyType": "RANGE" },
                ],
                "Projection": { "ProjectionType": "ALL" },
            }],
            "TimeToLiveSpecification": { "AttributeName": "expires", "Enabled": true },
            "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
        }),
    );
}

#[test]
fn users_sign_in_with_a_verified_address_and_a_strong_password_and_cannot_be_enumerated() {
    for (lines, only_admins, trigger, mfa) in
        [("", true, false, "OPTIONAL"), ("sign_up: [acme.example, a.example]\nmfa: required\n", false, true, "ON")]
    {
        let template = with(lines);
        let pool = template.properties("Users");
        assert_includes(
            pool,
            &json!({
                "UsernameAttributes": ["email"],
                "UsernameConfiguration": { "CaseSensitive": false },
                "AutoVerifiedAttributes": ["email"],
                "Schema": [{ "Name": "email", "AttributeDataType": "String", "Required": true, "Mutable": false }],
                "AdminCreateUserConfig": { "AllowAdminCreateUserOnly": only_admins },
                "AccountRecoverySetting": { "RecoveryMechanisms": [{ "Name": "verified_email", "Priority": 1 }] },
                "Policies": { "PasswordPolicy": {
                    "MinimumLength": 12, "RequireLowercase": true, "RequireUppercase": true, "RequireNumbers": true,
                    "RequireSymbols": true, "TemporaryPasswordValidityDays": 7,
                } },
                "MfaConfiguration": mfa,
                "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
                "DeletionProtection": "INACTIVE",
            }),
        );
        assert_eq!(!pool["LambdaConfig"].is_null(), trigger);
        assert_eq!(template.resources.contains_key("SignUp"), trigger);
        assert_eq!(template.properties("Site")["Config"]["signUp"], json!(trigger.to_string()));
    }
}

#[test]
fn codes_are_mailed_by_cognito_or_by_the_tenants_own_sender() {
    assert!(with("").properties("Users")["EmailConfiguration"].is_null());
    let identity = |name: &str| format!("arn:aws:ses:eu-central-1:123456789012:identity/{name}");
    for name in ["q@mail.acme.example", "mail.acme.example", "acme.example"] {
        let template = with(&format!("mail: {{ from: q@mail.acme.example, identity: '{}' }}\n", identity(name)));
        assert_eq!(
            template.properties("Users")["EmailConfiguration"],
            json!({ "EmailSendingAccount": "DEVELOPER", "From": "q@mail.acme.example", "SourceArn": identity(name) })
        );
    }
}

#[test]
fn only_the_pool_may_ask_who_may_sign_up() {
    let template = with("sign_up: [b.example, acme.example, b.example]\n");
    assert_eq!(
        template.properties("Users")["LambdaConfig"],
        json!({ "PreSignUp": { "Fn::GetAtt": ["SignUp", "Arn"] } })
    );
    assert_eq!(variables(&template, "SignUp"), &json!({ "DOMAINS": "acme.example,b.example" }));
    assert_includes(
        template.properties("UsersPermission"),
        &json!({ "Principal": "cognito-idp.amazonaws.com", "SourceArn": { "Fn::GetAtt": ["Users", "Arn"] } }),
    );
    assert_eq!(rights(&template, "SignUpRole"), Vec::<String>::new());
}

#[test]
fn the_client_has_no_secret_and_takes_no_password_in_the_clear() {
    assert_eq!(
        with("").properties("UsersClient"),
        &json!({
            "UserPoolId": { "Ref": "Users" },
            "GenerateSecret": false,
            "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            "PreventUserExistenceErrors": "ENABLED",
            "SupportedIdentityProviders": ["COGNITO"],
            "EnableTokenRevocation": true,
            "AuthSessionValidity": 3,
            "AccessTokenValidity": 60,
            "IdTokenValidity": 60,
            "RefreshTokenValidity": 12,
            "TokenValidityUnits": { "AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours" },
            "ReadAttributes": ["email", "email_verified"],
            "WriteAttributes": ["email"],
        })
    );
}

#[test]
fn a_connection_needs_a_ticket_and_its_messages_are_routed_by_their_action() {
    let template = with("");
    assert_includes(
        template.properties("Connections"),
        &json!({ "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action" }),
    );
    let socket =
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Socket.Arn}/invocations";
    assert_eq!(
        template.properties("ConnectionsRoutesAuthorizer"),
        &json!({
            "ApiId": { "Ref": "Connections" },
            "AuthorizerType": "REQUEST",
            "Name": "Credential",
            "AuthorizerUri": { "Fn::Sub": socket },
            "IdentitySource": ["route.request.querystring.ticket"],
        })
    );
    let routes: Vec<(&str, &str)> = template
        .all("AWS::ApiGatewayV2::Route")
        .map(|(_, route)| (route["RouteKey"].as_str().unwrap(), route["AuthorizationType"].as_str().unwrap()))
        .collect();
    assert_eq!(
        routes,
        [
            ("$connect", "CUSTOM"),
            ("$disconnect", "NONE"),
            ("$default", "NONE"),
            ("run", "NONE"),
            ("cancel", "NONE"),
            ("resume", "NONE"),
            ("ping", "NONE"),
        ]
    );
    assert_eq!(
        template.properties("ConnectionsRoutesConnect")["AuthorizerId"],
        json!({ "Ref": "ConnectionsRoutesAuthorizer" })
    );
    let stage = template.properties("ConnectionsStage");
    assert_includes(
        stage,
        &json!({
            "StageName": "live",
            "AutoDeploy": true,
            "DefaultRouteSettings": { "ThrottlingRateLimit": 50.0, "ThrottlingBurstLimit": 100, "DataTraceEnabled": false },
        }),
    );
    let format = stage["AccessLogSettings"]["Format"].as_str().unwrap();
    for forbidden in ["querystring", "$context.path", "authorizer", "requestOverride", "protocol"] {
        assert!(!format.contains(forbidden), "the ticket or who came with it would be logged: {format}");
    }
}

#[test]
fn every_route_needs_a_token_and_browsers_can_preflight_and_read_errors() {
    for (lines, origin) in [
        ("", json!({ "Fn::Sub": ["'${Origin}'", { "Origin": { "Fn::Sub": "https://${Page.DomainName}" } }] })),
        (DOMAIN, json!("'https://q.acme.example'")),
        ("origin: http://127.0.0.1:8080\n", json!("'http://127.0.0.1:8080'")),
    ] {
        let template = with(lines);
        assert_includes(
            template.properties("ApiUsers"),
            &json!({
                "Type": "COGNITO_USER_POOLS",
                "IdentitySource": "method.request.header.Authorization",
                "ProviderARNs": [{ "Fn::GetAtt": ["Users", "Arn"] }],
            }),
        );
        let mut preflights = 0;
        for (id, method) in template.all("AWS::ApiGateway::Method") {
            assert_eq!(method["ApiKeyRequired"], json!(false), "{id}");
            if method["HttpMethod"] != "OPTIONS" {
                assert_eq!(method["AuthorizationType"], "COGNITO_USER_POOLS", "{id}");
                continue;
            }
            preflights += 1;
            let integration = &method["Integration"];
            assert_eq!((&integration["Type"], &method["AuthorizationType"]), (&json!("MOCK"), &json!("NONE")), "{id}");
            let answer = &integration["IntegrationResponses"][0];
            assert_eq!(answer["StatusCode"], "204", "{id}");
            let headers = &answer["ResponseParameters"];
            assert_eq!(headers["method.response.header.Access-Control-Allow-Origin"], origin, "{id}");
            assert_eq!(headers["method.response.header.Access-Control-Allow-Headers"], "'authorization,content-type'");
            let method_allowed = if id == "ApiOptionsTicket" { "'POST'" } else { "'GET'" };
            assert_eq!(headers["method.response.header.Access-Control-Allow-Methods"], method_allowed, "{id}");
        }
        assert_eq!(preflights, 6, "one per path");
        for (id, kind) in [("ApiClientErrors", "DEFAULT_4XX"), ("ApiServerErrors", "DEFAULT_5XX")] {
            let response = template.properties(id);
            assert_eq!(response["ResponseType"], kind);
            assert_eq!(response["ResponseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"], origin);
        }
        let (_, deployment) = template
            .resources
            .iter()
            .find(|(_, resource)| resource.ty == "AWS::ApiGateway::Deployment")
            .expect("there is one");
        let waits: BTreeSet<&str> = deployment.depends_on().collect();
        assert!(waits.contains("ApiOptionsTicket") && waits.contains("ApiClientErrors"), "{waits:?}");
    }
    let deployment = |lines: &str| with(lines).all("AWS::ApiGateway::Deployment").next().unwrap().0.to_owned();
    assert_ne!(deployment(""), deployment(DOMAIN), "API Gateway serves another origin from the next deployment");
}

#[test]
fn each_function_has_only_the_rights_it_needs() {
    let template =
        with("queries: { bucket: acme-queries, prefix: q/ }\nscript: { bucket: acme-scripts, key: a/b.sql }\n");
    let workgroup = "{\"Fn::Sub\":\"arn:${AWS::Partition}:redshift-serverless:${AWS::Region}:${AWS::AccountId}:workgroup/0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f\"}";
    let start = [
        format!("redshift-serverless:GetCredentials: {workgroup}"),
        format!("redshift-data:ExecuteStatement: {workgroup}"),
    ];
    let table = r#"{"Fn::GetAtt":["Requests","Arn"]}"#;
    let items = format!(
        "dynamodb:ConditionCheckItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem: {table}"
    );
    let index = r#"dynamodb:Query: {"Fn::Sub":"${Requests.Arn}/index/open"}"#.to_owned();
    let connection = |method: &str| {
        format!(
            "{{\"Fn::Sub\":\"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Connections}}/live/{method}/@connections/*\"}}"
        )
    };
    let connections = format!("execute-api:ManageConnections: [{},{}]", connection("POST"), connection("DELETE"));
    let queries = [
        r#"s3:ListBucket: {"Fn::Sub":"arn:${AWS::Partition}:s3:::acme-queries"}"#.to_owned(),
        r#"s3:GetObject: {"Fn::Sub":"arn:${AWS::Partition}:s3:::acme-queries/q/*"}"#.to_owned(),
    ];
    let statements = |actions: &str| format!("{actions}: \"*\"");
    assert_eq!(
        rights(&template, "SocketRole"),
        [
            &[
                items,
                index.clone(),
                connections.clone(),
                statements("redshift-data:CancelStatement redshift-data:GetStatementResult"),
            ][..],
            &start[..],
            &queries[..],
        ]
        .concat()
    );
    assert_eq!(
        rights(&template, "FinishedRole"),
        [
            format!("dynamodb:DeleteItem dynamodb:Query dynamodb:UpdateItem: {table}"),
            index,
            connections,
            statements(
                "redshift-data:CancelStatement redshift-data:DescribeStatement redshift-data:GetStatementResult"
            ),
        ]
    );
    assert_eq!(
        rights(&template, "ResultsRole"),
        [
            &[
                format!("dynamodb:GetItem dynamodb:PutItem dynamodb:Query: {table}"),
                statements("redshift-data:GetStatementResult"),
            ][..],
            &queries[..],
        ]
        .concat()
    );
    assert_eq!(
        rights(&template, "SetupRole"),
        [
            &start[..],
            &[
                statements(
                    "redshift-data:CancelStatement redshift-data:DescribeStatement redshift-data:GetStatementResult"
                ),
                r#"s3:GetObject: {"Fn::Sub":"arn:${AWS::Partition}:s3:::acme-scripts/a/b.sql"}"#.to_owned(),
            ][..],
        ]
        .concat()
    );
}

#[test]
fn the_bucket_of_queries_must_belong_to_the_account() {
    let template = with("queries: { bucket: acme-queries, prefix: q/ }\n");
    for function in ["Socket", "Results"] {
        assert_eq!(variables(&template, function)["QUERIES_OWNER"], json!({ "Ref": "AWS::AccountId" }));
        let role = format!("{function}Role");
        let statements = template.properties(&role)["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
        for action in ["s3:ListBucket", "s3:GetObject"] {
            let statement =
                statements.iter().find(|statement| statement["Action"].to_string().contains(action)).unwrap();
            let account = &statement["Condition"]["StringEquals"]["aws:ResourceAccount"];
            assert_eq!(account, &json!({ "Ref": "AWS::AccountId" }), "{role} {action}");
        }
    }
}

#[test]
fn only_the_sockets_own_statements_can_be_read_and_only_by_the_functions_of_this_stack() {
    let template = with("");
    for (role, condition) in [
        ("SocketRole", json!({ "StringEquals": { "redshift-data:statement-owner-iam-userid": "${aws:userid}" } })),
        ("FinishedRole", owned_by_the_socket()),
        ("ResultsRole", owned_by_the_socket()),
    ] {
        let statements = template.properties(role)["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
        let on_statements = statements
            .iter()
            .find(|statement| statement["Action"].to_string().contains("redshift-data:GetStatementResult"));
        assert_eq!(on_statements.unwrap()["Condition"], condition, "{role}");
    }
}

fn owned_by_the_socket() -> Json {
    let sessions = json!({ "Fn::Sub": ["${RoleId}:*", { "RoleId": { "Fn::GetAtt": ["SocketRole", "RoleId"] } }] });
    json!({ "StringLike": { "redshift-data:statement-owner-iam-userid": sessions } })
}

#[test]
fn a_cluster_is_used_as_a_user_that_can_only_read() {
    let template = template(&file(CLUSTER, "limits: { seconds: 60 }\n"));
    let login = |role: &str| rights(&template, role).into_iter().find(|right| right.starts_with("redshift:")).unwrap();
    assert!(login("SetupRole").contains("dbuser:analytics/awsuser\""));
    assert!(login("SocketRole").contains("dbuser:analytics/query_app_acme\""));
    let warehouse = r#"{"cluster":"analytics","database":"sales","dbUser":"query_app_acme"}"#;
    for function in ["Socket", "Finished", "Results"] {
        assert_eq!(variables(&template, function)["WAREHOUSE"], warehouse);
    }
    assert_includes(
        template.properties("InWarehouse"),
        &json!({
            "Warehouse": { "Cluster": "analytics", "Database": "sales", "DbUser": "awsuser" },
            "Schema": "query_app_acme",
            "Reader": "query_app_acme",
            "StatementSeconds": "60",
        }),
    );
}

#[test]
fn ended_statements_of_this_tenant_arrive_as_events_and_sweeps_run_every_minute() {
    let template = with("");
    assert_includes(
        template.properties("Ended"),
        &json!({
            "EventPattern": {
                "source": ["aws.redshift-data"],
                "detail-type": ["Redshift Data Statement Status Change"],
                "detail": { "statementName": [{ "prefix": "acme-query-" }] },
            },
        }),
    );
    assert_includes(
        &template.properties("Ended")["Targets"][0],
        &json!({
            "Arn": { "Fn::GetAtt": ["Finished", "Arn"] },
            "RetryPolicy": { "MaximumRetryAttempts": 10 },
            "DeadLetterConfig": { "Arn": { "Fn::GetAtt": ["DeadLetters", "Arn"] } },
        }),
    );
    for (schedule, function) in [("Sweep", "Finished"), ("SubmitAgain", "Socket")] {
        assert_includes(
            template.properties(schedule),
            &json!({
                "ScheduleExpression": "rate(1 minute)",
                "Target": { "Arn": { "Fn::GetAtt": [function, "Arn"] }, "Input": r#"{"sweep":true}"# },
            }),
        );
    }
}

#[test]
fn programs_find_both_endpoints_by_parameters_of_the_tenant() {
    let template = with("");
    for (id, name, value) in [
        ("WebSocketEndpoint", "websocket-endpoint", "${Connections}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live"),
        ("RestEndpoint", "rest-endpoint", "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${ApiStage}"),
    ] {
        assert_includes(
            template.properties(id),
            &json!({ "Name": format!("/ferrostack/acme/query-app/{name}"), "Type": "String", "Value": { "Fn::Sub": value } }),
        );
    }
    let outputs: Vec<&String> = template.outputs.keys().collect();
    assert_eq!(
        outputs,
        [
            "Revision",
            "TemplateDigest",
            "SiteUrl",
            "SocketUrl",
            "ApiUrl",
            "UserPoolId",
            "UserPoolClientId",
            "RequestsTable",
            "DeadLetterQueue",
            "SiteBucket",
        ]
    );
}

#[test]
fn a_wrong_value_is_reported_with_what_is_allowed() {
    for (lines, message) in [
        ("sign_up: [Acme.example]", "`Acme.example` is not a valid domain; use one in lower case"),
        (
            "sign_up: [a.a, b.a, c.a, d.a, e.a, f.a, g.a, h.a, i.a, j.a, k.a]",
            "`sign_up` has 11 domains; must be at most 10",
        ),
        ("mfa: off", "`off` is not allowed here; use one of optional, required"),
        (
            "mail: { from: q@acme.example, identity: 'arn:aws:ses:eu-central-1:123456789012:identity/me.example' }",
            "the identity `me.example` may not send from `q@acme.example`; use the identity of the address or of its domain",
        ),
        (
            "mail: { from: q@acme.example, identity: acme.example }",
            "`acme.example` is not an SES identity; use arn:aws:ses:<region>:<account>:identity/<address or domain>",
        ),
        ("limits: { rows: 0 }", "`rows` is 0; must be 1 to 100000"),
        ("limits: { concurrent: 21 }", "`concurrent` is 21; must be 1 to 20"),
        ("limits: { seconds: 86401 }", "`seconds` is 86401; must be 1 to 86400"),
        ("script: { bucket: a-b, key: /a.sql }", "`/a.sql` is not a valid key"),
        ("script: { bucket: a-b, key: 'a${b}' }", "`a${b}` is not a valid key"),
        ("queries: { bucket: a-b, prefix: a }", "`a` is not a valid prefix"),
        ("origin: http://acme.example", "`http://acme.example` is not a valid origin"),
        ("origin: https://acme.example/", "`https://acme.example/` is not a valid origin"),
        ("origin: http://127.0.0.1:080", "`http://127.0.0.1:080` is not a valid origin"),
        (
            "web_acl: arn:aws:wafv2:eu-central-1:123456789012:global/webacl/a/b",
            "is not a web ACL for CloudFront; must be arn:aws:wafv2:us-east-1:<account>:global/webacl/<name>/<id>",
        ),
        (
            "web_acl: arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b",
            "is not a web ACL for CloudFront; must be",
        ),
        ("web_acl: arn:aws:acm:us-east-1:123456789012:certificate/c", "is not a web ACL for CloudFront; must be"),
        (
            "web_acl: arn:awsx:wafv2:us-east-1:123456789012:global/webacl/a/b",
            "is not a web ACL for CloudFront; must be",
        ),
        (
            "domain: { name: a.b, certificate: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b' }",
            "is not a certificate for CloudFront; must be arn:aws:acm:us-east-1:<account>:certificate/<id>",
        ),
        (
            &format!("{DOMAIN}origin: https://a.b"),
            "the page has both the `domain` q.acme.example and the `origin` https://a.b",
        ),
        ("colour: blue", "unknown key `colour`; use one of warehouse, schema, script,"),
    ] {
        let error = mistake(&file(WORKGROUP, lines));
        assert!(error.contains(message), "{lines}\n{error}");
    }
    let equal = "warehouse: { create: { database: d, subnets: [subnet-0a1b2c3d, subnet-0a1b2c3d, subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d] } }\n";
    assert!(mistake(&file(equal, "")).contains("appears twice; remove one"));
    let role =
        "warehouse: { cluster: { name: c, database: d, user: u, sign_role: 'arn:aws:iam::123456789012:role/r' } }\n";
    assert!(mistake(&file(role, "")).contains("the warehouse has a `sign_role`, but this system signs nothing"));
}
