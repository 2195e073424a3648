//! The account and region that is deployed to.

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudformation::config::ProvideCredentials;
use aws_sdk_s3::Client as S3;

use crate::Error;
use crate::error::from_sdk;

/// An account in a region, with working credentials.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) cloudformation: CloudFormation,
    pub(crate) s3: S3,
    pub(crate) bucket: AssetBucket,
    /// Twelve digits.
    pub account: String,
    /// For example `eu-west-1`.
    pub region: String,
    endpoint: Option<String>,
    run: String,
}

/// Where function code and large templates are stored before CloudFormation reads them.
#[derive(Debug, Clone)]
pub(crate) struct AssetBucket {
    pub(crate) name: String,
    /// The account's own bootstrap bucket, which the templates find without being told.
    pub(crate) bootstrap: bool,
}

impl Target {
    /// Finds out who is calling; nothing is changed. `asset_bucket` replaces the CDK bootstrap bucket.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when there is no region, when there are no credentials, or when AWS does not accept them.
    pub async fn connect(config: &SdkConfig, asset_bucket: Option<&str>) -> Result<Target, Error> {
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Error::Refused(
                "no AWS region is set; set AWS_REGION, or a profile with a region in AWS_PROFILE".to_owned(),
            ));
        };
        let no_credentials = |why: &str| {
            Error::Refused(format!(
                "no AWS credentials were found ({why}); set AWS_PROFILE or AWS_ACCESS_KEY_ID, or sign in with `aws sso login`"
            ))
        };
        match config.credentials_provider() {
            None => return Err(no_credentials("no provider is configured")),
            // The provider's own error is not shown: a failing credential process may print what it read.
            Some(provider) => {
                provider.provide_credentials().await.map_err(|_| no_credentials("every known place was tried"))?
            }
        };
        let identity = aws_sdk_sts::Client::new(config)
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| from_sdk("asking AWS who is calling", error).into_refusal())?;
        let account = identity.account().unwrap_or_default().to_owned();
        let bucket = match asset_bucket {
            Some(name) => AssetBucket { name: name.to_owned(), bootstrap: false },
            None => AssetBucket { name: format!("cdk-hnb659fds-assets-{account}-{region}"), bootstrap: true },
        };
        let endpoint = config.endpoint_url().map(str::to_owned);
        let mut s3 = aws_sdk_s3::config::Builder::from(config);
        if endpoint.is_some() {
            // `bucket.localhost` is not a name every machine resolves.
            s3.set_force_path_style(Some(true));
        }
        Ok(Target {
            cloudformation: CloudFormation::new(config),
            s3: S3::from_conf(s3.build()),
            bucket,
            account,
            region,
            endpoint,
            run: run_id(),
        })
    }

    /// A token for one write of this run: CloudFormation takes a repeated request with the same token for the same request.
    pub(crate) fn token(&self, of: &str) -> String {
        let digest = cfn::sha256(format!("{}/{of}", self.run));
        format!("ferrostack-{}", &digest[..24])
    }

    /// Where CloudFormation reads an object of the asset bucket.
    pub(crate) fn object_url(&self, key: &str) -> String {
        let bucket = &self.bucket.name;
        match &self.endpoint {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            None => {
                let suffix = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                format!("https://{bucket}.s3.{}.{suffix}/{key}", self.region)
            }
        }
    }
}

/// Differs between two runs, so that a deployment repeated later is not taken for the earlier one.
fn run_id() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", now.as_nanos(), std::process::id())
}
