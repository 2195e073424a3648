//! Distributions: every behavior leads to an origin.

use cfn::{Finding, Json, Template};

use super::{at, list, of_type};

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in of_type(template, "AWS::CloudFront::Distribution") {
        let config = &entry.properties["DistributionConfig"];
        let origins = list(&config["Origins"]).iter().chain(list(&config["OriginGroups"]["Items"]));
        let origins: Vec<&Json> = origins.map(|origin| &origin["Id"]).collect();
        let behaviors = std::iter::once(&config["DefaultCacheBehavior"]).chain(list(&config["CacheBehaviors"]));
        let missing = behaviors
            .map(|behavior| &behavior["TargetOriginId"])
            .find(|target| !target.is_null() && !origins.contains(target));
        findings.extend(missing.map(|target| {
            at(id, entry, format!("has a behavior for the origin {target}, which is not one of its origins"))
        }));
    }
    findings
}
