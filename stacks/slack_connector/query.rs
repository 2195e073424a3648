//! How Athena reaches the connector, and what a query needs.

use std::collections::BTreeMap;

use aws::athena::data_catalog::{self, DataCatalog};
use aws::athena::work_group::{
    EncryptionConfiguration, EncryptionOption, ResultConfiguration, WorkGroup, WorkGroupConfiguration,
};
use cfn::Value;
use cfn::intrinsic::{account_id, sub, sub_with};
use constructs::{BucketRef, FunctionRef, Grant, ManagedPolicy};

use crate::tenancy::Tenancy;

/// Where in the bucket Athena stores the results of queries.
const RESULTS: &str = "results/";

/// The name of the tenant's catalog. Without a hyphen, SQL needs no quotes around it. A tenant's name has no underscore, so names
/// remain distinct.
pub(super) fn catalog_name(tenancy: &Tenancy) -> String {
    format!("{}_slack", tenancy.name.as_str().replace('-', "_"))
}

/// The catalog, which precedes `slackanalytics.member_analytics` in a query.
pub(super) fn catalog(name: &str, connector: &FunctionRef) -> DataCatalog {
    // One function serves for both metadata and records.
    let parameters: BTreeMap<String, Value<String>> = [("function".to_owned(), connector.arn())].into();
    DataCatalog::new(data_catalog::Required { name: name.into(), r#type: data_catalog::Type::Lambda.into() })
        .description("Slack's member analytics")
        .parameters(parameters)
}

/// A workgroup whose results stay in the bucket, encrypted, whatever a client asks for.
pub(super) fn work_group(name: &str, scratch: &BucketRef, kms_key: Option<&str>) -> WorkGroup {
    let encryption = match kms_key {
        Some(key) => EncryptionConfiguration::new(EncryptionOption::SseKms).kms_key(key),
        None => EncryptionConfiguration::new(EncryptionOption::SseS3),
    };
    let results = ResultConfiguration::new()
        .output_location(sub_with(format!("s3://${{Scratch}}/{RESULTS}"), [("Scratch", scratch.name())]))
        .expected_bucket_owner(account_id())
        .encryption_configuration(encryption);
    WorkGroup::new(name)
        .description("Queries over Slack's member analytics")
        // A workgroup with a history of queries cannot be deleted otherwise.
        .recursive_delete_option(true)
        .work_group_configuration(
            WorkGroupConfiguration::new()
                .enforce_work_group_configuration(true)
                .publish_cloud_watch_metrics_enabled(true)
                .result_configuration(results),
        )
}

/// The ARN of the workgroup of this name.
pub(super) fn work_group_arn(name: &str) -> Value<String> {
    sub(format!("arn:${{AWS::Partition}}:athena:${{AWS::Region}}:${{AWS::AccountId}}:workgroup/{name}"))
}

/// The rights that a caller needs, an analyst or QuickSight: Athena calls the connector and reads what it spilled with the rights
/// of the caller. <https://docs.aws.amazon.com/athena/latest/ug/federated-query-iam-access.html>
pub(super) fn rights(
    connector: &FunctionRef,
    catalog: &str,
    work_group: &str,
    scratch: &BucketRef,
    kms_key: Option<&str>,
) -> ManagedPolicy {
    let catalog =
        sub(format!("arn:${{AWS::Partition}}:athena:${{AWS::Region}}:${{AWS::AccountId}}:datacatalog/{catalog}"));
    let queries = [
        "athena:BatchGetQueryExecution",
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
        "athena:GetQueryResultsStream",
        "athena:GetWorkGroup",
        "athena:StartQueryExecution",
        "athena:StopQueryExecution",
    ];
    let metadata = [
        "athena:GetDataCatalog",
        "athena:GetDatabase",
        "athena:GetTableMetadata",
        "athena:ListDatabases",
        "athena:ListTableMetadata",
    ];
    let policy = ManagedPolicy::new("Queries over Slack's member analytics")
        .grant(connector.grant_invoke())
        .grant(Grant::new(queries, [work_group_arn(work_group)]))
        .grant(Grant::new(metadata, [catalog]))
        .grant(Grant::new(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], [scratch.arn()]))
        .grant(scratch.grant_below(super::SPILL, ["s3:GetObject"]))
        .grant(scratch.grant_below(
            RESULTS,
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
        ));
    match kms_key {
        Some(key) => policy.grant(Grant::new(["kms:Decrypt", "kms:GenerateDataKey"], [key.into()])),
        None => policy,
    }
}
