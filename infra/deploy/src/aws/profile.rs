//! A profile of the AWS CLI's files, read to explain why it gives no credentials. The SDK's own answer to a misspelled profile is
//! that there are no credentials, after it has tried everything else.

use std::collections::BTreeSet;

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use crate::Error;

/// How a profile and those it refers to get credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    /// `None` if the caller named no profile.
    pub(crate) name: Option<String>,
    /// IAM Identity Center, for which `aws sso login` signs in.
    single_sign_on: bool,
    /// A session of `aws login`.
    login: bool,
    /// A role that asks for a code from a device.
    device: bool,
}

impl Profile {
    /// Reads the profile with this name, else the one in `AWS_PROFILE`, else the default one.
    ///
    /// # Errors
    ///
    /// If the files cannot be read, or a profile is named that they do not contain.
    pub(crate) async fn read(name: Option<&str>) -> Result<Profile, Error> {
        let from_environment = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        let name = name.map(str::to_owned).or(from_environment);
        let (files, environment, paths) = (Fs::real(), Env::real(), EnvConfigFiles::default());
        let set = profile::load(&files, &environment, &paths, name.clone().map(Into::into)).await;
        let set = set.map_err(|error| Error::Refused(format!("cannot read the AWS profiles: {error}")))?;
        Profile::in_set(&set, name)
    }

    fn in_set(set: &ProfileSet, name: Option<String>) -> Result<Profile, Error> {
        let mut found = Profile { name: name.clone(), ..Profile::default() };
        let (mut current, mut referrer) = (name.clone().unwrap_or_else(|| "default".to_owned()), None);
        let mut seen = BTreeSet::new();
        // A circle is left to the SDK, which reports it with all its members.
        while seen.insert(current.clone()) {
            let Some(profile) = set.get_profile(&current) else {
                return if name.is_some() { Err(unknown(set, &current, referrer.as_deref())) } else { Ok(found) };
            };
            found.single_sign_on |= profile.get("sso_session").or(profile.get("sso_start_url")).is_some();
            found.login |= profile.get("login_session").is_some();
            found.device |= profile.get("mfa_serial").is_some();
            let Some(source) = profile.get("source_profile") else { break };
            referrer = Some(std::mem::replace(&mut current, source.to_owned()));
        }
        Ok(found)
    }

    /// What to do if the profile gives no credentials: starts with a semicolon, unless there is nothing to say.
    pub(crate) fn advice(&self) -> String {
        let option = self.name.as_ref().map(|name| format!(" --profile {name}")).unwrap_or_default();
        if self.device {
            // The code is valid once; the SDK has nobody to ask for it.
            return format!(
                "; it has an mfa_serial, and codes cannot be asked for here: run `eval \"$(aws configure export-credentials{option} --format env)\"` first"
            );
        }
        match (self.single_sign_on, self.login) {
            (true, _) => format!("; sign in with `aws sso login{option}`"),
            (_, true) => format!("; sign in with `aws login{option}`"),
            _ => String::new(),
        }
    }
}

fn unknown(set: &ProfileSet, name: &str, referrer: Option<&str>) -> Error {
    let names: BTreeSet<_> = set.profiles().collect();
    let names = if names.is_empty() {
        "they contain no profiles".to_owned()
    } else {
        format!("they contain {}", names.into_iter().collect::<Vec<_>>().join(", "))
    };
    let referred = referrer.map(|referrer| format!(", the source_profile of `{referrer}`,")).unwrap_or_default();
    Error::Refused(format!("the AWS profile `{name}`{referred} does not exist in the AWS CLI's files; {names}"))
}
