//! What a resource type is in a picture.

use crate::Column;

/// How a resource type appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// As a node.
    Node(Column, &'static str),
    /// As part of what its properties of these names refer to.
    PartOf(&'static [&'static str]),
    /// As part of whatever refers to it.
    PartOfUser,
    /// Not at all.
    Hidden,
}

/// A type that is not in this list is drawn as a node, in the last column.
const KINDS: &[(&str, Role)] = &[
    ("AWS::ApiGateway::Authorizer", Role::PartOf(&["RestApiId"])),
    ("AWS::ApiGateway::Method", Role::PartOf(&["RestApiId"])),
    ("AWS::ApiGateway::RestApi", Role::Node(Column::WaysIn, "REST API")),
    ("AWS::ApiGatewayV2::Api", Role::Node(Column::WaysIn, "API")),
    ("AWS::ApiGatewayV2::Authorizer", Role::PartOf(&["ApiId"])),
    ("AWS::ApiGatewayV2::Integration", Role::PartOf(&["ApiId"])),
    ("AWS::ApiGatewayV2::Route", Role::PartOf(&["ApiId"])),
    ("AWS::AppSync::GraphQLApi", Role::Node(Column::WaysIn, "GraphQL API")),
    ("AWS::Athena::DataCatalog", Role::Node(Column::WaysIn, "Athena catalog")),
    ("AWS::Athena::WorkGroup", Role::Node(Column::WaysIn, "Athena workgroup")),
    ("AWS::CloudFormation::CustomResource", Role::Hidden),
    ("AWS::CloudFront::Distribution", Role::Node(Column::WaysIn, "CloudFront")),
    ("AWS::Cognito::UserPool", Role::Node(Column::Stores, "Cognito user pool")),
    ("AWS::Cognito::UserPoolClient", Role::PartOf(&["UserPoolId"])),
    ("AWS::DynamoDB::GlobalTable", Role::Node(Column::Stores, "DynamoDB table")),
    ("AWS::DynamoDB::Table", Role::Node(Column::Stores, "DynamoDB table")),
    ("AWS::ECS::Service", Role::Node(Column::Functions, "ECS service")),
    ("AWS::ECS::TaskDefinition", Role::PartOfUser),
    ("AWS::EFS::FileSystem", Role::Node(Column::Stores, "EFS file system")),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", Role::Node(Column::WaysIn, "load balancer")),
    ("AWS::Events::EventBus", Role::Node(Column::WaysIn, "event bus")),
    ("AWS::Events::Rule", Role::Node(Column::WaysIn, "rule")),
    ("AWS::IAM::ManagedPolicy", Role::Hidden),
    ("AWS::IAM::Policy", Role::Hidden),
    ("AWS::IAM::Role", Role::PartOfUser),
    ("AWS::Kinesis::Stream", Role::Node(Column::Stores, "Kinesis stream")),
    ("AWS::Lambda::Alias", Role::PartOf(&["FunctionName"])),
    ("AWS::Lambda::EventInvokeConfig", Role::PartOf(&["FunctionName"])),
    ("AWS::Lambda::EventSourceMapping", Role::Hidden),
    ("AWS::Lambda::Function", Role::Node(Column::Functions, "function")),
    ("AWS::Lambda::Permission", Role::Hidden),
    ("AWS::Lambda::Url", Role::PartOf(&["TargetFunctionArn"])),
    ("AWS::Lambda::Version", Role::PartOf(&["FunctionName"])),
    ("AWS::OpenSearchService::Domain", Role::Node(Column::Stores, "OpenSearch domain")),
    ("AWS::Pipes::Pipe", Role::Node(Column::WaysIn, "pipe")),
    ("AWS::QuickSight::Dashboard", Role::Node(Column::WaysIn, "QuickSight dashboard")),
    ("AWS::QuickSight::DataSet", Role::PartOfUser),
    ("AWS::QuickSight::DataSource", Role::PartOfUser),
    ("AWS::RDS::DBCluster", Role::Node(Column::Stores, "database cluster")),
    ("AWS::RDS::DBInstance", Role::Node(Column::Stores, "database")),
    ("AWS::Redshift::Cluster", Role::Node(Column::Stores, "Redshift cluster")),
    ("AWS::RedshiftServerless::Namespace", Role::Node(Column::Stores, "Redshift namespace")),
    ("AWS::RedshiftServerless::Workgroup", Role::Node(Column::Stores, "Redshift workgroup")),
    ("AWS::S3::Bucket", Role::Node(Column::Stores, "S3 bucket")),
    ("AWS::SNS::Subscription", Role::Hidden),
    ("AWS::SNS::Topic", Role::Node(Column::WaysIn, "SNS topic")),
    ("AWS::SQS::Queue", Role::Node(Column::Stores, "SQS queue")),
    ("AWS::Scheduler::Schedule", Role::Node(Column::WaysIn, "schedule")),
    ("AWS::SecretsManager::RotationSchedule", Role::PartOf(&["SecretId"])),
    ("AWS::SecretsManager::Secret", Role::Node(Column::Stores, "secret")),
    ("AWS::Serverless::Function", Role::Node(Column::Functions, "function")),
    ("AWS::StepFunctions::StateMachine", Role::Node(Column::Functions, "state machine")),
];

/// Types, or beginnings of types, that only support others: they carry no data and start no work.
const HIDDEN: &[&str] = &[
    "AWS::ApiGateway::",
    "AWS::ApiGatewayV2::",
    "AWS::ApplicationAutoScaling::",
    "AWS::CDK::",
    "AWS::CertificateManager::",
    "AWS::CloudFormation::",
    "AWS::CloudFront::",
    "AWS::CloudTrail::",
    "AWS::CloudWatch::",
    "AWS::Cognito::",
    "AWS::EC2::",
    "AWS::IAM::",
    "AWS::KMS::",
    "AWS::Lambda::",
    "AWS::Logs::",
    "AWS::QuickSight::",
    "AWS::Route53::",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SSM::",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::",
    "AWS::WAFv2::",
    "Custom::",
];

/// How a resource of this type appears.
pub(crate) fn role(resource_type: &str) -> Role {
    if let Some((_, role)) = KINDS.iter().find(|(name, _)| *name == resource_type) {
        return *role;
    }
    if HIDDEN.iter().any(|prefix| resource_type.starts_with(prefix)) {
        return Role::Hidden;
    }
    Role::Node(Column::Services, "")
}

/// What the type is called if it has no entry here: `AWS::Batch::JobQueue` is a `Batch JobQueue`.
pub(crate) fn unknown(resource_type: &str) -> String {
    resource_type.trim_start_matches("AWS::").replace("::", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_names_each_type_once() {
        assert!(KINDS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(HIDDEN.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn an_unknown_type_is_drawn_under_its_own_name() {
        assert_eq!(role("AWS::Batch::JobQueue"), Role::Node(Column::Services, ""));
        assert_eq!(unknown("AWS::Batch::JobQueue"), "Batch JobQueue");
    }
}
