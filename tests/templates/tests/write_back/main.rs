//! The template of write-back.

mod properties;

use cfn::assertions::assert_includes;
use cfn::{Json, Template};
use serde_json::json;
use template_tests::{mistake, rights, stateful, template, tenant_file};

const SOURCE: &str = "source: { table: sales.rates, customer: customer, skill: skill, cost: cost }\n";
const WORKGROUP: &str =
    "warehouse: { workgroup: { name: analytics, id: 0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f, database: sales } }\n";
const CLUSTER: &str = "warehouse: { cluster: { name: analytics, database: sales, user: awsuser } }\n";
const CREATE: &str = "warehouse: { create: { database: sales, subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d, subnet-2a1b2c3d], security_groups: [sg-0a1b2c3d] } }\n";
const DASHBOARD: &str = "dashboard:\n  role: arn:aws:iam::123456789012:role/quicksight\n  database_user: reader\n  owners: [arn:aws:quicksight:eu-central-1:123456789012:group/default/analysts]\n  viewers: [arn:aws:quicksight:eu-central-1:123456789012:user/default/ada]\n";

fn file(warehouse: &str, lines: &str) -> String {
    tenant_file("write-back", &format!("{warehouse}{SOURCE}{lines}"))
}

fn with(lines: &str) -> Template {
    template(&file(WORKGROUP, lines))
}

#[test]
fn the_signing_key_is_made_by_secrets_manager_and_rotated_by_one_function() {
    let template = with("rotation_days: 7");
    assert_eq!(
        template.properties("SigningKey")["GenerateSecretString"],
        json!({
            "SecretStringTemplate": r#"{"kid":"initial"}"#,
            "GenerateStringKey": "key",
            "PasswordLength": 64,
            "ExcludePunctuation": true,
        })
    );
    let rotation = &template.resources["Rotation"];
    assert_includes(
        &rotation.properties,
        &json!({
            "SecretId": { "Fn::GetAtt": ["SigningKey", "Id"] },
            "RotationLambdaARN": { "Fn::GetAtt": ["Rotate", "Arn"] },
            "RotationRules": { "AutomaticallyAfterDays": 7 },
            "RotateImmediatelyOnUpdate": false,
        }),
    );
    assert_eq!(rotation.depends_on().collect::<Vec<_>>(), ["RotationPermission"]);
    assert_includes(
        template.properties("RotationPermission"),
        &json!({
            "Principal": "secretsmanager.amazonaws.com",
            "SourceArn": { "Fn::GetAtt": ["SigningKey", "Id"] },
            "SourceAccount": { "Ref": "AWS::AccountId" },
        }),
    );
}

#[test]
fn a_key_that_is_never_rotated_has_no_rotation_resources() {
    let (with_rotation, without) = (with(""), with("rotation_days: 0"));
    let gone: Vec<&String> = with_rotation.resources.keys().filter(|id| !without.resources.contains_key(*id)).collect();
    assert_eq!(gone, ["RotateLogs", "RotateRole", "Rotate", "RotationPermission", "Rotation", "RotateErrors"]);
}

