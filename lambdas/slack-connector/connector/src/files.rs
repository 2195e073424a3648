//! Slack's files of days that are over, stored in S3 as Slack sent them.
//!
//! One object per day. A file is complete or absent: it becomes visible when all of it was read without a mistake. Of two writers at
//! once, S3 refuses the second.

use std::collections::BTreeSet;
use std::time::Duration;

use athena_federation::client_for_large_objects;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_types::SdkConfig;
use function::{Failure, Outcome};

/// The folder of the files.
pub(crate) struct Files {
    client: Client,
    bucket: String,
    /// Ends with a slash.
    prefix: String,
}

/// A file that is being read.
pub(crate) struct Stored {
    /// Identifies this version of the file.
    pub(crate) version: String,
    pub(crate) body: ByteStream,
}

/// Larger files are stored in parts of this size, so that no file is in memory as a whole. S3's least is 5 MiB:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
const PART: usize = 8 << 20;

/// How often an answer that another write is under way is followed by another attempt.
const TRIES: u32 = 3;

impl Files {
    /// Files below `prefix` in `bucket`.
    pub(crate) fn new(s3: &SdkConfig, bucket: String, prefix: &str) -> Files {
        Files { client: client_for_large_objects(s3), bucket, prefix: format!("{}/", prefix.trim_matches('/')) }
    }

    fn key(&self, date: &str) -> String {
        format!("{}{date}", self.prefix)
    }

    /// The file of a day; `None` if there is none, or S3 does not give it.
    pub(crate) async fn open(&self, date: &str, owner: Option<&str>) -> Option<Stored> {
        let get = self.client.get_object().bucket(&self.bucket).key(self.key(date));
        match get.set_expected_bucket_owner(owner.map(str::to_owned)).send().await {
            Ok(object) => Some(Stored { version: object.e_tag.unwrap_or_default(), body: object.body }),
            Err(error) if error.code() == Some("NoSuchKey") => None,
            Err(error) => {
                // Slack has the day as well.
                tracing::warn!(step = "files", date, reason = %Failure::of(&error), "the stored file cannot be read");
                None
            }
        }
    }

    /// The dates from `oldest` on that have a file.
    ///
    /// # Errors
    ///
    /// If S3 does not list them.
    pub(crate) async fn dates(&self, oldest: &str, owner: Option<&str>) -> Result<BTreeSet<String>, Failure> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix);
        // A prefix of the oldest date's key is before it, and after all earlier ones.
        let start = self.key(oldest);
        let list = list.start_after(&start[..start.len() - 1]).set_expected_bucket_owner(owner.map(str::to_owned));
        let mut pages = list.into_paginator().send();
        let mut dates = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of(&error))?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            dates.extend(keys.filter_map(|key| key.strip_prefix(&self.prefix)).map(str::to_owned));
        }
        Ok(dates)
    }

    /// Begins to store the file of a day, in the place of the version `replaced` if there is one.
    pub(crate) fn save<'a>(&'a self, date: &str, replaced: Option<&'a str>, owner: Option<&'a str>) -> Saving<'a> {
        Saving { files: self, key: self.key(date), replaced, owner, buffer: Vec::new(), upload: None }
    }
}

/// A file that is being stored. If it is dropped, the bucket's lifecycle removes its parts after a day.
pub(crate) struct Saving<'a> {
    files: &'a Files,
    key: String,
    replaced: Option<&'a str>,
    owner: Option<&'a str>,
    /// What was not sent yet.
    buffer: Vec<u8>,
    upload: Option<Upload>,
}

struct Upload {
    id: String,
    parts: Vec<CompletedPart>,
}

