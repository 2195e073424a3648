//! Security groups: ranges of ports.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>

use cfn::{Finding, Json, Template};

use super::{at, list, of_type};

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in of_type(template, "AWS::EC2::SecurityGroup") {
        let rules =
            ["SecurityGroupIngress", "SecurityGroupEgress"].into_iter().flat_map(|name| list(&entry.properties[name]));
        findings.extend(rules.filter_map(mistake).map(|message| at(id, entry, message)));
    }
    findings
}

fn mistake(rule: &Json) -> Option<String> {
    let (from, to) = (&rule["FromPort"], &rule["ToPort"]);
    let protocol = match &rule["IpProtocol"] {
        Json::String(name) => name.as_str(),
        _ => return None,
    };
    if ["tcp", "udp", "icmp", "icmpv6", "6", "17", "1", "58"].contains(&protocol) && (from.is_null() || to.is_null()) {
        return Some(format!("has a rule for {protocol} without FromPort and ToPort; set both"));
    }
    let (from, to) = (from.as_i64()?, to.as_i64()?);
    if protocol.starts_with("icmp") {
        return None;
    }
    if (from == -1) != (to == -1) {
        return Some(format!("has a rule for the ports {from} to {to}; if one is -1, both must be"));
    }
    (from > to).then(|| format!("has a rule for the ports {from} to {to}; the first must not be greater than the last"))
}