#[test]
fn redshift_may_call_the_signing_function_and_nothing_else() {
    for (warehouse, users) in [(WORKGROUP, "*"), (CREATE, "*"), (CLUSTER, "analytics")] {
        let template = template(&file(warehouse, ""));
        let trust = &template.properties("SignInvoker")["AssumeRolePolicyDocument"]["Statement"];
        let id = format!("arn:${{AWS::Partition}}:redshift:${{AWS::Region}}:${{AWS::AccountId}}:dbuser:{users}/*");
        assert_eq!(
            *trust,
            json!([{
                "Effect": "Allow",
                "Principal": { "Service": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"] },
                "Action": "sts:AssumeRole",
                "Condition": { "StringLike": { "sts:ExternalId": { "Fn::Sub": id } } },
            }])
        );
        let grants = template.properties("SignInvokerGrants");
        assert_eq!(grants["Roles"], json!([{ "Ref": "SignInvoker" }]));
        assert_eq!(
            grants["PolicyDocument"]["Statement"],
            json!([{ "Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": { "Fn::GetAtt": ["Sign", "Arn"] } }])
        );
        assert_includes(
            template.properties("SignPermission"),
            &json!({ "Principal": { "Fn::GetAtt": ["SignInvoker", "Arn"] }, "FunctionName": { "Fn::GetAtt": ["Sign", "Arn"] } }),
        );
    }
}

#[test]
fn a_role_of_the_cluster_gets_the_right_instead_of_a_new_role() {
    let role = "arn:aws:iam::123456789012:role/data/redshift";
    let warehouse = format!("warehouse: {{ cluster: {{ name: c, database: d, user: u, sign_role: '{role}' }} }}\n");
    let template = template(&file(&warehouse, ""));
    assert!(!template.resources.contains_key("SignInvoker"));
    assert_eq!(template.properties("SignInvokerGrants")["Roles"], json!(["redshift"]));
    assert_eq!(template.properties("SignPermission")["Principal"], json!(role));
    assert_eq!(template.properties("InWarehouse")["Sign"]["Role"], json!(role));
}

#[test]
fn a_link_is_signed_for_the_api_that_takes_it() {
    let template = with("token_seconds: 900");
    assert_includes(
        &template.properties("Sign")["Environment"]["Variables"],
        &json!({ "TENANT": "acme", "AUDIENCE": { "Ref": "Quotes" }, "TOKEN_SECONDS": "900" }),
    );
    assert_eq!(
        template.properties("InWarehouse")["LinkBase"],
        json!({ "Fn::Sub": "https://${Quotes}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${QuotesStage}/quote?t=" })
    );
}

#[test]
fn setup_receives_everything_it_creates_and_answers_in_time() {
    let template = with(
        "readers: { groups: [g], users: [u] }\ninputs:\n  - { name: comment, label: L, type: text, max_length: 9, required: true }\n  - { name: discount, label: L, type: decimal, minimum: '0', maximum: '30' }\n",
    );
    let setup = template.properties("InWarehouse");
    assert_includes(
        setup,
        &json!({
            "ServiceToken": { "Fn::GetAtt": ["Setup", "Arn"] },
            "ServiceTimeout": 360,
            "Warehouse": { "Workgroup": "analytics", "Database": "sales" },
            "Schema": "write_back_acme",
            "Source": { "Table": "sales.rates", "Customer": "customer", "Skill": "skill", "Cost": "cost" },
            "Sign": { "Function": { "Ref": "Sign" }, "Role": { "Fn::GetAtt": ["SignInvoker", "Arn"] } },
            "Tenant": "acme",
            "Writer": { "Fn::Sub": ["IAMR:${Role}", { "Role": { "Ref": "QuoteApiRole" } }] },
            "Inputs": [{ "Name": "comment", "Type": "text", "MaxLength": "9" }, { "Name": "discount", "Type": "decimal" }],
            "Readers": { "Groups": ["g"], "Users": ["u"], "Roles": [] },
        }),
    );
    assert_eq!(template.properties("Setup")["Timeout"], json!(300));
    assert_eq!(template.properties("SetupRetries")["MaximumRetryAttempts"], json!(2));
    let inputs = template.properties("QuoteApi")["Environment"]["Variables"]["INPUTS"].as_str().unwrap();
    let inputs: Json = serde_json::from_str(inputs).unwrap();
    assert_eq!(
        inputs,
        json!([
            { "name": "comment", "label": "L", "type": "text", "maxLength": 9, "required": true },
            { "name": "discount", "label": "L", "type": "decimal", "minimum": "0", "maximum": "30" },
        ])
    );
}

#[test]
fn each_function_has_only_the_rights_it_needs() {
    let template = with("");
    let key = r#"{"Fn::GetAtt":["SigningKey","Id"]}"#;
    let workgroup = "{\"Fn::Sub\":\"arn:${AWS::Partition}:redshift-serverless:${AWS::Region}:${AWS::AccountId}:workgroup/0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f\"}";
    let data_api = [
        format!("redshift-serverless:GetCredentials: {workgroup}"),
        format!("redshift-data:ExecuteStatement: {workgroup}"),
        r#"redshift-data:CancelStatement redshift-data:DescribeStatement redshift-data:GetStatementResult: "*""#
            .to_owned(),
    ];
    assert_eq!(rights(&template, "SignRole"), [format!("secretsmanager:GetSecretValue: {key}")]);
    assert_eq!(
        rights(&template, "RotateRole"),
        [format!(
            "secretsmanager:DescribeSecret secretsmanager:GetSecretValue secretsmanager:PutSecretValue secretsmanager:UpdateSecretVersionStage: {key}"
        )]
    );
    assert_eq!(rights(&template, "SetupRole"), data_api);
    let claims = r#"{"Fn::GetAtt":["Claims","Arn"]}"#;
    let own = [format!("secretsmanager:GetSecretValue: {key}"), format!("dynamodb:GetItem dynamodb:PutItem: {claims}")];
    let followed = [r#"redshift-data:DescribeStatement: "*""#.to_owned()];
    assert_eq!(rights(&template, "QuoteApiRole"), [&own[..], &data_api[..2], &followed[..]].concat());
    let statements = template.properties("SetupRole")["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let everywhere = statements
        .iter()
        .find(|statement| statement["Resource"] == "*" && statement["Action"][0] != "xray:PutTraceSegments");
    assert_eq!(
        everywhere.unwrap()["Condition"],
        json!({ "StringEquals": { "redshift-data:statement-owner-iam-userid": "${aws:userid}" } })
    );
}

#[test]
fn links_are_kept_out_of_traces_and_logs() {
    let stage = with("").properties("QuotesStage").clone();
    assert_eq!(
        (&stage["TracingEnabled"], &stage["MethodSettings"][0]["DataTraceEnabled"]),
        (&json!(false), &json!(false))
    );
    let format = stage["AccessLogSetting"]["Format"].to_string();
    assert!(!format.contains("requestOverride.path") && !format.contains("querystring"), "{format}");
}

#[test]
fn each_function_uses_the_cluster_as_its_own_user() {
    let template = template(&file(CLUSTER, ""));
    let login = |role: &str| rights(&template, role).into_iter().find(|right| right.starts_with("redshift:")).unwrap();
    assert!(
        login("SetupRole").contains("dbuser:analytics/awsuser\"") && !login("SetupRole").contains("write_back_acme")
    );
    assert!(
        login("QuoteApiRole").contains("dbuser:analytics/write_back_acme\"")
            && !login("QuoteApiRole").contains("awsuser")
    );
    let setup = template.properties("InWarehouse");
    assert_eq!(setup["Warehouse"], json!({ "Cluster": "analytics", "Database": "sales", "DbUser": "awsuser" }));
    assert_eq!(setup["Writer"], json!("write_back_acme"));
    assert_eq!(
        template.properties("QuoteApi")["Environment"]["Variables"]["WAREHOUSE"],
        json!(r#"{"cluster":"analytics","database":"sales","dbUser":"write_back_acme"}"#)
    );
}

#[test]
fn a_warehouse_of_the_stack_is_private_and_nobody_knows_its_password() {
    let template = template(&file(CREATE, ""));
    let namespace = template.properties("Namespace");
    assert_includes(
        namespace,
        &json!({ "ManageAdminPassword": true, "IamRoles": [{ "Fn::GetAtt": ["SignInvoker", "Arn"] }] }),
    );
    assert_eq!(namespace["AdminUserPassword"], Json::Null);
    // It is kept when the stack is deleted, and must not be in the way of the next one.
    let uuid = json!({ "Fn::Select": [2, { "Fn::Split": ["/", { "Ref": "AWS::StackId" }] }] });
    let id = json!({ "Fn::Select": [0, { "Fn::Split": ["-", uuid] }] });
    let name = json!({ "Fn::Sub": ["acme-write-back-${Id}", { "Id": id }] });
    assert_eq!(namespace["NamespaceName"], name);
    assert_eq!(template.properties("Workgroup")["WorkgroupName"], name, "the workgroup is replaced with its namespace");
    assert_eq!(
        template.properties("QuoteApi")["Environment"]["Variables"]["WAREHOUSE"],
        json!({ "Fn::Sub": r#"{"database":"sales","workgroup":"${Workgroup}"}"# })
    );
    assert_eq!(template.resources["Namespace"].attribute("DeletionPolicy"), Some(&json!("RetainExceptOnCreate")));
    assert_includes(template.properties("Workgroup"), &json!({ "PubliclyAccessible": false, "BaseCapacity": 8 }));
    assert_eq!(
        template.properties("InWarehouse")["Warehouse"],
        json!({
            "Workgroup": { "Fn::GetAtt": ["Workgroup", "Workgroup.WorkgroupName"] },
            "Database": "sales",
            "Secret": { "Fn::Sub": "redshift!${Namespace}-admin" },
        })
    );
    assert!(rights(&template, "SetupRole")[0].contains("secret:redshift!${Namespace}-admin-??????"));
}

#[test]
fn links_open_without_a_key_and_their_content_is_not_logged() {
    let template = with("");
    let methods: Vec<_> =
        template.all("AWS::ApiGateway::Method").map(|(id, method)| (id, &method["ApiKeyRequired"])).collect();
    assert_eq!(methods, [("QuotesAnyQuote", &json!(false)), ("QuotesGetQuoteStatus", &json!(false))]);
    let stage = template.properties("QuotesStage");
    assert_eq!(stage["MethodSettings"][0]["DataTraceEnabled"], json!(false));
    let format = stage["AccessLogSetting"]["Format"].as_str().unwrap();
    for forbidden in ["path\"", "requestOverride", "querystring", "$context.path", "protocol"] {
        assert!(!format.contains(forbidden), "{format}");
    }
}

#[test]
fn a_restriction_adds_only_what_it_needs() {
    let none = with("");
    let added = |access: &str| {
        let with = with(&format!("access: {access}\n"));
        let new = |id: &&String| !none.resources.contains_key(*id) && !id.starts_with("QuotesDeployment");
        let mut ids: Vec<String> = with.resources.keys().filter(new).cloned().collect();
        ids.sort();
        ids
    };
    assert_eq!(none.properties("Quotes")["Policy"], Json::Null);
    assert_eq!(none.properties("Quotes")["EndpointConfiguration"]["Types"], json!(["REGIONAL"]));
    assert_eq!(added("{ requests_a_second: 5, burst: 9 }"), Vec::<String>::new());
    assert_eq!(added("{ only_from: [203.0.113.0/24] }"), Vec::<String>::new());
    assert_eq!(added("{ private: { vpc_endpoint: vpce-0a1b2c3d } }"), Vec::<String>::new());
    assert_eq!(added("{ api_key: true }"), ["QuotesKey", "QuotesUsagePlan", "QuotesUsagePlanKey"]);
    assert_eq!(added("{ firewall: { requests_in_five_minutes: 500 } }"), ["Firewall", "FirewallAssociation"]);
    let made = "{ private: { vpc: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d], callers: [10.0.0.0/8] } }";
    assert_eq!(added(made), ["ApiEndpoint", "ApiEndpointGroup"]);
}

#[test]
fn a_private_api_accepts_only_calls_through_its_endpoint() {
    let template = with(
        "access: { only_from: [10.1.0.0/16], private: { vpc: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d], callers: [10.0.0.0/8] } }",
    );
    let api = template.properties("Quotes");
    assert_eq!(
        api["EndpointConfiguration"],
        json!({ "Types": ["PRIVATE"], "VpcEndpointIds": [{ "Ref": "ApiEndpoint" }] })
    );
    let statements = api["Policy"]["Statement"].as_array().unwrap();
    let conditions: Vec<_> =
        statements.iter().map(|statement| (statement["Effect"].as_str().unwrap(), &statement["Condition"])).collect();
    assert_eq!(
        conditions,
        [
            ("Allow", &Json::Null),
            ("Deny", &json!({ "StringNotEquals": { "aws:SourceVpce": { "Ref": "ApiEndpoint" } } })),
            ("Deny", &json!({ "NotIpAddress": { "aws:VpcSourceIp": ["10.1.0.0/16"] } })),
        ]
    );
    let ingress = &template.properties("ApiEndpointGroup")["SecurityGroupIngress"];
    assert_includes(&ingress[0], &json!({ "CidrIp": "10.0.0.0/8", "FromPort": 443, "ToPort": 443 }));
    let link = template.properties("InWarehouse")["LinkBase"]["Fn::Sub"][0].as_str().unwrap();
    assert!(link.starts_with("https://${Quotes}-${Endpoint}.execute-api."), "{link}");
}

#[test]
fn an_address_list_rejects_others_and_creates_a_new_deployment() {
    let template = with("access: { only_from: [203.0.113.0/24] }");
    let denied = &template.properties("Quotes")["Policy"]["Statement"][1];
    assert_eq!(denied["Condition"], json!({ "NotIpAddress": { "aws:SourceIp": ["203.0.113.0/24"] } }));
    let deployment = |template: &Template| template.all("AWS::ApiGateway::Deployment").next().unwrap().0.to_owned();
    assert_ne!(deployment(&template), deployment(&with("")), "API Gateway applies a policy with the next deployment");
}

#[test]
fn the_firewall_counts_by_address_and_keeps_no_samples_of_links() {
    let template = with("access: { firewall: { requests_in_five_minutes: 500 } }");
    let firewall = template.properties("Firewall");
    let rate = &firewall["Rules"][0]["Statement"]["RateBasedStatement"];
    assert_eq!(*rate, json!({ "AggregateKeyType": "IP", "Limit": 500 }));
    let text = firewall.to_string();
    assert!(text.contains(r#""SampledRequestsEnabled":false"#) && !text.contains(r#""SampledRequestsEnabled":true"#));
    assert_eq!(template.properties("FirewallAssociation")["WebACLArn"], json!({ "Fn::GetAtt": ["Firewall", "Arn"] }));
}

#[test]
fn the_dashboards_show_links_that_quicksight_does_not_build_itself() {
    let none = with("");
    assert!(!none.resources.values().any(|resource| resource.ty.starts_with("AWS::QuickSight::")));
    let template = with(&format!("currency: EUR\n{DASHBOARD}"));
    for (id, name, column, view) in [
        ("QuoteDashboard", "Generate Quote", "generate_link", "vw_quote"),
        ("HistoryDashboard", "Accept", "accept_link", "vw_quote_history"),
    ] {
        let definition = &template.properties(id)["Definition"];
        assert_eq!(
            definition["CalculatedFields"],
            json!([{ "DataSetIdentifier": "data", "Name": name, "Expression": format!("{{{column}}}") }])
        );
        let options = &definition["Sheets"][0]["Visuals"][0]["TableVisual"]["ChartConfiguration"]["FieldOptions"];
        let link = options["SelectedFieldOptions"].as_array().unwrap().last().unwrap();
        assert_eq!(link["URLStyling"]["LinkConfiguration"]["Target"], json!("NEW_TAB"));
        assert_eq!(link["URLStyling"]["LinkConfiguration"]["Content"]["CustomTextContent"]["Value"], json!(name));
        let data = template.properties(&id.replace("Dashboard", "DashboardData"));
        assert_eq!(data["ImportMode"], json!("DIRECT_QUERY"), "a copy would show expired links");
        assert_includes(
            &data["PhysicalTableMap"]["view"]["RelationalTable"],
            &json!({ "Schema": "write_back_acme", "Name": view }),
        );
    }
    let source = &template.resources["DataSource"];
    assert_eq!(source.depends_on().collect::<Vec<_>>(), ["InWarehouse"], "the views come first");
    assert_eq!(source.properties["SslProperties"]["DisableSsl"], json!(false));
    let permissions = template.properties("QuoteDashboard")["Permissions"].as_array().unwrap();
    assert_eq!(permissions.len(), 2);
    assert!(
        permissions[0].to_string().contains("UpdateDashboard")
            && !permissions[1].to_string().contains("UpdateDashboard")
    );
}

/// Changing one of these replaces the resource, and with it what it holds.
#[test]
fn logical_ids_of_resources_with_data_do_not_change() {
    let logs = ["QuoteApiLogs", "QuotesLogs", "SignLogs", "RotateLogs", "SetupLogs"];
    let mut expected = vec!["SigningKey", "Claims", "DeadLetters"];
    expected.extend(logs);
    assert_eq!(stateful(&with("")), expected);
    assert_eq!(stateful(&template(&file(CREATE, "")))[3], "Namespace");
}

#[test]
fn a_form_has_at_most_as_many_inputs_as_the_page_accepts() {
    let inputs = |count: usize| {
        let input = |number: usize| format!("  - {{ name: a{number}, label: L, type: date }}\n");
        format!("inputs:\n{}", (0..count).map(input).collect::<String>())
    };
    with(&inputs(20));
    let message = mistake(&file(WORKGROUP, &inputs(21)));
    assert!(message.contains("`inputs` has 21 inputs; must be at most 20"), "{message}");
}

#[test]
fn a_mistake_in_the_file_is_one_sentence() {
    for (lines, message) in [
        (
            "access: { private: { vpc: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d, subnet-0a1b2c3d], callers: [10.0.0.0/8] } }",
            "`subnet-0a1b2c3d` appears twice; remove one",
        ),
        ("access: { only_from: [10.0.0.0/8, 10.0.0.0/8] }", "`10.0.0.0/8` appears twice; remove one"),
        ("readers: { users: [ann, ben, ann] }", "`ann` appears twice; remove one"),
        ("token_seconds: 59", "`token_seconds` is 59; must be 60 to 2678400"),
        ("rotation_days: 1001", "`rotation_days` is 1001; must be 0 to 1000"),
        (
            "token_seconds: 86400\nrotation_days: 1",
            "links are valid for 86400 seconds and the key for 1 days; a link must expire before the key that follows its own",
        ),
        ("schema: 'a-b'", "`a-b` is not a valid name in Redshift"),
        (
            "inputs: [{ name: a, label: L, type: date, minimum: 2030-02-29 }]",
            "`2030-02-29` is not a valid end of the range of `a`; must be a value of the type date",
        ),
        (
            "inputs: [{ name: a, label: L, type: decimal, minimum: '0.5', maximum: '0.45' }]",
            "the range of the input `a` is empty: its `minimum` is greater than its `maximum`",
        ),
        ("schema: 'x\"; drop'", "is not a valid name in Redshift"),
        ("locale: german", "`german` is not a locale; use a language, or a language and a country, as in de-DE"),
        ("currency: euro", "`euro` is not a currency; use its three letters in ISO 4217, as in EUR"),
        ("inputs: [{ name: Comment, label: L, type: text }]", "`Comment` is not a valid name of an input"),
        ("inputs: [{ name: t, label: L, type: text }]", "`t` is not a valid name of an input"),
        (
            "inputs: [{ name: a, label: L, type: colour }]",
            "`colour` is not allowed here; use one of text, integer, decimal, date",
        ),
        (
            "inputs: [{ name: a, label: L, type: text, minimum: '1' }]",
            "the input `a` is of the type text, which has no `minimum` or `maximum`; set `max_length`",
        ),
        (
            "inputs: [{ name: a, label: L, type: date, max_length: 1 }]",
            "the input `a` is of the type date, which has no `max_length`; remove it",
        ),
        (
            "inputs: [{ name: a, label: L, type: decimal, maximum: 1e3 }]",
            "`1e3` is not a valid end of the range of `a`; must be a value of the type decimal",
        ),
        (
            "inputs: [{ name: a, label: L, type: date }, { name: a, label: L, type: text }]",
            "the input `a` appears twice; remove one",
        ),
        ("access: { only_from: [10.0.0.1/8] }", "`10.0.0.1/8` is not a block of addresses"),
        ("access: { only_from: [10.0.0.0/33] }", "`10.0.0.0/33` is not a block of addresses"),
        (
            "access: { firewall: { requests_in_five_minutes: 9 } }",
            "`requests_in_five_minutes` is 9; must be 10 to 2000000000",
        ),
        (
            "access: { private: { vpc: vpc-0a1b2c3d } }",
            "`private` has either `vpc_endpoint`, or `vpc`, `subnets` and `callers`; give one or the other",
        ),
        (
            "access: { private: { vpc_endpoint: vpc-0a1b2c3d } }",
            "`vpc-0a1b2c3d` is not a valid ID; must be vpce- and 8 or 17 hexadecimal digits",
        ),
        (
            "dashboard: { owners: [] }",
            "QuickSight logs in with `secret`, or with `role` and `database_user`; give one or the other",
        ),
        (
            "dashboard: { role: 'arn:aws:iam::123456789012:role/q', database_user: u, owners: [] }",
            "the dashboards have no owner; name at least one under `owners`",
        ),
    ] {
        let error = mistake(&file(WORKGROUP, lines));
        assert!(error.contains(message), "{lines}\n{error}");
    }
    let warehouse = |text: &str| mistake(&file(&format!("warehouse: {text}\n"), ""));
    assert!(warehouse("{}").contains("a warehouse is either `create`, `workgroup` or `cluster`; give one of them"));
    assert!(warehouse("{ workgroup: { name: a, id: a, database: d } }").contains("`a` is not a workgroup ID"));
    assert!(
        warehouse("{ create: { database: d, capacity: 12, subnets: [], security_groups: [] } }")
            .contains("`capacity` is 12; must be a multiple of 8 Redshift processing units")
    );
    assert!(
        mistake(&file(CREATE, DASHBOARD)).contains("name the `vpc_connection` through which QuickSight reaches it")
    );
}
