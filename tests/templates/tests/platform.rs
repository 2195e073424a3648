//! The template of what all tenants share.

use cfn::assertions::assert_includes;
use cfn::{App, Template};
use serde_json::json;

fn template() -> Template {
    let mut assembly = App::default().stack(stacks::platform::stack()).checks(constructs::checks::ALL).synth();
    assert!(assembly.findings.is_empty(), "{:#?}", assembly.findings);
    assembly.stacks.remove(0).template
}

#[test]
fn the_asset_bucket_is_private_encrypted_versioned_kept_and_reached_over_tls_only() {
    let template = template();
    assert_includes(
        template.properties("Assets"),
        &json!({
            "VersioningConfiguration": { "Status": "Enabled" },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
            },
            "BucketEncryption": { "ServerSideEncryptionConfiguration": [
                { "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } },
            ] },
        }),
    );
    assert_eq!(template.resources["Assets"].attribute("DeletionPolicy"), Some(&json!("RetainExceptOnCreate")));
    let statement = &template.properties("AssetsPolicy")["PolicyDocument"]["Statement"][0];
    assert_includes(statement, &json!({ "Effect": "Deny", "Condition": { "Bool": { "aws:SecureTransport": false } } }));
}

#[test]
fn leftovers_expire_but_code_that_a_rollback_may_need_does_not() {
    let template = template();
    let leftovers = json!({
        "Id": "Leftovers",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": { "NoncurrentDays": 30 },
        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 1 },
    });
    assert_eq!(template.properties("Assets")["LifecycleConfiguration"]["Rules"], json!([leftovers]));
}

#[test]
fn other_stacks_find_bucket_and_table_by_parameters_and_import_nothing() {
    let template = template();
    let parameters: Vec<_> = template
        .all("AWS::SSM::Parameter")
        .map(|(_, record)| (record["Name"].clone(), record["Type"].clone(), record["Value"].clone()))
        .collect();
    assert_eq!(
        parameters,
        [
            (json!("/ferrostack/platform/asset-bucket"), json!("String"), json!({ "Ref": "Assets" })),
            (json!("/ferrostack/platform/slot-table"), json!("String"), json!({ "Ref": "Slots" })),
        ]
    );
    assert!(template.outputs.values().all(|output| output["Export"].is_null()));
    assert_includes(
        template.properties("Slots"),
        &json!({ "KeySchema": [{ "AttributeName": "slot", "KeyType": "HASH" }] }),
    );
}

#[test]
fn access_logs_are_written_by_a_role_that_only_api_gateway_of_this_account_can_assume() {
    let template = template();
    assert_eq!(template.properties("Gateway")["CloudWatchRoleArn"], json!({ "Fn::GetAtt": ["GatewayRole", "Arn"] }));
    assert_includes(
        &template.properties("GatewayRole")["AssumeRolePolicyDocument"]["Statement"][0],
        &json!({
            "Principal": { "Service": "apigateway.amazonaws.com" },
            "Condition": { "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } } },
        }),
    );
}

#[test]
fn a_role_that_somebody_else_has_set_for_all_apis_of_the_region_is_left_alone() {
    let template = template();
    assert_eq!(template.parameters["LogRole"]["Default"], json!(""));
    assert_eq!(template.conditions["CreatesLogRole"], json!({ "Fn::Equals": [{ "Ref": "LogRole" }, ""] }));
    for id in ["Gateway", "GatewayRole"] {
        assert_eq!(template.resources[id].attribute("Condition"), Some(&json!("CreatesLogRole")), "{id}");
    }
}

/// API Gateway keeps pointing at the role, for all APIs of the account and region.
#[test]
fn the_log_role_outlives_the_platform() {
    let template = template();
    for id in ["Gateway", "GatewayRole"] {
        let policy = |name| template.resources[id].attribute(name).cloned();
        assert_eq!(policy("DeletionPolicy"), Some(json!("RetainExceptOnCreate")), "{id}");
        assert_eq!(policy("UpdateReplacePolicy"), Some(json!("Retain")), "{id}");
    }
}

/// Changing one of these replaces the resource, and with it the code of every tenant.
#[test]
fn logical_ids_of_resources_with_data_do_not_change() {
    let template = template();
    let stateful: Vec<_> =
        template.resources.iter().filter(|(_, resource)| resource.stateful).map(|(id, _)| id.as_str()).collect();
    assert_eq!(stateful, ["Assets", "Slots"]);
}
