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
    /// Says in one sentence why S3 did not accept it.
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
        put.map(drop).map_err(|error| format!("could not publish {}: {}", object.key, message_of(&error)))
    }

    /// The keys of all objects.
    ///
    /// # Errors
    ///
    /// Says in one sentence why S3 did not list them. A missing bucket has none.
    pub(crate) async fn keys(&self) -> Result<Vec<String>, String> {
        let mut keys = Vec::new();
        let mut next = None;
        loop {
            let page = self.client.list_objects_v2().bucket(self.name).set_continuation_token(next).send().await;
            let page = match page {
                Ok(page) => page,
                Err(error) if code(&error) == Some("NoSuchBucket") => return Ok(keys),
                Err(error) => return Err(format!("could not list the published objects: {}", message_of(&error))),
            };
            next = page.next_continuation_token().map(str::to_owned);
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
            if next.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Deletes an object; a missing one counts as deleted.
    ///
    /// # Errors
    ///
    /// Says in one sentence why S3 did not delete it.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), String> {
        let deleted = self.client.delete_object().bucket(self.name).key(key).send().await;
        deleted.map(drop).map_err(|error| format!("could not delete {key}: {}", message_of(&error)))
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error()?.meta().code()
}

fn message_of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    match (error.as_service_error(), code(error)) {
        (_, Some(code)) => format!("S3 returned {code}"),
        (Some(_), None) => "S3 returned an error without a code".to_owned(),
        (None, None) => "S3 did not respond".to_owned(),
    }
}
