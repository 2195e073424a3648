//! Names that AWS has only once, and what resources are called.

use std::collections::HashMap;

use cfn::{Entry, Finding, Json, Template};

use super::{at, list};

/// What identifies a resource within its account and region, or within its parent. The first property is the name.
const UNIQUE: &[(&str, &[&str])] = &[
    ("AWS::ApiGateway::Method", &["HttpMethod", "ResourceId", "RestApiId"]),
    ("AWS::ApiGateway::Resource", &["PathPart", "ParentId", "RestApiId"]),
    ("AWS::ApiGateway::Stage", &["StageName", "RestApiId"]),
    ("AWS::ApiGatewayV2::Route", &["RouteKey", "ApiId"]),
    ("AWS::ApiGatewayV2::Stage", &["StageName", "ApiId"]),
    ("AWS::Athena::DataCatalog", &["Name"]),
    ("AWS::Athena::WorkGroup", &["Name"]),
    ("AWS::CloudWatch::Alarm", &["AlarmName"]),
    ("AWS::DynamoDB::Table", &["TableName"]),
    ("AWS::Events::Rule", &["Name", "EventBusName"]),
    ("AWS::IAM::ManagedPolicy", &["ManagedPolicyName", "Path"]),
    ("AWS::IAM::Role", &["RoleName"]),
    ("AWS::Lambda::EventSourceMapping", &["EventSourceArn", "FunctionName"]),
    ("AWS::Lambda::Function", &["FunctionName"]),
    ("AWS::Logs::LogGroup", &["LogGroupName"]),
    ("AWS::QuickSight::Analysis", &["AnalysisId", "AwsAccountId"]),
    ("AWS::QuickSight::Dashboard", &["DashboardId", "AwsAccountId"]),
    ("AWS::QuickSight::DataSet", &["DataSetId", "AwsAccountId"]),
    ("AWS::QuickSight::DataSource", &["DataSourceId", "AwsAccountId"]),
    ("AWS::RedshiftServerless::Namespace", &["NamespaceName"]),
    ("AWS::RedshiftServerless::Workgroup", &["WorkgroupName"]),
    ("AWS::S3::Bucket", &["BucketName"]),
    ("AWS::S3::BucketPolicy", &["Bucket"]),
    ("AWS::SQS::Queue", &["QueueName"]),
    ("AWS::SSM::Parameter", &["Name"]),
    ("AWS::Scheduler::Schedule", &["Name", "GroupName"]),
    ("AWS::Scheduler::ScheduleGroup", &["Name"]),
    ("AWS::SecretsManager::Secret", &["Name"]),
    ("AWS::WAFv2::IPSet", &["Name", "Scope"]),
    ("AWS::WAFv2::WebACL", &["Name", "Scope"]),
];

/// Types of which CloudFormation can keep a snapshot.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
const WITH_SNAPSHOTS: [&str; 8] = [
    "AWS::DocDB::DBCluster",
    "AWS::EC2::Volume",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::Neptune::DBCluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
];

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = taken(template);
    for (id, entry) in &template.resources {
        let messages = [tags(entry), snapshot(entry), parameter(entry)].into_iter().flatten();
        findings.extend(messages.map(|message| at(id, entry, message)));
    }
    findings
}

/// Two resources with the same name; the second one could not be created.
fn taken(template: &Template) -> Vec<Finding> {
    let mut names: HashMap<(&str, Vec<&Json>), &str> = HashMap::new();
    let mut findings = Vec::new();
    for (id, entry) in &template.resources {
        let Ok(found) = UNIQUE.binary_search_by(|(ty, _)| ty.cmp(&entry.ty)) else { continue };
        let properties = UNIQUE[found].1;
        // Resources with different conditions may never exist together.
        if entry.properties[properties[0]].is_null() || entry.attribute("Condition").is_some() {
            continue;
        }
        let key = properties.iter().map(|property| &entry.properties[*property]).collect();
        if let Some(first) = names.insert((entry.ty, key), id) {
            let message = format!("has the same {} as {first}; change one", properties.join(" and "));
            findings.push(at(id, entry, message));
        }
    }
    findings
}

/// The keys of tags differ, and none is reserved.
fn tags(entry: &Entry) -> Option<String> {
    let keys: Vec<&str> = match &entry.properties["Tags"] {
        Json::Object(tags) => tags.keys().map(String::as_str).collect(),
        tags => list(tags).iter().filter_map(|tag| tag["Key"].as_str()).collect(),
    };
    if let Some(key) = keys.iter().find(|key| key.to_lowercase().starts_with("aws:")) {
        return Some(format!("has the tag {key:?}; `aws:` is reserved for AWS, so use a different key"));
    }
    let twice = keys.iter().enumerate().find(|(index, key)| keys[..*index].contains(key));
    twice.map(|(_, key)| format!("has two tags with the key {key:?}; remove one"))
}

fn snapshot(entry: &Entry) -> Option<String> {
    let policies = ["DeletionPolicy", "UpdateReplacePolicy"];
    let name = policies.into_iter().find(|name| entry.attribute(name).is_some_and(|policy| policy == "Snapshot"))?;
    (entry.ty.starts_with("AWS::") && !WITH_SNAPSHOTS.contains(&entry.ty))
        .then(|| format!("has the {name} Snapshot, but {} has no snapshots; use Retain or Delete", entry.ty))
}

/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>
fn parameter(entry: &Entry) -> Option<String> {
    let name = entry.properties["Name"].as_str().filter(|_| entry.ty == "AWS::SSM::Parameter")?;
    let lower = name.trim_start_matches('/').to_lowercase();
    let reserved = ["aws", "ssm"].into_iter().find(|prefix| lower.starts_with(prefix))?;
    Some(format!(
        "has the name {name:?}; names that start with {reserved} are reserved for AWS, so use a different one"
    ))
}
