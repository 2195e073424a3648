//! The bucket that the page is served from.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use function::{Clock, Failure, Outcome};

use crate::page::Object;

/// One bucket.
pub(crate) struct PageBucket<'a> {
    client: &'a Client,
    name: &'a str,
    clock: &'a Clock,
}

/// How often a call is made if S3 did not carry it out, or did not answer, and the pause after the first; it is doubled each time.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

impl PageBucket<'_> {
    pub(crate) fn new<'a>(client: &'a Client, name: &'a str, clock: &'a Clock) -> PageBucket<'a> {
        PageBucket { client, name, clock }
    }

    /// # Errors
    ///
    /// Says in one sentence why S3 did not accept it.
    pub(crate) async fn put(&self, object: &Object) -> Result<(), String> {
        let put = async || {
            let put = self
                .client
                .put_object()
                .bucket(self.name)
                .key(&object.key)
                .content_type(object.content_type())
                .cache_control(object.cache_control())
                .server_side_encryption(ServerSideEncryption::Aes256)
                .body(ByteStream::from(object.bytes.clone()));
            put.send().await
        };
        self.repeated(put)
            .await
            .map(drop)
            .map_err(|error| format!("could not publish {} in S3: {}", object.key, Failure::of(&error)))
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
            let list = async || {
                let list = self.client.list_objects_v2().bucket(self.name);
                list.set_continuation_token(next.clone()).send().await
            };
            let page = match self.repeated(list).await {
                Ok(page) => page,
                Err(error) if error.code() == Some("NoSuchBucket") => return Ok(keys),
                Err(error) => {
                    return Err(format!("could not list the published objects in S3: {}", Failure::of(&error)));
                }
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
        let delete = async || self.client.delete_object().bucket(self.name).key(key).send().await;
        self.repeated(delete)
            .await
            .map(drop)
            .map_err(|error| format!("could not delete {key} from S3: {}", Failure::of(&error)))
    }

    /// Makes a call that has the same effect twice as once, until its answer is one that another call would not change.
    async fn repeated<T, E: ProvideErrorMetadata>(
        &self,
        call: impl AsyncFn() -> Result<T, SdkError<E>>,
    ) -> Result<T, SdkError<E>> {
        let mut tried = 1;
        loop {
            let result = call().await;
            let Err(error) = &result else { return result };
            let failure = Failure::of(error);
            if failure.outcome == Outcome::Refused || tried == TRIES {
                return result;
            }
            tracing::warn!(step = "again", reason = %failure);
            self.clock.sleep(PAUSE * (1 << (tried - 1))).await;
            tried += 1;
        }
    }
}
