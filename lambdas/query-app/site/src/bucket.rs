//! The bucket that the page is served from.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;

use crate::page::Object;

/// One bucket.
pub(crate) struct PageBucket<'a> {
    client: &'a Client,
    name: &'a str,
}

impl PageBucket<'_> {
    pub(crate) fn new<'a>(client: &'a Client, name: &'a str) -> PageBucket<'a> {
        PageBucket { client, name }
    }

    /// # Errors
    ///
    /// When S3 did not take it, in one sentence.
    pub(crate) async fn put(&self, object: &Object) -> Result<(), String> {
        let put = self
            .client
            .put_object()
            .bucket(self.name)
            .key(&object.key)
            .content_type(object.content_type())
            .cache_control(object.cache_control())
            .server_side_encryption(ServerSideEncryption::Aes256)
            .body(ByteStream::from(object.bytes.clone()))
            .send()
            .await;
        put.map(drop).map_err(|error| format!("could not publish {}: {}", object.key, told(&error)))
    }

    /// The keys of all objects.
    ///
    /// # Errors
    ///
    /// When S3 did not tell them, in one sentence. A bucket that is not there has none.
    pub(crate) async fn keys(&self) -> Result<Vec<String>, String> {
        let mut keys = Vec::new();
        let mut next = None;
        loop {
            let page = self.client.list_objects_v2().bucket(self.name).set_continuation_token(next).send().await;
            let page = match page {
                Ok(page) => page,
                Err(error) if code(&error) == Some("NoSuchBucket") => return Ok(keys),
                Err(error) => return Err(format!("could not list what is published: {}", told(&error))),
            };
            next = page.next_continuation_token().map(str::to_owned);
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|it| it.key));
            if next.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Deletes an object; one that is not there counts as deleted.
    ///
    /// # Errors
    ///
    /// When S3 did not do it, in one sentence.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), String> {
        let deleted = self.client.delete_object().bucket(self.name).key(key).send().await;
        deleted.map(drop).map_err(|error| format!("could not delete {key}: {}", told(&error)))
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error()?.meta().code()
}

fn told<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    match (error.as_service_error(), code(error)) {
        (_, Some(code)) => format!("S3 answered {code}"),
        (Some(_), None) => "S3 answered an error without a code".to_owned(),
        (None, None) => "S3 did not answer".to_owned(),
    }
}
