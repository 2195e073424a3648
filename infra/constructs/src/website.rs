//! Public pages of static files.

use aws::cloudfront::distribution::{
    self, DefaultCacheBehavior, DefaultCacheBehaviorRequired, Distribution, DistributionConfig,
    DistributionConfigRequired, HttpVersion, MinimumProtocolVersion, Origin, OriginRequired, S3OriginConfig,
    SslSupportMethod, ViewerCertificate, ViewerProtocolPolicy,
};
use aws::cloudfront::origin_access_control::{
    OriginAccessControl, OriginAccessControlConfig, OriginAccessControlConfigRequired,
};
use aws::cloudfront::response_headers_policy::{
    ContentSecurityPolicy, ContentSecurityPolicyRequired, ContentTypeOptions, CustomHeader, CustomHeaderRequired,
    CustomHeadersConfig, FrameOptions, FrameOptionsRequired, ReferrerPolicy, ReferrerPolicyRequired,
    ResponseHeadersPolicy, ResponseHeadersPolicyConfig, SecurityHeadersConfig, StrictTransportSecurity,
    StrictTransportSecurityRequired,
};
use aws::s3::bucket;
use aws::s3::bucket_policy::{BucketPolicy, Required};
use cfn::intrinsic::{join, sub};
use cfn::{Attributes, Construct, Json, Referable, Scope, Value};
use serde_json::json;

use crate::bucket::private_bucket;
use crate::grant::{Grant, deny_plain_http, document};

/// A private bucket that only its own CloudFront distribution can read, over TLS. The files can be published again, so the bucket is deleted
/// with the stack; whoever publishes has to empty it first.
///
/// An account may have only 20 response headers policies, so pages share [`page_headers`] and [`page_access`]. What a single page may connect
/// to, the page itself restricts further, in a `<meta>` element.
#[derive(Clone, Debug)]
pub struct Website {
    headers: Value<String>,
    access: Value<String>,
    domain: Option<(String, String)>,
    web_acl_arn: Option<String>,
}

impl Website {
    /// AWS's policy `CachingOptimized`: caching as the files' own headers say, compression, and no query string in the cache key.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>
    const CACHING_OPTIMIZED: &'static str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

    /// A page with the response headers policy and the origin access control of these IDs.
    pub fn new(headers: Value<String>, access: Value<String>) -> Self {
        Self { headers, access, domain: None, web_acl_arn: None }
    }

    /// Serves the page under this host name, with this ACM certificate in us-east-1, instead of CloudFront's own name.
    #[must_use]
    pub fn domain(mut self, name_and_certificate: Option<(&str, &str)>) -> Self {
        self.domain = name_and_certificate.map(|(name, certificate)| (name.to_owned(), certificate.to_owned()));
        self
    }

    /// Protects the page with this web access control list of WAF for CloudFront.
    #[must_use]
    pub fn web_acl(mut self, arn: Option<&str>) -> Self {
        self.web_acl_arn = arn.map(str::to_owned);
        self
    }

    fn distribution(&self, comment: String, bucket: &bucket::BucketRef) -> Distribution {
        let origin = Origin::new(OriginRequired { domain_name: bucket.regional_domain_name(), id: "Bucket".into() })
            .origin_access_control_id(self.access.clone())
            // CloudFront requires it for every bucket, empty with an origin access control.
            .s3_origin_config(S3OriginConfig::new().origin_access_identity(""));
        let behavior = DefaultCacheBehavior::new(DefaultCacheBehaviorRequired {
            target_origin_id: "Bucket".into(),
            viewer_protocol_policy: ViewerProtocolPolicy::RedirectToHttps.into(),
        })
        .allowed_methods(["GET", "HEAD"])
        .cache_policy_id(Self::CACHING_OPTIMIZED)
        .response_headers_policy_id(self.headers.clone())
        .compress(true);
        let mut config = DistributionConfig::new(DistributionConfigRequired {
            default_cache_behavior: behavior.into(),
            enabled: true.into(),
        })
        .comment(comment)
        .default_root_object("index.html")
        .http_version(HttpVersion::Http2and3)
        .ipv6_enabled(true)
        .origins([origin]);
        config = match &self.domain {
            Some((name, certificate)) => config.aliases([name.as_str()]).viewer_certificate(
                ViewerCertificate::new()
                    .acm_certificate_arn(certificate.as_str())
                    .minimum_protocol_version(MinimumProtocolVersion::TLSv1_2_2021)
                    .ssl_support_method(SslSupportMethod::SniOnly),
            ),
            // With its own certificate, CloudFront chooses the TLS versions itself.
            None => config.viewer_certificate(ViewerCertificate::new().cloud_front_default_certificate(true)),
        };
        Distribution::new(match &self.web_acl_arn {
            Some(arn) => config.web_acl_id(arn.as_str()),
            None => config,
        })
    }
}

