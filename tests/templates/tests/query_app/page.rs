//! The page: who reads it, who publishes it, and under which address.

use cfn::assertions::assert_includes;
use serde_json::json;
use template_tests::rights;

use crate::{DOMAIN, variables, with};

#[test]
fn the_page_has_what_all_pages_share() {
    let template = with("");
    assert_includes(
        &template.properties("Page")["DistributionConfig"],
        &json!({
            "DefaultRootObject": "index.html",
            "HttpVersion": "http2and3",
            "DefaultCacheBehavior": {
                "ViewerProtocolPolicy": "redirect-to-https",
                "AllowedMethods": ["GET", "HEAD"],
                "Compress": true,
                "ResponseHeadersPolicyId": { "Ref": "PageHeaders" },
            },
        }),
    );
    assert_includes(
        &template.properties("Page")["DistributionConfig"]["Origins"][0],
        &json!({
            "DomainName": { "Fn::GetAtt": ["PageBucket", "RegionalDomainName"] },
            "OriginAccessControlId": { "Ref": "PageAccess" },
        }),
    );
}

#[test]
fn only_the_distribution_reads_the_bucket_and_only_the_publisher_writes_it() {
    let template = with("");
    let distribution = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Page}";
    let statements = &template.properties("PageBucketPolicy")["PolicyDocument"]["Statement"];
    assert_includes(
        &statements[0],
        &json!({ "Effect": "Deny", "Condition": { "Bool": { "aws:SecureTransport": false } } }),
    );
    assert_eq!(
        statements[1],
        json!({
            "Effect": "Allow",
            "Principal": { "Service": "cloudfront.amazonaws.com" },
            "Action": "s3:GetObject",
            "Resource": { "Fn::Sub": "${PageBucket.Arn}/*" },
            "Condition": { "StringEquals": { "aws:SourceArn": { "Fn::Sub": distribution } } },
        })
    );
    assert_includes(
        template.properties("PageBucket"),
        &json!({ "PublicAccessBlockConfiguration": { "BlockPublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true } }),
    );
    assert_eq!(
        rights(&template, "PublishSiteRole"),
        [
            r#"s3:ListBucket: {"Fn::GetAtt":["PageBucket","Arn"]}"#,
            r#"s3:DeleteObject s3:PutObject: {"Fn::Sub":"${PageBucket.Arn}/*"}"#,
        ]
    );
}

#[test]
fn a_custom_domain_has_its_certificate_and_a_minimum_version_of_tls() {
    let acl = "web_acl: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b'\n";
    let template = with(&format!("{DOMAIN}{acl}"));
    assert_includes(
        &template.properties("Page")["DistributionConfig"],
        &json!({
            "Aliases": ["q.acme.example"],
            "ViewerCertificate": {
                "AcmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/c",
                "MinimumProtocolVersion": "TLSv1.2_2021",
                "SslSupportMethod": "sni-only",
            },
            "WebACLId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b",
        }),
    );
    for function in ["Socket", "Results"] {
        assert_eq!(variables(&template, function)["ORIGINS"], "https://q.acme.example");
    }
    assert_eq!(template.outputs["SiteCnameTarget"]["Value"], json!({ "Fn::Sub": "${Page.DomainName}" }));
}

#[test]
fn the_page_is_published_again_with_new_code_and_knows_its_apis() {
    let template = with("");
    assert_includes(
        template.properties("Site"),
        &json!({
            "ServiceToken": { "Fn::GetAtt": ["PublishSite", "Arn"] },
            "ServiceTimeout": 180,
            "Bucket": { "Ref": "PageBucket" },
            "Code": { "Ref": "PublishSiteCodeKey" },
            "Config": {
                "region": { "Ref": "AWS::Region" },
                "userPoolId": { "Ref": "Users" },
                "userPoolClientId": { "Ref": "UsersClient" },
                "socket": { "Fn::Sub": "wss://${Connections}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live" },
                "api": { "Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${ApiStage}" },
            },
        }),
    );
}
