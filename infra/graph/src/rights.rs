//! What a right in an IAM policy lets its holder do, in the words of a picture.

use crate::Verb;

/// What somebody who may use this action does with the resource, or nothing if it is not worth drawing.
pub(crate) fn verb(action: &str) -> Option<Verb> {
    let (service, name) = action.split_once(':')?;
    if matches!(service, "cloudwatch" | "ec2" | "kms" | "logs" | "ssm" | "xray") {
        return None;
    }
    // These take work off a queue or stream; who is triggered by it is drawn from the event source.
    if service == "sqs" && name != "SendMessage" && name != "*" {
        return None;
    }
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    Some(if begins(READS) {
        Verb::Reads
    } else if begins(CALLS) || CALLED.contains(&service) {
        Verb::Calls
    } else {
        Verb::Writes
    })
}

const READS: &[&str] = &[
    "BatchGet",
    "ConditionCheck",
    "Describe",
    "Get",
    "Head",
    "List",
    "Lookup",
    "PartiQLSelect",
    "Query",
    "Scan",
    "Search",
    "Select",
];
const CALLS: &[&str] =
    &["Assume", "Cancel", "Execute", "Invoke", "ManageConnections", "Publish", "Resume", "Run", "Start", "Stop"];

/// Services that do something, instead of keeping something.
const CALLED: &[&str] = &["bedrock", "redshift-data", "rds-data", "ses", "sns", "states", "sts"];

/// What an IAM prefix or a service principal is called.
pub(crate) fn service(prefix: &str) -> String {
    let known = match prefix {
        "athena" => "Athena",
        "bedrock" => "Bedrock",
        "cognito-idp" => "Cognito",
        "dynamodb" => "DynamoDB",
        "events" => "EventBridge",
        "execute-api" => "API Gateway",
        "glue" => "Glue Data Catalog",
        "lambda" => "Lambda",
        "quicksight" => "QuickSight",
        "rds-data" => "RDS Data API",
        "redshift" | "redshift-serverless" => "Redshift",
        "redshift-data" => "Redshift Data API",
        "s3" => "S3",
        "secretsmanager" => "Secrets Manager",
        "ses" => "SES",
        "sns" => "SNS",
        "sqs" => "SQS",
        "states" => "Step Functions",
        "sts" => "IAM role",
        other => return other.to_owned(),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_become_the_verbs_people_use() {
        for (action, expected) in [
            ("dynamodb:GetItem", Some(Verb::Reads)),
            ("dynamodb:UpdateItem", Some(Verb::Writes)),
            ("lambda:InvokeFunction", Some(Verb::Calls)),
            ("ses:SendEmail", Some(Verb::Calls)),
            ("sqs:SendMessage", Some(Verb::Writes)),
            ("sqs:ReceiveMessage", None),
            ("redshift-data:GetStatementResult", Some(Verb::Reads)),
            ("logs:PutLogEvents", None),
            ("*", None),
        ] {
            assert_eq!(verb(action), expected, "{action}");
        }
    }
}
