//! The template of report delivery.

mod properties;

use cfn::assertions::assert_includes;
use cfn::{Json, Template};
use serde_json::json;
use template_tests::{mistake, rights, stateful, template, tenant_file};

const TAGS: &str = "row_level_tags: [{ key: tenant, value: t-42 }]\n";
const DASHBOARDS: &str = "dashboards: all\n";
const EMAIL: &str = "deliveries: { email: { from: reports@acme.example } }\n";
const PARTNER: &str =
    "deliveries: { partner_bucket: { name: partner-inbox, account: \"210987654321\", prefix: acme/ } }\n";
const SFTP: &str = "deliveries: { sftp: { connector: c-0123456789abcdef0, folder: /in } }\n";
const SCHEDULE: &str =
    "schedules:\n  weekly: { dashboard: d1, sheet: s1, format: PDF, rate: 7 days, recipients: [a@b.example] }\n";

/// The template of a tenant with these lines, and all dashboards unless they say which.
fn with(lines: &str) -> Template {
    template(&file(&format!("{TAGS}{lines}")))
}

fn file(lines: &str) -> String {
    let dashboards = if lines.contains("dashboards:") { "" } else { DASHBOARDS };
    tenant_file("report-delivery", &format!("{dashboards}{lines}"))
}

fn variables(template: &Template, function: &str) -> Json {
    template.properties(function)["Environment"]["Variables"].clone()
}

#[test]
fn jobs_are_found_by_dashboard_and_unfinished_ones_by_age() {
    let template = with("");
    let jobs = template.properties("Jobs");
    let key = |name: &str, ty: &str| json!({ "AttributeName": name, "KeyType": ty });
    assert_includes(
        jobs,
        &json!({
            "KeySchema": [key("dashboardId", "HASH"), key("jobId", "RANGE")],
            "GlobalSecondaryIndexes": [{
                "IndexName": "open",
                "KeySchema": [key("open", "HASH"), key("since", "RANGE")],
                "Projection": { "ProjectionType": "ALL" },
            }],
            "TimeToLiveSpecification": { "AttributeName": "expires", "Enabled": true },
            "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
            "DeletionProtectionEnabled": false,
        }),
    );
    let types: Vec<_> =
        jobs["AttributeDefinitions"].as_array().unwrap().iter().map(|attribute| &attribute["AttributeType"]).collect();
    assert_eq!(types, ["S", "S", "S", "N"]);
}

#[test]
fn quicksight_writes_below_the_tenants_prefix_for_this_account_only() {
    let template = with("retention_days: 3");
    let statements = template.properties("ReportsPolicy")["PolicyDocument"]["Statement"].as_array().unwrap();
    assert_includes(
        &statements[0],
        &json!({ "Effect": "Deny", "Condition": { "Bool": { "aws:SecureTransport": false } } }),
    );
    let condition = json!({
        "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } },
        "ArnLike": { "aws:SourceArn": { "Fn::Sub": "arn:${AWS::Partition}:quicksight:${AWS::Region}:${AWS::AccountId}:*" } },
    });
    for statement in &statements[1..] {
        assert_eq!(statement["Principal"], json!({ "Service": "quicksight.amazonaws.com" }));
        assert_eq!(statement["Condition"], condition);
    }
    assert_eq!(statements[2]["Resource"], json!({ "Fn::Sub": "${Reports.Arn}/t/acme/*" }));
    // A rule against requests without an encryption header would reject QuickSight, which sends none.
    assert_eq!(statements.iter().filter(|statement| statement["Effect"] == "Deny").count(), 1);
    assert_includes(
        template.properties("Reports"),
        &json!({
            "NotificationConfiguration": { "EventBridgeConfiguration": { "EventBridgeEnabled": true } },
            "VersioningConfiguration": { "Status": "Enabled" },
        }),
    );
    let rule = &template.properties("Reports")["LifecycleConfiguration"]["Rules"][0];
    assert_includes(rule, &json!({ "ExpirationInDays": 3, "NoncurrentVersionExpiration": { "NoncurrentDays": 7 } }));
}