/// Two years, in seconds: how long a browser remembers to request a page only over TLS.
const TLS_ONLY_SECONDS: i64 = 63_072_000;

/// Headers that allow a browser nothing but a page's own files, and connections to these origins, as in `https://api.example`.
pub fn page_headers(name: Value<String>, connects_to: Vec<Value<String>>) -> ResponseHeadersPolicy {
    let start = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'";
    let end = "; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
    let policy = join(" ", [start.into()].into_iter().chain(connects_to).chain([end.into()]));
    let security = SecurityHeadersConfig::new()
        .content_security_policy(ContentSecurityPolicy::new(ContentSecurityPolicyRequired {
            content_security_policy: policy,
            r#override: true.into(),
        }))
        .content_type_options(ContentTypeOptions::new(true))
        .frame_options(FrameOptions::new(FrameOptionsRequired { frame_option: "DENY".into(), r#override: true.into() }))
        .referrer_policy(ReferrerPolicy::new(ReferrerPolicyRequired {
            r#override: true.into(),
            referrer_policy: "no-referrer".into(),
        }))
        .strict_transport_security(
            StrictTransportSecurity::new(StrictTransportSecurityRequired {
                access_control_max_age_sec: TLS_ONLY_SECONDS.into(),
                r#override: true.into(),
            })
            .include_subdomains(true),
        );
    let no_device_access = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
                                 magnetometer=(), microphone=(), payment=(), usb=()";
    let others = [
        ("Permissions-Policy", no_device_access),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ];
    let others = others.map(|(header, value)| {
        CustomHeader::new(CustomHeaderRequired { header: header.into(), r#override: true.into(), value: value.into() })
    });
    ResponseHeadersPolicy::new(
        ResponseHeadersPolicyConfig::new(name)
            .security_headers_config(security)
            .custom_headers_config(CustomHeadersConfig::new(others)),
    )
}

/// With it, CloudFront signs its requests to buckets, which admit nobody else.
pub fn page_access(name: Value<String>) -> OriginAccessControl {
    OriginAccessControl::new(OriginAccessControlConfig::new(OriginAccessControlConfigRequired {
        name,
        origin_access_control_origin_type: "s3".into(),
        signing_behavior: "always".into(),
        signing_protocol: "sigv4".into(),
    }))
}

impl Construct for Website {
    type Ref = WebsiteRef;

    fn add_to(self, scope: &mut Scope<'_>) -> WebsiteRef {
        let bucket = scope.add("Bucket", private_bucket(None).disposable());
        let comment = format!("{} {}", scope.stack_name(), scope.path());
        let distribution = scope.add_here(self.distribution(comment, &bucket));
        let objects = sub(format!("${{{}.Arn}}/*", bucket.logical_id()));
        let read = json!({
            "Effect": "Allow",
            "Principal": { "Service": "cloudfront.amazonaws.com" },
            "Action": "s3:GetObject",
            "Resource": objects.json(),
            "Condition": { "StringEquals": { "aws:SourceArn": Json::from(sub(format!(
                "arn:${{AWS::Partition}}:cloudfront::${{AWS::AccountId}}:distribution/${{{}}}",
                distribution.logical_id()
            ))) } },
        });
        let statements = vec![deny_plain_http("s3:*", vec![bucket.arn(), objects]), read];
        scope.add(
            "BucketPolicy",
            BucketPolicy::new(Required { bucket: bucket.reference(), policy_document: document(statements).into() }),
        );
        let domain = self.domain.map(|(name, _)| name);
        WebsiteRef { bucket, distribution, domain }
    }
}

/// A website in a stack.
#[derive(Clone, Debug)]
pub struct WebsiteRef {
    bucket: bucket::BucketRef,
    distribution: distribution::DistributionRef,
    domain: Option<String>,
}

impl WebsiteRef {
    /// Its origin, without a slash at the end.
    pub fn origin(&self) -> Value<String> {
        match &self.domain {
            Some(name) => format!("https://{name}").into(),
            None => sub(format!("https://${{{}.DomainName}}", self.distribution.logical_id())),
        }
    }

    /// The name of its bucket.
    pub fn bucket_name(&self) -> Value<String> {
        self.bucket.reference()
    }

    /// The rights that publishing needs: to list, write and delete the page's files.
    pub fn grants_publish(&self) -> [Grant; 2] {
        let objects = sub(format!("${{{}.Arn}}/*", self.bucket.logical_id()));
        [Grant::new(["s3:ListBucket"], [self.bucket.arn()]), Grant::new(["s3:DeleteObject", "s3:PutObject"], [objects])]
    }
}
