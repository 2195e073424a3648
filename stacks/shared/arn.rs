//! The ARNs of a tenant file.

/// The parts of an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    /// `aws`, or `aws-` and what follows.
    pub(crate) partition: &'a str,
    /// The service's name in ARNs, `sns`.
    pub(crate) service: &'a str,
    /// The region; empty for services that have none.
    pub(crate) region: &'a str,
    /// Twelve digits.
    pub(crate) account: &'a str,
    /// Everything after the account, which may contain colons.
    pub(crate) resource: &'a str,
}

/// The partitions, and how the names of their regions start.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html>
const PARTITIONS: [(&str, &[&str]); 8] = [
    ("aws", &["af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"]),
    ("aws-cn", &["cn"]),
    ("aws-eusc", &["eusc"]),
    ("aws-iso", &["us-iso"]),
    ("aws-iso-b", &["us-isob"]),
    ("aws-iso-e", &["eu-isoe"]),
    ("aws-iso-f", &["us-isof"]),
    ("aws-us-gov", &["us-gov"]),
];

impl<'a> Arn<'a> {
    /// The parts, if `text` names exactly one resource of one account.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let [arn, partition, service, region, account, resource] = text.splitn(6, ':').collect::<Vec<_>>()[..] else {
            return None;
        };
        let (_, regions) = PARTITIONS.iter().find(|(name, _)| *name == partition)?;
        // A blank or a wildcard would change what a policy means, and `${` what a template means.
        let names_one = |byte: u8| byte.is_ascii_graphic() && !b"*?\"\\$".contains(&byte);
        let is_resource = !resource.is_empty() && resource.bytes().all(names_one);
        let is_valid =
            arn == "arn" && is_service(service) && is_region_of(region, regions) && is_account(account) && is_resource;
        is_valid.then_some(Self { partition, service, region, account, resource })
    }
}

fn is_service(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether it has the form of an account's ID.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a region of some partition could have this name. The list of regions changes from year to year.
pub(crate) fn is_region(text: &str) -> bool {
    !text.is_empty() && PARTITIONS.iter().any(|(_, regions)| is_region_of(text, regions))
}

/// Whether it is empty, or looks like `eu-central-1` and starts as regions of the partition do.
fn is_region_of(text: &str, starts: &[&str]) -> bool {
    let mut words = text.rsplit('-');
    let number = words.next().unwrap_or_default();
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let are_words = words.all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
    let starts = starts.iter().any(|start| text.strip_prefix(start).is_some_and(|rest| rest.starts_with('-')));
    text.is_empty() || (starts && is_number && are_words)
}

/// Checks that `text` is an ARN of this form, such as `arn:aws:sns:<region>:<account>:<name>`, whose resource fits. What is not in angle
/// brackets must be the same, except for the partition.
///
/// # Errors
///
/// That it is not `what`, and the form.
pub(crate) fn check_arn(text: &str, what: &str, form: &str, is_resource: impl Fn(&str) -> bool) -> Result<(), String> {
    let parts: Vec<&str> = form.splitn(6, ':').collect();
    let fits = |arn: Arn<'_>| {
        let is_region = match parts[3] {
            "<region>" => !arn.region.is_empty(),
            fixed => arn.region == fixed,
        };
        arn.service == parts[2] && is_region && is_resource(arn.resource)
    };
    if Arn::parse(text).is_some_and(fits) { Ok(()) } else { Err(format!("`{text}` is not {what}; use {form}")) }
}

/// Whether `resource` is `kind`, such as `userpool/`, and a name.
pub(crate) fn is_named(resource: &str, kind: &str) -> bool {
    resource.strip_prefix(kind).is_some_and(|name| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-/:".contains(&byte);
        !name.starts_with('/') && !name.ends_with('/') && !name.is_empty() && name.bytes().all(is_plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_a_known_partition_and_a_region_of_it() {
        for text in [
            "arn:aws:sns:eu-central-1:123456789012:on-call",
            "arn:aws-cn:sns:cn-north-1:123456789012:on-call",
            "arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call",
            "arn:aws-eusc:sns:eusc-de-east-1:123456789012:on-call",
            "arn:aws:iam::123456789012:role/path/name",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:name-AbCdEf",
        ] {
            assert!(Arn::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "on-call",
            "arn:awsx:sns:eu-central-1:123456789012:on-call",
            "arn:aws-:sns:eu-central-1:123456789012:on-call",
            "arn:aws:sns:not a region:123456789012:on-call",
            "arn:aws:sns:eu-central:123456789012:on-call",
            "arn:aws:sns:eu--1:123456789012:on-call",
            "arn:aws:sns:EU-CENTRAL-1:123456789012:on-call",
            "arn:aws:sns:xx-central-1:123456789012:on-call",
            "arn:aws:sns:cn-north-1:123456789012:on-call",
            "arn:aws-cn:sns:eu-central-1:123456789012:on-call",
            "arn:aws:sns:eu-central-1:12345678901:on-call",
            "arn:aws:sns:eu-central-1:12345678901x:on-call",
            "arn:aws:sns:eu-central-1:123456789012:",
            "arn:aws:sns:eu-central-1:123456789012:on call",
            "arn:aws:sns:eu-central-1:123456789012:*",
            "arn:aws:sns:eu-central-1:123456789012:${Topic}",
            "arn:aws:sns:eu-central-1:123456789012:on-call\n",
            "arn:aws:SNS:eu-central-1:123456789012:on-call",
            " arn:aws:sns:eu-central-1:123456789012:on-call",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_form_decides_about_service_region_and_resource() {
        let check = |text| {
            check_arn(text, "a certificate", "arn:aws:acm:us-east-1:<account>:certificate/<id>", |resource| {
                is_named(resource, "certificate/")
            })
        };
        assert_eq!(check("arn:aws:acm:us-east-1:123456789012:certificate/a"), Ok(()));
        for text in [
            "arn:aws:acm:eu-west-1:123456789012:certificate/a",
            "arn:aws:acm::123456789012:certificate/a",
            "arn:aws:iam:us-east-1:123456789012:certificate/a",
            "arn:aws:acm:us-east-1:123456789012:certificate/",
            "arn:aws:acm:us-east-1:123456789012:key/a",
        ] {
            let expected =
                format!("`{text}` is not a certificate; use arn:aws:acm:us-east-1:<account>:certificate/<id>");
            assert_eq!(check(text), Err(expected));
        }
        let role = |text| {
            check_arn(text, "a role", "arn:aws:iam::<account>:role/<name>", |resource| is_named(resource, "role/"))
        };
        assert_eq!(role("arn:aws:iam::123456789012:role/a/b"), Ok(()));
        assert!(role("arn:aws:iam:eu-west-1:123456789012:role/a").is_err());
    }
}
