//! The template of the Slack connector.

mod properties;

use cfn::assertions::assert_includes;
use cfn::{Json, Template};
use serde_json::json;
use template_tests::{mistake, rights, stateful, template, tenant_file};

const LEAST: &str = "client_id: \"12.34\"\nenterprise_id: E12345678\nadmins: [Ada@example.com, bob@example.com]\n";

fn with(lines: &str) -> Template {
    template(&tenant_file("slack-connector", &format!("{LEAST}{lines}")))
}

fn variables(template: &Template, function: &str) -> Json {
    template.properties(function)["Environment"]["Variables"].clone()
}

#[test]
fn logical_ids_of_resources_with_data_do_not_change() {
    assert_eq!(
        stateful(&with("")),
        [
            "ClientSecret",
            "SlackToken",
            "StartKey",
            "States",
            "Scratch",
            "DeadLetters",
            "Turns",
            "ConnectorLogs",
            "PagesLogs",
            "InstallLogs"
        ]
    );
}

#[test]
fn the_connector_reads_the_token_and_leaves_blocks_in_one_place() {
    let template = with("");
    assert_eq!(
        rights(&template, "ConnectorRole"),
        [
            r#"secretsmanager:GetSecretValue: {"Fn::GetAtt":["SlackToken","Id"]}"#,
            r#"s3:PutObject: {"Fn::Sub":"${Scratch.Arn}/spill/*"}"#,
            r#"s3:AbortMultipartUpload s3:GetObject s3:PutObject: {"Fn::Sub":"${Scratch.Arn}/days/E12345678/*"}"#,
            r#"s3:ListBucket: {"Fn::GetAtt":["Scratch","Arn"]}"#,
            r#"dynamodb:GetItem dynamodb:PutItem: {"Fn::GetAtt":["Turns","Arn"]}"#,
            r#"athena:GetQueryExecution: {"Fn::Sub":"arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:workgroup/acme-slack-connector"}"#,
        ]
    );
    assert_eq!(
        variables(&template, "Connector"),
        json!({
            "TENANT": "acme",
            "SLACK_TOKEN_SECRET": { "Fn::GetAtt": ["SlackToken", "Id"] },
            "SPILL_BUCKET": { "Ref": "Scratch" },
            "SPILL_PREFIX": "spill",
            "FILES_BUCKET": { "Ref": "Scratch" },
            "FILES_PREFIX": "days/E12345678",
            "TURNS_TABLE": { "Ref": "Turns" },
        })
    );
}

#[test]
fn options_of_the_connector_are_its_variables() {
    let variables = variables(&with("booleans: text\nmembers: 200000"), "Connector");
    assert_includes(&variables, &json!({ "BOOLEANS": "text", "MEMBERS": "200000" }));
}

#[test]
fn the_installer_writes_the_token_and_only_reads_the_other_secrets() {
    let template = with("");
    assert_eq!(
        rights(&template, "InstallRole"),
        [
            r#"secretsmanager:GetSecretValue: {"Fn::GetAtt":["ClientSecret","Id"]}"#,
            r#"secretsmanager:GetSecretValue: {"Fn::GetAtt":["StartKey","Id"]}"#,
            r#"secretsmanager:GetSecretValue secretsmanager:PutSecretValue secretsmanager:UpdateSecretVersionStage: {"Fn::GetAtt":["SlackToken","Id"]}"#,
            r#"dynamodb:DeleteItem dynamodb:PutItem: {"Fn::GetAtt":["States","Arn"]}"#,
        ]
    );
    let redirect = "https://${Pages}.execute-api.${AWS::Region}.${AWS::URLSuffix}/callback";
    assert_includes(
        &variables(&template, "Install"),
        &json!({
            "ADMINS": r#"["ada@example.com","bob@example.com"]"#,
            "REDIRECT_URL": { "Fn::Sub": redirect },
            "ENTERPRISE_ID": "E12345678",
        }),
    );
    assert_eq!(template.outputs["RedirectUrl"]["Value"], json!({ "Fn::Sub": redirect }));
}

#[test]
fn the_start_key_is_made_by_secrets_manager() {
    assert_eq!(
        with("").properties("StartKey")["GenerateSecretString"],
        json!({ "PasswordLength": 64, "ExcludePunctuation": true })
    );
}