impl Saving<'_> {
    /// Adds the next bytes.
    ///
    /// # Errors
    ///
    /// If S3 does not take them.
    pub(crate) async fn push(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        self.buffer.extend_from_slice(chunk);
        if self.buffer.len() < PART {
            return Ok(());
        }
        self.send_part().await
    }

    /// Makes the file visible, unless another one was stored in the meantime, which is just as good.
    ///
    /// # Errors
    ///
    /// If S3 does not store it.
    pub(crate) async fn finish(mut self) -> Result<(), Failure> {
        if self.upload.is_some() && !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let rest = SdkBody::from(std::mem::take(&mut self.buffer));
        let mut tried = 1;
        loop {
            let body = ByteStream::new(rest.try_clone().expect("a body in memory can be sent again"));
            let failure = match self.complete(body).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            match failure.code.as_str() {
                "PreconditionFailed" => break,
                _ if failure.outcome != Outcome::NotDone || tried == TRIES => {
                    self.abandon().await;
                    return Err(failure);
                }
                _ => tried += 1,
            }
            tokio::time::sleep(Duration::from_millis((100 << tried) + fastrand::u64(..100))).await;
        }
        tracing::info!(step = "files", "the file was stored by another split");
        self.abandon().await;
        Ok(())
    }

    /// Removes what was sent so far.
    pub(crate) async fn abandon(self) {
        let Some(upload) = &self.upload else { return };
        let files = self.files;
        let abort = files.client.abort_multipart_upload().bucket(&files.bucket).key(&self.key).upload_id(&upload.id);
        if let Err(error) = abort.set_expected_bucket_owner(self.owner.map(str::to_owned)).send().await {
            tracing::warn!(step = "files", reason = %Failure::of(&error), "S3 removes the parts of a file later");
        }
    }

    /// A file that is not there must still be absent, and one that is replaced must still be the same.
    fn conditions(&self) -> (Option<String>, Option<String>) {
        match self.replaced {
            None => (Some("*".to_owned()), None),
            Some(version) => (None, Some(version.to_owned())),
        }
    }

    async fn complete(&self, rest: ByteStream) -> Result<(), Failure> {
        let (client, bucket) = (&self.files.client, &self.files.bucket);
        let (if_absent, if_same) = self.conditions();
        let Some(upload) = &self.upload else {
            let put =
                client.put_object().bucket(bucket).key(&self.key).set_if_none_match(if_absent).set_if_match(if_same);
            let put = put.content_type(GZIP).set_expected_bucket_owner(self.owner.map(str::to_owned));
            let stored = put.body(rest).send().await;
            return stored.map(drop).map_err(|error| Failure::of(&error));
        };
        let parts = CompletedMultipartUpload::builder().set_parts(Some(upload.parts.clone())).build();
        let complete = client.complete_multipart_upload().bucket(bucket).key(&self.key).upload_id(&upload.id);
        let complete = complete.multipart_upload(parts).set_if_none_match(if_absent).set_if_match(if_same);
        let stored = complete.set_expected_bucket_owner(self.owner.map(str::to_owned)).send().await;
        stored.map(drop).map_err(|error| Failure::of(&error))
    }

    async fn send_part(&mut self) -> Result<(), Failure> {
        let (client, bucket) = (&self.files.client, &self.files.bucket);
        let owner = self.owner.map(str::to_owned);
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => {
                let create = client.create_multipart_upload().bucket(bucket).key(&self.key).content_type(GZIP);
                let created = create.set_expected_bucket_owner(owner.clone()).send().await;
                let id = created.map_err(|error| Failure::of(&error))?.upload_id.unwrap_or_default();
                none.insert(Upload { id, parts: Vec::new() })
            }
        };
        let number = i32::try_from(upload.parts.len() + 1).expect("a file has at most 10,000 parts");
        let part = std::mem::take(&mut self.buffer);
        let send = client.upload_part().bucket(bucket).key(&self.key).upload_id(&upload.id).part_number(number);
        let sent = send.set_expected_bucket_owner(owner).body(ByteStream::from(part)).send().await;
        let tag = sent.map_err(|error| Failure::of(&error))?.e_tag.unwrap_or_default();
        upload.parts.push(CompletedPart::builder().part_number(number).e_tag(tag).build());
        Ok(())
    }
}

const GZIP: &str = "application/gzip";
