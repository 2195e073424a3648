//! Copies in a partner's bucket.

use std::fmt::Write;

use aws_sdk_s3::Client;
use function::{Failure, Outcome};
use report_queue::{Job, NotSent};

use crate::settings::Partner;

/// Copies from the report bucket to a partner's.
pub(crate) struct Copies {
    pub(crate) client: Client,
    pub(crate) from: String,
    pub(crate) tenant: String,
    pub(crate) to: Partner,
}

impl Copies {
    /// Copies each file to `<prefix><dashboard>/<job>/…`; repeating it writes the same files.
    pub(crate) async fn send(&self, job: &Job) -> Result<(), NotSent> {
        for file in &job.files {
            let Some(name) = file.key.strip_prefix(&job.key.prefix(&self.tenant)) else {
                return Err(NotSent::Refused("FileOutOfPlace".to_owned()));
            };
            let copy = self
                .client
                .copy_object()
                .copy_source(format!("{}/{}", self.from, encoded(&file.key)))
                .bucket(&self.to.bucket)
                .expected_bucket_owner(&self.to.account)
                .key(format!("{}{}/{name}", self.to.prefix, job.key));
            if let Err(error) = copy.send().await {
                let Failure { outcome, code } = Failure::of(&error);
                return Err(match outcome {
                    // The partner has to let this function in, or to create the bucket.
                    _ if matches!(code.as_str(), "AccessDenied" | "NoSuchBucket") => NotSent::NotNow(code),
                    Outcome::Refused => NotSent::Refused(code),
                    Outcome::NotDone => NotSent::NotNow(code),
                    Outcome::Unknown => NotSent::Unknown(code),
                });
            }
        }
        Ok(())
    }
}

/// The header that names the source is a URL: everything except slashes and plain characters is escaped.
fn encoded(key: &str) -> String {
    let mut out = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
    }
    out
}
