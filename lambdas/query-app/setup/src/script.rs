//! Scripts in S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;
use serde::Deserialize;

/// An object in S3 that holds a script.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ScriptPlace {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// The account that must own the bucket: what the script says is done with an administrator's rights.
    #[serde(default)]
    pub(crate) owner: Option<String>,
}

/// Reads scripts.
pub(crate) struct Scripts {
    client: Client,
}

/// The most bytes in a script: it is read into memory whole, and large data should be stored elsewhere and loaded with COPY.
const MOST_BYTES: usize = 1024 * 1024;

impl Scripts {
    pub(crate) fn new(s3: &SdkConfig) -> Scripts {
        let config = aws_sdk_s3::config::Builder::from(s3)
            // An endpoint that is not AWS has no host name per bucket.
            .force_path_style(s3.endpoint_url().is_some())
            .build();
        Scripts { client: Client::from_conf(config) }
    }

    /// The text of a script.
    ///
    /// # Errors
    ///
    /// Says in one sentence, with the object's name, why it could not be read.
    pub(crate) async fn read(&self, place: &ScriptPlace) -> Result<String, String> {
        let ScriptPlace { bucket, key, owner } = place;
        let failed = |problem: &str| format!("could not read the script s3://{bucket}/{key}: {problem}");
        let answer =
            self.client.get_object().bucket(bucket).key(key).set_expected_bucket_owner(owner.clone()).send().await;
        let mut answer = answer.map_err(|error| failed(&message_of(&error)))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.body.next().await {
            bytes.extend_from_slice(&chunk.map_err(|_| failed("the response from S3 ended too early"))?);
            if bytes.len() > MOST_BYTES {
                return Err(failed(&format!("it has more than {MOST_BYTES} bytes; must be at most {MOST_BYTES}")));
            }
        }
        String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8"))
    }
}

fn message_of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let Some(service) = error.as_service_error() else { return "S3 did not respond".to_owned() };
    match service.meta().code() {
        Some("NoSuchKey") => "the object does not exist".to_owned(),
        Some("NoSuchBucket") => "the bucket does not exist".to_owned(),
        // Without the right to list, S3 also returns this for objects that do not exist.
        Some("AccessDenied") => "it does not exist, or this function is not allowed to read it".to_owned(),
        Some("PermanentRedirect" | "AuthorizationHeaderMalformed") => "the bucket is in a different region".to_owned(),
        Some(code) => format!("S3 returned {code}"),
        None => "S3 returned an error without a code".to_owned(),
    }
}
