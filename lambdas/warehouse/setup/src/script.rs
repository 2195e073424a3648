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
}

/// Reads scripts.
pub(crate) struct Scripts {
    client: Client,
}

/// The most bytes of a script: it is read into memory whole, and its data should lie elsewhere and be copied.
const MOST_BYTES: usize = 1024 * 1024;

impl Scripts {
    pub(crate) fn new(s3: &SdkConfig) -> Scripts {
        let config = aws_sdk_s3::config::Builder::from(s3)
            // What is not AWS has no host name a bucket.
            .force_path_style(s3.endpoint_url().is_some())
            .build();
        Scripts { client: Client::from_conf(config) }
    }

    /// The text of a script.
    ///
    /// # Errors
    ///
    /// Why it could not be read, in one sentence with the object's name.
    pub(crate) async fn read(&self, place: &ScriptPlace) -> Result<String, String> {
        let ScriptPlace { bucket, key } = place;
        let failed = |problem: &str| format!("could not read the script s3://{bucket}/{key}: {problem}");
        let answer = self.client.get_object().bucket(bucket).key(key).send().await;
        let mut answer = answer.map_err(|error| failed(&told(&error)))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.body.next().await {
            bytes.extend_from_slice(&chunk.map_err(|_| failed("the answer of S3 ended too early"))?);
            if bytes.len() > MOST_BYTES {
                return Err(failed(&format!("it has more than {MOST_BYTES} bytes, which is the most")));
            }
        }
        String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8"))
    }
}

fn told<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let Some(service) = error.as_service_error() else { return "S3 did not answer".to_owned() };
    match service.meta().code() {
        Some("NoSuchKey") => "there is no such object".to_owned(),
        Some("NoSuchBucket") => "there is no such bucket".to_owned(),
        // Without the right to list, S3 says so of what is not there as well.
        Some("AccessDenied") => "it is not there, or this function may not read it".to_owned(),
        Some("PermanentRedirect" | "AuthorizationHeaderMalformed") => "the bucket lies in another region".to_owned(),
        Some(code) => format!("S3 answered {code}"),
        None => "S3 answered an error without a code".to_owned(),
    }
}
