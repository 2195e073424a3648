//! The account and region that is deployed to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_s3::Client as S3;
use cfn::Environment;

use crate::assembly::StackArtifact;
use crate::aws::json::AwsJson;
use crate::aws::lanes::{Lanes, Rates};
use crate::{Error, Progress};

/// An account in a region, with working credentials.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) cloudformation: CloudFormation,
    pub(crate) s3: S3,
    pub(crate) json: Arc<AwsJson>,
    pub(crate) bucket: AssetBucket,
    /// Twelve digits.
    pub account: String,
    /// For example `eu-west-1`.
    pub region: String,
    pub(crate) lanes: Arc<Lanes>,
    /// Change sets that are only looked at, as long as they exist: name and stack.
    pub(crate) open_plans: Arc<Mutex<BTreeMap<String, String>>>,
    pub(super) config: SdkConfig,
    /// The address of AWS, if it is not the usual one.
    pub(super) endpoint: Option<String>,
    /// What addresses end in, for example `amazonaws.com`.
    pub(super) dns_suffix: String,
    /// Tokens are derived from it.
    pub(super) seed: String,
    /// Where else tenants that are at home here have stacks.
    pub(super) elsewhere: Arc<[Target]>,
}

/// Where function code and large templates are stored before CloudFormation reads them.
#[derive(Debug, Clone)]
pub(crate) struct AssetBucket {
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// Where the bucket comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The platform stack of this account and region.
    Platform,
    /// `cdk bootstrap`; the templates find it without a parameter.
    Bootstrap,
    /// The operator named it.
    Named,
}

impl Target {
    /// Calls AWS at these rates instead of the default ones, and reports on `progress` when AWS does not answer.
    #[must_use]
    pub fn at_rates(mut self, rates: Rates, progress: &Progress) -> Target {
        let mut lanes = Lanes::new(rates);
        lanes.report_to(progress, &self.region);
        self.lanes = Arc::new(lanes);
        self
    }

    /// The same target, for tenants that also have stacks in these places.
    #[must_use]
    pub fn and_elsewhere(mut self, elsewhere: Vec<Target>) -> Target {
        self.elsewhere = elsewhere.into();
        self
    }

    /// This target, and then each other place where its tenants have stacks.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Target> {
        std::iter::once(self).chain(self.elsewhere.iter())
    }

    /// The place of a stack, with this target's tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the stack belongs to neither this target nor one of its other places.
    pub(crate) fn of(&self, stack: &StackArtifact) -> Result<Target, Error> {
        let Some(place) = self.places().find(|place| place.is_in(&stack.environment)) else {
            return Err(Error::Refused(format!(
                "{} belongs to {}, and this is account {} in {}; nothing was changed there",
                stack.name,
                stack.environment.uri(),
                self.account,
                self.region
            )));
        };
        Ok(place.seeded(&self.seed))
    }

    /// Whether this is the account and the region of the environment, as far as it names them.
    fn is_in(&self, environment: &Environment) -> bool {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        fits(&environment.account, &self.account) && fits(&environment.region, &self.region)
    }

    /// The same target with tokens derived from `seed`: equal seeds, equal tokens.
    pub(crate) fn seeded(&self, seed: &str) -> Target {
        Target { seed: seed.to_owned(), ..self.clone() }
    }

    /// For clients of further services.
    pub(crate) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// A token for one write: CloudFormation treats a repeated request with the same token as the same request.
    pub(crate) fn token(&self, of: &str) -> String {
        let digest = cfn::sha256(format!("{}/{of}", self.seed));
        format!("ferrostack-{}", &digest[..24])
    }

    /// What the addresses of AWS end in, for example `amazonaws.com`.
    pub(crate) fn dns_suffix(&self) -> &str {
        &self.dns_suffix
    }

    /// Where CloudFormation reads an object of the asset bucket.
    pub(crate) fn object_url(&self, key: &str) -> String {
        let bucket = &self.bucket.name;
        match &self.endpoint {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{}.{}/{key}", self.region, self.dns_suffix),
        }
    }
}
