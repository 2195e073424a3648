//! The quotas of AWS that tenants use up.

/// How many of something an account may have.
#[derive(Debug)]
pub(crate) struct Quota {
    pub(crate) name: &'static str,
    pub(crate) scope: Scope,
    /// What a new account has.
    pub(crate) default: u64,
    /// What it can be raised to.
    pub(crate) most: Most,
    /// What counts.
    pub(crate) counts: Counts,
    /// Service and code in Service Quotas, if it is there.
    pub(crate) code: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All regions of an account share it. Service Quotas knows it in us-east-1.
    Account,
    Region,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Most {
    /// AWS does not raise it.
    Fixed,
    /// AWS names no limit.
    Open,
    UpTo(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// Resources of these types.
    Types(&'static [&'static str]),
    Stacks,
    /// Megabytes of functions' code.
    CodeMegabytes,
}

/// Each with the page that names it.
pub(crate) const QUOTAS: &[Quota] = &[
    // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
    quota(
        "CloudFront response headers policies",
        Scope::Account,
        20,
        Most::UpTo(200),
        &["AWS::CloudFront::ResponseHeadersPolicy"],
        Some(("cloudfront", "L-CF0D4FC5")),
    ),
    quota(
        "CloudFront origin access controls",
        Scope::Account,
        100,
        Most::Open,
        &["AWS::CloudFront::OriginAccessControl"],
        None,
    ),
    quota("CloudFront distributions", Scope::Account, 500, Most::Open, &["AWS::CloudFront::Distribution"], None),
    // Those that share the headers of the platform.
    quota(
        "distributions of one headers policy",
        Scope::Account,
        100,
        Most::Open,
        &["AWS::CloudFront::Distribution"],
        None,
    ),
    // <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
    quota("IAM roles", Scope::Account, 1000, Most::UpTo(5000), &["AWS::IAM::Role"], Some(("iam", "L-FE177D64"))),
    // <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
    quota("EventBridge rules", Scope::Region, 300, Most::Open, &["AWS::Events::Rule"], Some(("events", "L-244521F2"))),
    // <https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html>
    quota("schedule groups", Scope::Region, 500, Most::Open, &["AWS::Scheduler::ScheduleGroup"], None),
    // <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
    quota(
        "REST APIs, regional",
        Scope::Region,
        600,
        Most::Fixed,
        &["AWS::ApiGateway::RestApi"],
        Some(("apigateway", "L-AA0FF27B")),
    ),
    quota("usage plans", Scope::Region, 300, Most::Open, &["AWS::ApiGateway::UsagePlan"], None),
    // <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>
    quota("CloudWatch alarms", Scope::Region, 5000, Most::Open, &["AWS::CloudWatch::Alarm"], None),
    // <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>
    quota(
        "DynamoDB tables",
        Scope::Region,
        2500,
        Most::UpTo(10_000),
        &["AWS::DynamoDB::Table"],
        Some(("dynamodb", "L-F98FE922")),
    ),
    // <https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>
    quota(
        "Cognito user pools",
        Scope::Region,
        1000,
        Most::UpTo(10_000),
        &["AWS::Cognito::UserPool"],
        Some(("cognito-idp", "L-66E6DF30")),
    ),
    // <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
    Quota {
        name: "CloudFormation stacks",
        scope: Scope::Region,
        default: 2000,
        most: Most::Open,
        counts: Counts::Stacks,
        code: Some(("cloudformation", "L-0485CB21")),
    },
    // <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>, 75 GB. Service Quotas has it in gigabytes.
    Quota {
        name: "Lambda code, MB",
        scope: Scope::Region,
        default: 75_000,
        most: Most::Open,
        counts: Counts::CodeMegabytes,
        code: None,
    },
];

const fn quota(
    name: &'static str,
    scope: Scope,
    default: u64,
    most: Most,
    types: &'static [&'static str],
    code: Option<(&'static str, &'static str)>,
) -> Quota {
    Quota { name, scope, default, most, counts: Counts::Types(types), code }
}