#[test]
fn browsers_reach_five_routes_at_the_root_of_the_host() {
    let template = with("");
    let routes: Vec<&str> = template
        .resources
        .values()
        .filter(|resource| resource.ty == "AWS::ApiGatewayV2::Route")
        .map(|route| route.properties["RouteKey"].as_str().unwrap())
        .collect();
    assert_eq!(routes, ["GET /install", "POST /install", "GET /callback", "GET /revoke", "POST /revoke"]);
    assert_includes(
        template.properties("PagesRoutesIntegration"),
        &json!({ "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0" }),
    );
    let stage = template.properties("PagesStage");
    assert_includes(stage, &json!({ "StageName": "$default", "AutoDeploy": true }));
    let log = stage["AccessLogSettings"]["Format"].as_str().unwrap();
    for forbidden in ["path", "query", "header", "cookie", "integration"] {
        assert!(!log.to_lowercase().contains(forbidden), "the access log has `{forbidden}` in it: {log}");
    }
    let source = json!({ "SourceArn": { "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Pages}/*" } });
    assert_includes(template.properties("PagesRoutesPermission"), &source);
}

#[test]
fn the_token_is_checked_every_hour() {
    let template = with("");
    let schedule = template.properties("Refresh");
    assert_eq!(schedule["ScheduleExpression"], "rate(1 hour)");
    assert_eq!(schedule["Target"]["Input"], r#"{"refresh":true}"#);
    assert_eq!(schedule["Target"]["Arn"], json!({ "Fn::GetAtt": ["Install", "Arn"] }));
}

#[test]
fn athena_calls_the_connector_under_a_name_that_sql_takes_without_quotes() {
    let file = tenant_file("slack-connector", LEAST).replace("tenant: acme", "tenant: acme-eu");
    let function = json!({ "Fn::GetAtt": ["Connector", "Arn"] });
    assert_includes(
        template(&file).properties("Catalog"),
        &json!({ "Name": "acme_eu_slack", "Type": "LAMBDA", "Parameters": { "function": function } }),
    );
}

#[test]
fn results_of_queries_are_kept_in_the_bucket_whatever_a_client_requests() {
    assert_includes(
        &with("").properties("WorkGroup")["WorkGroupConfiguration"],
        &json!({
            "EnforceWorkGroupConfiguration": true,
            "ResultConfiguration": {
                "OutputLocation": { "Fn::Sub": ["s3://${Scratch}/results/", { "Scratch": { "Ref": "Scratch" } }] },
                "ExpectedBucketOwner": { "Ref": "AWS::AccountId" },
                "EncryptionConfiguration": { "EncryptionOption": "SSE_S3" },
            },
        }),
    );
}

#[test]
fn objects_in_the_bucket_expire_after_a_day() {
    let template = with("");
    let bucket = template.properties("Scratch");
    assert_includes(
        &bucket["LifecycleConfiguration"]["Rules"][0],
        &json!({ "ExpirationInDays": 1, "Status": "Enabled" }),
    );
    assert!(bucket["VersioningConfiguration"].is_null(), "no version outlives its object");
    let statement = &template.properties("ScratchPolicy")["PolicyDocument"]["Statement"][0];
    assert_includes(statement, &json!({ "Effect": "Deny", "Condition": { "Bool": { "aws:SecureTransport": false } } }));
}

#[test]
fn files_that_are_kept_have_a_bucket_of_their_own_that_outlives_the_stack() {
    let key = "arn:aws:kms:eu-central-1:123456789012:key/0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f";
    let template = with(&format!("keep_days: 90\nkms_key: {key}"));
    assert!(stateful(&template).contains(&"Files"));
    assert_eq!(template.resources["Files"].attribute("DeletionPolicy"), Some(&json!("RetainExceptOnCreate")));
    let bucket = template.properties("Files");
    assert_includes(
        &bucket["LifecycleConfiguration"]["Rules"][0],
        &json!({ "ExpirationInDays": 90, "Status": "Enabled" }),
    );
    assert_eq!(
        bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"],
        json!({ "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key })
    );
    assert_eq!(variables(&template, "Connector")["FILES_BUCKET"], json!({ "Ref": "Files" }));
    let rights = rights(&template, "ConnectorRole");
    assert!(rights.contains(&r#"s3:ListBucket: {"Fn::GetAtt":["Files","Arn"]}"#.to_owned()), "{rights:?}");
    assert!(rights.iter().all(|right| !right.contains("s3:Delete")), "only the lifecycle deletes files: {rights:?}");
    let query = template.properties("QueryPolicy")["PolicyDocument"].to_string();
    assert!(!query.contains("Files"), "who queries reads rows, not files: {query}");
    let plain = with("");
    assert!(!plain.resources.contains_key("Files") && !plain.resources.contains_key("Nightly"));
}

#[test]
fn missing_files_are_fetched_each_night_at_a_time_that_differs_between_tenants() {
    for (keep, fetched) in [(1, 1), (396, 396), (3650, 397)] {
        let template = with(&format!("keep_days: {keep}"));
        let schedule = template.properties("Nightly");
        assert_eq!(schedule["ScheduleExpression"], "cron(0 3 * * ? *)");
        assert_eq!(schedule["FlexibleTimeWindow"], json!({ "Mode": "FLEXIBLE", "MaximumWindowInMinutes": 120.0 }));
        assert_eq!(schedule["Target"]["Input"], format!(r#"{{"fetchDays":{fetched}}}"#));
        assert_eq!(schedule["Target"]["Arn"], json!({ "Fn::GetAtt": ["Connector", "Arn"] }));
    }
}

#[test]
fn a_key_of_the_tenant_encrypts_blocks_and_results() {
    let key = "arn:aws:kms:eu-central-1:123456789012:key/0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f";
    let template = with(&format!("kms_key: {key}"));
    assert_eq!(
        template.properties("Scratch")["BucketEncryption"]["ServerSideEncryptionConfiguration"],
        json!([{
            "BucketKeyEnabled": true,
            "ServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key },
        }])
    );
    assert_eq!(
        template.properties("WorkGroup")["WorkGroupConfiguration"]["ResultConfiguration"]["EncryptionConfiguration"],
        json!({ "EncryptionOption": "SSE_KMS", "KmsKey": key })
    );
    assert_eq!(variables(&template, "Connector")["KMS_KEY"], key);
    assert!(rights(&template, "ConnectorRole").contains(&format!("kms:Decrypt kms:GenerateDataKey: {key:?}")));
}

#[test]
fn the_query_policy_allows_only_this_connector() {
    let template = with("");
    let statements = template.properties("QueryPolicy")["PolicyDocument"]["Statement"].as_array().unwrap();
    let resources: Vec<String> = statements.iter().map(|statement| statement["Resource"].to_string()).collect();
    assert_eq!(
        resources,
        [
            r#"{"Fn::GetAtt":["Connector","Arn"]}"#,
            r#"{"Fn::Sub":"arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:workgroup/acme-slack-connector"}"#,
            r#"{"Fn::Sub":"arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:datacatalog/acme_slack"}"#,
            r#"{"Fn::GetAtt":["Scratch","Arn"]}"#,
            r#"{"Fn::Sub":"${Scratch.Arn}/spill/*"}"#,
            r#"{"Fn::Sub":"${Scratch.Arn}/results/*"}"#,
        ]
    );
}

const DASHBOARD: &str = "dashboard:\n  employees: { table: hr.employees, email: work_email, department: unit }\n  owners: [arn:aws:quicksight:eu-central-1:123456789012:group/default/analysts]\n  viewers: [arn:aws:quicksight:eu-central-1:123456789012:user/default/ada]\n";

#[test]
fn the_dashboard_counts_members_by_the_department_of_the_employee() {
    for (lines, is_active) in [("", "m.is_active"), ("booleans: text\n", "m.is_active = 'true'")] {
        let template = with(&format!("{lines}{DASHBOARD}"));
        let set = template.properties("AdoptionData");
        assert_eq!(set["ImportMode"], "SPICE");
        let sql = set["PhysicalTableMap"]["adoption"]["CustomSql"]["SqlQuery"].as_str().unwrap();
        for expected in [
            &format!("CASE WHEN {is_active} THEN 1 ELSE 0 END AS is_active"),
            r#"FROM "acme_slack"."slackanalytics"."member_analytics" m"#,
            r#"max("unit") AS department FROM "awsdatacatalog"."hr"."employees" GROUP BY 1) e ON e.email = lower(m.email_address)"#,
            "date_add('day', -30, current_date)",
        ] {
            assert!(sql.contains(expected), "{sql}\nexpected: {expected}");
        }
    }
}

#[test]
fn the_dashboard_shows_only_columns_and_measures_that_exist() {
    let template = with(DASHBOARD);
    let columns = template.properties("AdoptionData")["PhysicalTableMap"]["adoption"]["CustomSql"]["Columns"].clone();
    let definition = &template.properties("AdoptionDashboard")["Definition"];
    let named = |list: &Json| -> Vec<String> {
        list.as_array().unwrap().iter().map(|column| column["Name"].as_str().unwrap().to_owned()).collect()
    };
    let known = [named(&columns), named(&definition["CalculatedFields"])].concat();
    let mut shown = Vec::new();
    visit(definition, &mut |key, value| {
        if key == "ColumnName" {
            shown.push(value.as_str().unwrap().to_owned());
        }
        if key == "Expression" {
            let names =
                value.as_str().unwrap().split('{').skip(1).map(|part| part.split('}').next().unwrap().to_owned());
            shown.extend(names);
        }
    });
    assert!(shown.len() > 8);
    for name in shown {
        assert!(known.contains(&name), "there is no `{name}`; there are {known:?}");
    }
    let elements = definition["Sheets"][0]["Layouts"][0]["Configuration"]["GridLayout"]["Elements"].as_array().unwrap();
    assert_eq!(elements.len(), definition["Sheets"][0]["Visuals"].as_array().unwrap().len());
}

/// Calls `see` with each key and its value, at any depth.
fn visit(json: &Json, see: &mut impl FnMut(&str, &Json)) {
    match json {
        Json::Object(fields) => fields.iter().for_each(|(key, value)| {
            see(key, value);
            visit(value, see);
        }),
        Json::Array(items) => items.iter().for_each(|item| visit(item, see)),
        _ => {}
    }
}

#[test]
fn the_dashboards_copy_is_refreshed_every_morning() {
    let template = with(DASHBOARD);
    assert_eq!(
        template.properties("AdoptionRefresh")["Schedule"],
        json!({
            "ScheduleId": "daily",
            "RefreshType": "FULL_REFRESH",
            "ScheduleFrequency": { "Interval": "DAILY", "TimeOfTheDay": "06:00", "TimeZone": "UTC" },
        })
    );
    let schedule = &template.resources["AdoptionRefresh"];
    assert_eq!(schedule.depends_on().collect::<Vec<_>>(), ["AdoptionData"]);
    assert_includes(
        template.properties("DataSource"),
        &json!({ "Type": "ATHENA", "DataSourceParameters": { "AthenaParameters": { "WorkGroup": { "Ref": "WorkGroup" } } } }),
    );
}

#[test]
fn a_mistake_in_the_file_is_reported_with_what_is_allowed() {
    let said = |lines: &str| mistake(&tenant_file("slack-connector", lines));
    let (client, enterprise, admins) = ("client_id: \"12.34\"", "enterprise_id: E12345678", "admins: [a@example.com]");
    for (lines, expected) in [
        (format!("{enterprise}\n{admins}"), "the key `client_id` is missing"),
        (
            format!("client_id: 1234\n{enterprise}\n{admins}"),
            "`1234` is not a client ID of Slack; must be two numbers with a dot in between, in quotes",
        ),
        (
            format!("{client}\nenterprise_id: T12345678\n{admins}"),
            "`T12345678` is not an organization on Slack; must be its ID: E, then capital letters and digits",
        ),
        (format!("{client}\n{enterprise}\nadmins: []"), "`admins` has 0 addresses; must have 1 to 20"),
        (
            format!(
                "{client}\n{enterprise}\nadmins: [{}]",
                (0..20)
                    .map(|n| format!("{}{n}@{}.example.com", "a".repeat(50), "d".repeat(50)))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            "`admins` has 2351 bytes as JSON; must have at most 2048; name fewer people",
        ),
        (format!("{client}\n{enterprise}\nadmins: [ada]"), "`ada` is not a valid e-mail address"),
        (format!("{LEAST}members: 0"), "`members` is 0; must be 1 to 5000000"),
        (format!("{LEAST}keep_days: 0"), "`keep_days` is 0; must be 1 to 3650"),
        (format!("{LEAST}keep_days: 3651"), "`keep_days` is 3651; must be 1 to 3650"),
        (format!("{LEAST}booleans: yes"), "`yes` is not allowed here; use one of boolean, text"),
        (
            format!("{LEAST}kms_key: alias/slack"),
            "`alias/slack` is not a KMS key; use arn:aws:kms:<region>:<account>:key/<id>",
        ),
        (
            format!("{LEAST}dashboard: {{ employees: {{ table: hr.e, email: e, department: d }}, owners: [] }}"),
            "the dashboard has no owner; name at least one under `owners`",
        ),
        (
            format!("{LEAST}dashboard: {{ employees: {{ table: employees, email: e, department: d }}, owners: [] }}"),
            "`employees` is not a table in Athena; must be <database>.<table>",
        ),
        (
            format!("{LEAST}dashboard: {{ employees: {{ table: hr.e, email: 'e\"', department: d }}, owners: [] }}"),
            "`e\"` is not a valid name in Athena",
        ),
        (format!("{LEAST}token: xoxp-1"), "unknown key `token`"),
    ] {
        let message = said(&lines);
        let sentence = message.splitn(3, ':').nth(2).unwrap().trim_start();
        assert!(sentence.starts_with(expected), "{message}\nexpected: {expected}");
    }
}