#[test]
fn the_published_paths_exist_and_need_a_key() {
    let template = with("");
    let paths: Vec<_> =
        template.all("AWS::ApiGateway::Resource").map(|(_, resource)| resource["PathPart"].as_str().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "qs-anonymous-snapshot",
            "describe_job",
            "{dashboardId}",
            "{jobId}",
            "describe_job_result",
            "{dashboardId}",
            "{jobId}",
            "download_output",
            "{dashboardId}",
            "{jobId}",
            "{dashboardId}",
            "{jobId}",
        ]
    );
    for (id, method) in template.all("AWS::ApiGateway::Method") {
        assert_eq!(method["ApiKeyRequired"], json!(true), "{id}");
    }
    assert_includes(
        template.properties("RequestsUsagePlan"),
        &json!({ "Throttle": { "RateLimit": 100, "BurstLimit": 200 }, "Quota": { "Limit": 10000, "Period": "DAY" } }),
    );
    let stage = template.properties("RequestsStage");
    assert_eq!(
        stage["CacheClusterEnabled"],
        Json::Null,
        "a cache would answer one caller with another caller's report"
    );
}

#[test]
fn the_access_log_contains_nothing_that_callers_write() {
    let template = with("");
    let format = template.properties("RequestsStage")["AccessLogSetting"]["Format"].as_str().unwrap();
    let fields: serde_json::Map<String, Json> = serde_json::from_str(format).unwrap();
    let logged: Vec<&str> = fields.values().map(|field| field.as_str().unwrap()).collect();
    let allowed = [
        "$context.requestId",
        "$context.requestTime",
        "$context.identity.sourceIp",
        "$context.identity.apiKeyId",
        "$context.httpMethod",
        "$context.resourcePath",
        "$context.status",
        "$context.error.responseType",
        "$context.responseLength",
        "$context.responseLatency",
    ];
    assert!(logged.iter().all(|field| allowed.contains(field)), "{logged:?}");
}

#[test]
fn each_function_has_only_the_rights_it_needs() {
    let template = with(&format!("dashboards: [d1]\n{EMAIL}"));
    let jobs = r#"{"Fn::GetAtt":["Jobs","Arn"]}"#;
    let files = r#"{"Fn::Sub":"${Reports.Arn}/t/acme/*"}"#;
    assert_eq!(
        rights(&template, "ReportApiRole"),
        [
            r#"secretsmanager:GetSecretValue: {"Fn::GetAtt":["PageKey","Id"]}"#.to_owned(),
            format!("dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:Scan dynamodb:UpdateItem: {jobs}"),
            format!("s3:GetObject s3:DeleteObject s3:DeleteObjectVersion: {files}"),
            r#"s3:ListBucket: {"Fn::GetAtt":["Reports","Arn"]}"#.to_owned(),
            r#"s3:ListBucketVersions: {"Fn::GetAtt":["Reports","Arn"]}"#.to_owned(),
        ]
    );
    let list = &template.properties("ReportApiRole")["Policies"][0]["PolicyDocument"]["Statement"][5];
    assert_eq!(list["Condition"], json!({ "StringLike": { "s3:prefix": "t/acme/*" } }));
    let dashboard = "arn:${AWS::Partition}:quicksight:${AWS::Region}:${AWS::AccountId}:dashboard/d1";
    let slots = r#"{"Fn::Sub":"arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${SlotTable}"}"#;
    assert_eq!(
        rights(&template, "ReportPollerRole"),
        [
            format!("dynamodb:GetItem dynamodb:UpdateItem: {jobs}"),
            r#"dynamodb:Query: {"Fn::Sub":"${Jobs.Arn}/index/open"}"#.to_owned(),
            format!("dynamodb:Scan: {slots}"),
            format!("dynamodb:DeleteItem dynamodb:PutItem: {slots}"),
            format!(
                "quicksight:DescribeDashboardSnapshotJob quicksight:DescribeDashboardSnapshotJobResult quicksight:StartDashboardSnapshotJob: \
                 [{{\"Fn::Sub\":\"{dashboard}\"}},{{\"Fn::Sub\":\"{dashboard}/snapshot-job/*\"}}]"
            ),
        ]
    );
    let identity = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/";
    assert_eq!(
        rights(&template, "ReportSenderRole"),
        [
            "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams: \
             {\"Fn::GetAtt\":[\"Jobs\",\"StreamArn\"]}"
                .to_owned(),
            format!("dynamodb:GetItem dynamodb:UpdateItem: {jobs}"),
            format!("s3:GetObject: {files}"),
            format!(
                "ses:SendEmail ses:SendRawEmail: [{{\"Fn::Sub\":\"{identity}reports@acme.example\"}},{{\"Fn::Sub\":\"{identity}acme.example\"}}]"
            ),
        ]
    );
}

