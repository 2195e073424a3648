//! The actions that IAM knows.

use std::sync::LazyLock;

/// One line per service: its prefix and its actions in lower case; an action that AWS defines without a resource ends in `*`.
const TEXT: &str = include_str!("iam_actions.txt");

/// The lines of all services, in the order of their prefixes.
static SERVICES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let lines = TEXT.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap_or((line, ""))).collect()
});

/// Whether an action acts on resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acts {
    /// A policy can name resources.
    OnResources,
    /// A policy can only say `*`.
    WithoutResource,
}

/// Looks an action up, such as `dynamodb:GetItem`, in which `*` and `?` stand for any characters. IAM ignores case.
///
/// # Errors
///
/// What is wrong with it, and what was probably meant.
pub(crate) fn look_up(action: &str) -> Result<Acts, String> {
    let Some((service, name)) = action.split_once(':') else {
        return Err(format!("{action:?} is not an action; write `service:Action`, as in dynamodb:GetItem"));
    };
    let (service, name) = (service.to_ascii_lowercase(), name.to_ascii_lowercase());
    let Ok(at) = SERVICES.binary_search_by_key(&service.as_str(), |(prefix, _)| prefix) else {
        let prefixes = SERVICES.iter().map(|(prefix, _)| *prefix);
        return Err(format!("{action:?} is of an unknown service{}", meant("", &service, prefixes)));
    };
    let actions = || SERVICES[at].1.split(' ').filter(|action| !action.is_empty());
    let mut matching = actions().filter(|action| matches(name.as_bytes(), action.trim_end_matches('*').as_bytes()));
    match matching.next() {
        Some(first) if first.ends_with('*') && matching.all(|action| action.ends_with('*')) => {
            Ok(Acts::WithoutResource)
        }
        Some(_) => Ok(Acts::OnResources),
        // Of some services, only the prefix is known.
        None if actions().next().is_none() => Ok(Acts::OnResources),
        None => {
            let names = actions().map(|action| action.trim_end_matches('*'));
            Err(format!("{action:?} is not an action of {service}{}", meant(&format!("{service}:"), &name, names)))
        }
    }
}

/// The most similar name, if one is similar.
fn meant<'a>(before: &str, name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let similar = names.map(|other| (strsim::normalized_damerau_levenshtein(name, other), other));
    match similar.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((similarity, other)) if similarity > 0.6 => format!("; did you mean {before}{other}?"),
        _ => String::new(),
    }
}

/// Whether a pattern of IAM matches a whole text.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            matches(rest, text) || text.split_first().is_some_and(|(_, text)| matches(pattern, text))
        }
        (Some((b'?', rest)), Some((_, text))) => matches(rest, text),
        (Some((expected, rest)), Some((byte, text))) => expected == byte && matches(rest, text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_known_in_any_case_and_as_patterns() {
        for action in
            ["dynamodb:GetItem", "DynamoDB:getitem", "s3:*", "sqs:*Message", "s3:Get?bject", "execute-api:Invoke"]
        {
            assert_eq!(look_up(action), Ok(Acts::OnResources), "{action}");
        }
        for action in ["sts:GetCallerIdentity", "s3:ListAllMyBuckets", "ec2:DescribeSubnets", "xray:PutTraceSegments"] {
            assert_eq!(look_up(action), Ok(Acts::WithoutResource), "{action}");
        }
    }

    #[test]
    fn an_unknown_action_is_an_error_with_the_most_similar_one() {
        for (action, message) in [
            (
                "dynamodb:GetItems",
                r#""dynamodb:GetItems" is not an action of dynamodb; did you mean dynamodb:getitem?"#,
            ),
            ("dynamo:GetItem", r#""dynamo:GetItem" is of an unknown service; did you mean dynamodb?"#),
            ("GetItem", r#""GetItem" is not an action; write `service:Action`, as in dynamodb:GetItem"#),
            ("sqs:Zzzzzzzz", r#""sqs:Zzzzzzzz" is not an action of sqs"#),
            ("s3:Fetch*", r#""s3:Fetch*" is not an action of s3"#),
        ] {
            assert_eq!(look_up(action).unwrap_err(), message);
        }
    }
}
