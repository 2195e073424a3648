//! The function's settings, read from its environment once at the start.

use std::collections::BTreeSet;

use aws_types::SdkConfig;
use function::environment::stand_in;
use function::{aws, required};

use crate::error::{Error, Result};
use crate::request::AppId;
use crate::scrub::shown;

/// The function's settings.
pub struct Settings {
    /// The base URL of the HTTP calls, without a trailing slash.
    pub(crate) qlik: String,
    /// Whether the calls go to a stand-in on this machine, the only case in which plain HTTP is allowed.
    pub(crate) local: bool,
    pub(crate) api_key_secret: String,
    pub(crate) claims_table: String,
    pub(crate) allowed_apps: AllowedApps,
    pub(crate) dynamodb: SdkConfig,
    pub(crate) secrets_manager: SdkConfig,
}

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// `QLIK_TENANT_URL`, `API_KEY_SECRET` and `CLAIMS_TABLE` are required, `ALLOWED_APPS` (comma separated) is not.
    /// `QLIK_ENDPOINT_URL` is for a stand-in on this machine. Region, credentials and endpoints of AWS come from the variables
    /// that Lambda and the AWS SDKs use.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings> {
        let tenant = tenant_url(&required(variable, "QLIK_TENANT_URL")?)?;
        let local = stand_in(variable, "QLIK_ENDPOINT_URL")?;
        Ok(Settings {
            local: local.is_some(),
            qlik: local.unwrap_or(tenant),
            api_key_secret: required(variable, "API_KEY_SECRET")?,
            claims_table: required(variable, "CLAIMS_TABLE")?,
            allowed_apps: AllowedApps::parse(&variable("ALLOWED_APPS").unwrap_or_default())?,
            dynamodb: aws::service(variable, "DYNAMODB")?,
            secrets_manager: aws::service(variable, "SECRETS_MANAGER")?,
        })
    }
}

/// The apps that this function may reload: all of the tenant's if none is named.
pub(crate) struct AllowedApps(BTreeSet<AppId>);

impl AllowedApps {
    fn parse(list: &str) -> Result<AllowedApps> {
        let named = list.split(',').map(str::trim).filter(|id| !id.is_empty());
        let apps: Result<BTreeSet<AppId>> = named.map(AppId::parse).collect();
        Ok(AllowedApps(apps.map_err(|error| Error::invalid(format!("ALLOWED_APPS: {error}")))?))
    }

    pub(crate) fn contains(&self, app: &AppId) -> bool {
        self.0.is_empty() || self.0.contains(app)
    }
}

/// The tenant's base URL, without a trailing slash.
///
/// The token is sent to this host, so it must be `https://<name>.<region>.qlikcloud.com` (or qlikcloudgov.com): name `[a-z0-9-]{1,63}`,
/// region `[a-z]{2}[a-z0-9]{0,3}`, no user, port, path or query.
fn tenant_url(url: &str) -> Result<String> {
    let host = url.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let labels: Vec<&str> = host.unwrap_or_default().split('.').collect();
    let known = match labels[..] {
        [name, region, "qlikcloud" | "qlikcloudgov", "com"] => is_name(name) && is_region(region),
        _ => false,
    };
    match host {
        Some(host) if known => Ok(format!("https://{host}")),
        _ => Err(Error::invalid(format!(
            "QLIK_TENANT_URL `{}` is not a Qlik Cloud tenant; must be https://<name>.<region>.qlikcloud.com in lower case with nothing after it",
            shown(url)
        ))),
    }
}

fn is_name(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_region(label: &str) -> bool {
    let bytes = label.as_bytes();
    (2..=5).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_lowercase)
        && bytes[2..].iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_trailing_slash_in_the_tenant_url_is_ignored() {
        for url in ["https://acme.eu.qlikcloud.com", "https://acme.eu.qlikcloud.com/"] {
            assert_eq!(tenant_url(url).unwrap(), "https://acme.eu.qlikcloud.com");
        }
        for url in ["https://a-1.us2.qlikcloud.com", "https://acme.us.qlikcloudgov.com"] {
            assert_eq!(tenant_url(url).unwrap(), url);
        }
    }

    #[test]
    fn every_other_url_is_refused() {
        for url in [
            "",
            "acme.eu.qlikcloud.com",
            "http://acme.eu.qlikcloud.com",
            "HTTPS://acme.eu.qlikcloud.com",
            "http://169.254.169.254",
            "https://169.254.169.254",
            "https://user@acme.eu.qlikcloud.com",
            "https://user:pass@acme.eu.qlikcloud.com",
            "https://acme.eu.qlikcloud.com@evil.com",
            "https://acme.eu.qlikcloud.com.evil.com",
            "https://evil.com/acme.eu.qlikcloud.com",
            "https://evil.com#acme.eu.qlikcloud.com",
            "https://acme.eu.qlikcloud.com:8443",
            "https://acme.eu.qlikcloud.com/api",
            "https://acme.eu.qlikcloud.com//",
            "https://acme.eu.qlikcloud.com?x",
            "https://acme.eu.qlikcloud.com.",
            "https://Acme.eu.qlikcloud.com",
            "https://acme.e.qlikcloud.com",
            "https://acme.europe.qlikcloud.com",
            "https://acme.1u.qlikcloud.com",
            "https://.eu.qlikcloud.com",
            "https://acme.eu.qlikcloud.com\n",
            "https://acme.eu.qlik\u{441}loud.com",
            " https://acme.eu.qlikcloud.com",
        ] {
            let error = tenant_url(url).unwrap_err();
            assert!(error.message().contains("QLIK_TENANT_URL"), "{url}: {error}");
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        const WHOLE: &[(&str, &str)] = &[
            ("QLIK_TENANT_URL", "https://acme.eu.qlikcloud.com"),
            ("API_KEY_SECRET", "arn"),
            ("CLAIMS_TABLE", "claims"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        assert!(Settings::read(&variables(WHOLE)).is_ok());
        for (missing, _) in WHOLE {
            let without = |name: &str| variables(WHOLE)(name).filter(|_| name != *missing);
            let error = Settings::read(&without).err().expect("refused");
            assert!(error.message().contains(missing), "{error}");
        }
    }

    #[test]
    fn a_malformed_allowed_app_is_refused() {
        let good = "687ef393-f0ad-4c64-ac59-6db967126015";
        let apps = AllowedApps::parse(&format!(" {good} ,")).unwrap();
        assert!(apps.contains(&AppId::parse(good).unwrap()));
        assert!(!apps.contains(&AppId::parse("00000000-f0ad-4c64-ac59-6db967126015").unwrap()));
        assert!(AllowedApps::parse("nonsense").is_err());
    }
}