#[test]
fn a_copy_goes_only_to_a_bucket_of_the_partners_account() {
    let template = with(PARTNER);
    let statements = &template.properties("ReportSenderRole")["Policies"][0]["PolicyDocument"]["Statement"];
    let copy =
        statements.as_array().unwrap().iter().find(|statement| statement["Action"][0] == "s3:PutObject").unwrap();
    assert_eq!(copy["Resource"], json!({ "Fn::Sub": "arn:${AWS::Partition}:s3:::partner-inbox/acme/*" }));
    assert_eq!(copy["Condition"], json!({ "StringEquals": { "aws:ResourceAccount": "210987654321" } }));
}

#[test]
fn the_sender_exists_only_with_a_delivery() {
    let none = with("");
    let added = |lines: &str| {
        let with = with(lines);
        let mut ids: Vec<String> =
            with.resources.keys().filter(|id| !none.resources.contains_key(*id)).cloned().collect();
        ids.sort();
        ids
    };
    let sender = ["Completed", "ReportSender", "ReportSenderLogs", "ReportSenderRole", "SenderErrors"];
    for delivery in [EMAIL, PARTNER, SFTP] {
        assert_eq!(added(delivery), sender, "{delivery}");
    }
    assert_eq!(none.properties("Jobs")["StreamSpecification"], Json::Null);
    assert_eq!(none.all("AWS::Lambda::Function").count(), 2);
    assert_eq!(none.all("AWS::Scheduler::Schedule").count(), 1);
    let sender = |lines: &str| variables(&with(lines), "ReportSender");
    assert_includes(&sender(EMAIL), &json!({ "MAIL_FROM": "reports@acme.example", "MAIL_ATTACH_BYTES": "7000000" }));
    assert_includes(
        &sender(PARTNER),
        &json!({ "PARTNER_BUCKET": "partner-inbox", "PARTNER_ACCOUNT": "210987654321", "PARTNER_PREFIX": "acme/" }),
    );
    assert_includes(&sender(SFTP), &json!({ "SFTP_CONNECTOR": "c-0123456789abcdef0", "SFTP_FOLDER": "/in" }));
    assert_eq!(sender(SFTP)["MAIL_FROM"], Json::Null);
    let link_base =
        "https://${Requests}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${RequestsStage}/qs-anonymous-snapshot";
    assert_eq!(sender(EMAIL)["MAIL_LINK_BASE"], json!({ "Fn::Sub": link_base }));
    assert_eq!(
        variables(&with(EMAIL), "ReportApi")["RECIPIENT_DOMAINS"],
        Json::Null,
        "callers cannot have reports sent"
    );
    let domains = with("deliveries: { email: { from: r@a.example, recipient_domains: [b.example, a.example] } }");
    assert_eq!(variables(&domains, "ReportApi")["RECIPIENT_DOMAINS"], json!(r#"["a.example","b.example"]"#));
}

#[test]
fn only_completed_jobs_reach_the_sender_and_a_failing_one_does_not_delay_others() {
    let template = with(EMAIL);
    let trigger = template.properties("Completed");
    assert_includes(
        trigger,
        &json!({
            "EventSourceArn": { "Fn::GetAtt": ["Jobs", "StreamArn"] },
            "BisectBatchOnFunctionError": true,
            "StartingPosition": "TRIM_HORIZON",
            "DestinationConfig": { "OnFailure": { "Destination": { "Fn::GetAtt": ["DeadLetters", "Arn"] } } },
        }),
    );
    let pattern = trigger["FilterCriteria"]["Filters"][0]["Pattern"].as_str().unwrap();
    assert_eq!(pattern, r#"{"dynamodb":{"NewImage":{"state":{"S":["COMPLETED"]}}}}"#);
    assert_eq!(template.properties("Jobs")["StreamSpecification"]["StreamViewType"], json!("NEW_IMAGE"));
}

#[test]
fn the_queue_moves_each_minute_and_when_a_file_of_the_tenant_arrives() {
    let template = with("");
    let sweep = template.properties("Sweep");
    assert_eq!(sweep["ScheduleExpression"], json!("rate(1 minute)"));
    assert_eq!(sweep["Target"]["Arn"], json!({ "Fn::GetAtt": ["ReportPoller", "Arn"] }));
    assert_eq!(sweep["Target"]["Input"], json!(r#"{"every":5,"sweep":true}"#));
    let stored = template.properties("Stored");
    assert_eq!(
        stored["EventPattern"],
        json!({
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": { "bucket": { "name": [{ "Ref": "Reports" }] }, "object": { "key": [{ "prefix": "t/acme/" }] } },
        })
    );
    assert_eq!(stored["Targets"][0]["InputTransformer"], Json::Null, "the function gets the event as it is");
}

#[test]
fn a_schedule_asks_the_api_for_a_report_with_an_id_for_each_tick() {
    let lines = format!("{EMAIL}{SCHEDULE}");
    let template = with(&lines);
    let target = &template.properties("ScheduleWeekly")["Target"];
    assert_eq!(target["Arn"], json!({ "Fn::GetAtt": ["ReportApi", "Arn"] }));
    let input: Json = serde_json::from_str(target["Input"].as_str().unwrap()).unwrap();
    assert_eq!(
        input,
        json!({
            "scheduledReport": { "dashboardId": "d1", "sheetId": "s1", "format": "PDF", "recipients": ["a@b.example"] },
            "deliveryId": "<aws.scheduler.schedule-arn>/<aws.scheduler.scheduled-time>",
        })
    );
}

#[test]
fn parameters_of_a_schedule_arrive_as_they_are_in_the_file() {
    let parameters = "{ DecimalParameters: [{ Name: r, Values: [0.1] }], IntegerParameters: [{ Name: n, Values: [9007199254740993] }] }";
    let template = with(&format!(
        "{PARTNER}schedules:\n  a: {{ dashboard: d, sheet: s, format: EXCEL, visuals: [v], rate: 1 day, parameters: {parameters} }}"
    ));
    let input = template.properties("ScheduleA")["Target"]["Input"].as_str().unwrap();
    assert!(input.contains("[0.1]") && input.contains("[9007199254740993]"), "{input}");
}

#[test]
fn whose_rows_a_report_shows_is_fixed_or_a_claim_of_a_caller_with_a_token() {
    let template = with("");
    assert_eq!(variables(&template, "ReportApi")["ROW_LEVEL_TAGS"], json!(r#"[{"key":"tenant","value":"t-42"}]"#));
    assert_eq!(template.all("AWS::ApiGateway::Authorizer").count(), 0);
    let pool = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEf";
    let lines = format!("row_level_tags: [{{ key: customer, claim: 'custom:customer' }}]\nuser_pool: {pool}\n");
    let template = template_tests::template(&file(&lines));
    assert_eq!(
        variables(&template, "ReportApi")["ROW_LEVEL_TAGS"],
        json!(r#"[{"claim":"custom:customer","key":"customer"}]"#)
    );
    assert_eq!(template.properties("RequestsUsers")["ProviderARNs"], json!([pool]));
    for (id, method) in template.all("AWS::ApiGateway::Method") {
        assert_eq!(method["AuthorizerId"], json!({ "Ref": "RequestsUsers" }), "{id}");
        assert_eq!(method["ApiKeyRequired"], json!(true), "{id}");
    }
}

#[test]
fn reports_that_show_all_rows_are_a_warning() {
    let assembly = template_tests::assembly(&file("row_level_tags: []"));
    let messages: Vec<&str> = assembly.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, ["reports show all rows, since `row_level_tags` is empty"]);
}

#[test]
fn reports_are_made_of_the_dashboards_that_the_file_names() {
    let missing = mistake(&tenant_file("report-delivery", TAGS));
    assert!(missing.contains("dashboards"), "{missing}");
    let resources = |template: &Template| rights(template, "ReportPollerRole").last().unwrap().clone();
    let all = with("dashboards: all");
    assert_eq!(variables(&all, "ReportApi")["DASHBOARDS"], json!("all"));
    assert!(resources(&all).contains("dashboard/*"), "{}", resources(&all));
    let two = with("dashboards: [d2, d1]");
    assert_eq!(variables(&two, "ReportApi")["DASHBOARDS"], json!(r#"["d1","d2"]"#));
    assert!(!resources(&two).contains("dashboard/*"), "{}", resources(&two));
}

#[test]
fn a_job_is_listed_as_long_as_its_files_are_kept() {
    assert_eq!(variables(&with("retention_days: 7"), "ReportPoller")["RETENTION_DAYS"], json!("7"));
}

#[test]
fn the_slot_table_is_the_platforms() {
    let template = with("slots: 12");
    assert_eq!(
        template.parameters["SlotTable"]["Type"],
        json!("AWS::SSM::Parameter::Value<String>"),
        "the parameter resolves to the table's name"
    );
    assert_eq!(template.parameters["SlotTable"]["Default"], json!("/ferrostack/platform/slot-table"));
    assert_includes(
        &variables(&template, "ReportPoller"),
        &json!({ "SLOT_TABLE": { "Ref": "SlotTable" }, "SLOTS": "12" }),
    );
    let statements = &template.properties("ReportPollerRole")["Policies"][0]["PolicyDocument"]["Statement"];
    let change = statements
        .as_array()
        .unwrap()
        .iter()
        .find(|statement| statement["Action"][0] == "dynamodb:DeleteItem")
        .unwrap();
    assert_eq!(
        change["Condition"],
        json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["slot#*", "waiting#acme"] } }),
        "no tenant takes the place of a different one in the line"
    );
}

/// Changing one of these replaces the resource, and with it what it holds.
#[test]
fn logical_ids_of_resources_with_data_do_not_change() {
    let expected = ["Jobs", "Reports", "PageKey", "DeadLetters", "ReportApiLogs", "ReportPollerLogs", "RequestsLogs"];
    assert_eq!(stateful(&with("")), expected);
}

#[test]
fn a_mistake_in_the_file_is_one_sentence() {
    for (lines, message) in [
        ("slots: 13", "`slots` is 13; must be 1 to 12"),
        ("slots: 0", "`slots` is 0; must be 1 to 12"),
        ("url_seconds: 3600", "`url_seconds` is 3600; must be 1 to 300"),
        ("retention_days: 0", "`retention_days` is 0; must be 1 to 3650"),
        ("dashboards: []", "`dashboards` is empty; name at least one, or write `dashboards: all`"),
        ("dashboards: [a/b]", "`a/b` is not a QuickSight ID; use 1 to 512 letters, digits, `-` and `_`"),
        ("dashboards: ['*']", "`*` is not a QuickSight ID"),
        ("dashboards: '*'", "`dashboards` is `*`; must be a list of dashboard IDs, or `all`"),
        ("throttle: { requests_a_second: 0 }", "`requests_a_second` is 0; must be 1 to 10000"),
        ("throttle: { requests_a_second: 4294967295 }", "`requests_a_second` is 4294967295; must be 1 to 10000"),
        ("throttle: { burst: 0 }", "`burst` is 0; must be 1 to 5000"),
        ("throttle: { burst: 5001 }", "`burst` is 5001; must be 1 to 5000"),
        ("throttle: { requests_a_day: 0 }", "`requests_a_day` is 0; must be 1 to 100000000"),
        (
            "deliveries: { email: { from: Reports <r@a.example> } }",
            "`Reports <r@a.example>` is not a valid e-mail address",
        ),
        (
            "deliveries: { email: { from: r@a.example, recipient_domains: [A.example] } }",
            "`A.example` is not a valid domain; use one in lower case, as in acme.example",
        ),
        (
            "deliveries: { email: { from: r@a.example, attach_bytes: 25000001 } }",
            "`attach_bytes` is 25000001; must be 0 to 25000000",
        ),
        ("deliveries: { email: { from: '*@a.example' } }", "`*@a.example` is not a valid e-mail address"),
        ("deliveries: { partner_bucket: { name: partner, prefix: a/ } }", "the key `account` is missing"),
        (
            "deliveries: { partner_bucket: { name: partner, account: \"12345\", prefix: a/ } }",
            "`12345` is not an account ID",
        ),
        ("deliveries: { partner_bucket: { name: P, prefix: a/ } }", "`P` is not a valid bucket name"),
        ("deliveries: { partner_bucket: { name: partner, prefix: ../ } }", "`../` is not a valid prefix"),
        ("deliveries: { sftp: { connector: c-1, folder: / } }", "`c-1` is not the ID of a connector"),
        ("deliveries: { fax: {} }", "unknown key `fax`; use one of email, partner_bucket, sftp"),
        (SCHEDULE, "the schedule `weekly` has nowhere to send its report; turn on one of `deliveries`"),
        (
            &format!("{PARTNER}{SCHEDULE}"),
            "the schedule `weekly` has 1 recipients; use them together with `deliveries: { email }`",
        ),
        (
            &format!("{EMAIL}{SCHEDULE}dashboards: [other]"),
            "the schedule `weekly` is of the dashboard `d1`, which is not among `dashboards`; add it there",
        ),
        (
            &format!("{PARTNER}schedules:\n  a: {{ dashboard: d, sheet: s, format: CSV, rate: 1 day }}"),
            "0 visuals of a CSV; must be 1 to 1 (a PDF shows its whole sheet)",
        ),
        (
            &format!(
                "{PARTNER}schedules:\n  a: {{ dashboard: d, sheet: s, format: PDF, rate: 1 day, parameters: {{ Strings: [] }} }}"
            ),
            "unknown kind of parameters `Strings`; use one of DateTimeParameters, DecimalParameters, IntegerParameters, StringParameters",
        ),
        (&with_parameters("StringParameters: []"), "there are no `StringParameters`; name one, or remove the key"),
        (
            &with_parameters("StringParameters: [{ Name: Region, Values: [] }]"),
            "a parameter of `StringParameters` has no name or no value",
        ),
        (
            &with_parameters("IntegerParameters: [{ Name: Year, Values: [2026, 1.5] }]"),
            "`IntegerParameters` gives `Year` the value 1.5; use whole numbers",
        ),
    ] {
        let error = mistake(&file(&format!("{TAGS}{lines}")));
        assert!(error.contains(message), "{lines}\n{error}");
    }
}

fn with_parameters(parameters: &str) -> String {
    let schedule = "{ dashboard: d, sheet: s, format: PDF, rate: 1 day, parameters: ";
    format!("{PARTNER}schedules:\n  a: {schedule}{{ {parameters} }} }}")
}

#[test]
fn a_mistake_in_the_tags_is_one_sentence() {
    let many = format!("[{}]", "{ key: a, value: b },".repeat(51));
    for (tags, message) in [
        (many.as_str(), "51 row-level tags; must be at most 50"),
        (
            "[{ key: a, value: '*' }]",
            "`*` is not a valid tag value; must be 1 to 256 characters without `*`, which would show every row",
        ),
        ("[{ key: a, value: 'EMEA, *' }]", "`EMEA, *` is not a valid tag value"),
        ("[{ key: a, value: b, claim: c }]", "a row-level tag has either `value` or `claim`; give one of them"),
        ("[{ key: a, value: b }, { key: a, value: c }]", "the row-level tag `a` appears twice; remove one"),
        (
            "[{ key: a, claim: c }]",
            "the row-level tag `a` is a claim, and an API key has none; name the `user_pool` of the callers, or give the tag a `value`",
        ),
    ] {
        let error = mistake(&file(&format!("row_level_tags: {tags}")));
        assert!(error.contains(message), "{tags}\n{error}");
    }
    let pool = "user_pool: arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEf\n";
    let lines = format!("row_level_tags: [{{ key: a, claim: c }}]\n{pool}{EMAIL}{SCHEDULE}");
    let error = mistake(&file(&lines));
    assert!(error.contains("the row-level tag `a` is a claim, and a scheduled report has no caller"), "{error}");
}
