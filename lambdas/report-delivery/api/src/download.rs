//! The files of a job: downloading and deleting them.

use std::fmt::Display;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use function::Failure;
use report_queue::files::File;
use report_queue::{Job, State};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// The report bucket.
pub(crate) struct Files {
    pub(crate) client: Client,
    pub(crate) bucket: String,
    pub(crate) tenant: String,
    /// How long an address is valid; at most 300 seconds, and no longer than the function's own credentials.
    pub(crate) url_life: Duration,
}

impl Files {
    /// An address to download one of a job's files from, counted from 1.
    ///
    /// # Errors
    ///
    /// 409 if the job has no files yet, 404 if that file does not exist, 410 if it is no longer in the bucket.
    pub(crate) async fn address(&self, job: &Job, number: usize) -> Result<Value> {
        if job.state != State::Completed {
            let status = crate::record::status(job);
            return Err(Error::conflict(format!("the job has no file; its status is {status}, must be COMPLETED")));
        }
        let count = job.files.len();
        let Some(file) = number.checked_sub(1).and_then(|at| job.files.get(at)) else {
            return Err(Error {
                status: 404,
                ..Error::invalid(format!("the job has {count} files, and no file {number}"))
            });
        };
        // The key was checked when it was recorded, but signing must not rely on that.
        if !file.key.starts_with(&job.key.prefix(&self.tenant)) {
            return Err(Error::unavailable("the job's record names a file of a different job"));
        }
        let head = self.client.head_object().bucket(&self.bucket).key(&file.key).send().await;
        if let Err(error) = head {
            return Err(match &error {
                SdkError::ServiceError(context) if context.raw().status().as_u16() == 404 => {
                    Error::gone("the file no longer exists; submit the report again")
                }
                _ => unavailable(&Failure::of(&error)),
            });
        }
        let config = PresigningConfig::expires_in(self.url_life).expect("the settings allow at most 300 seconds");
        let get = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(&file.key)
            .response_content_disposition(format!("attachment; filename=\"{}\"", file_name(job, file)))
            .response_content_type(content_type(file));
        let signed = get.presigned(config).await.map_err(|_| unavailable(&"the address could not be signed"))?;
        Ok(json!({"presignedUrl": signed.uri(), "Result": null, "Arn": null, "files": count}))
    }

    /// Deletes every version of every file below the job's prefix.
    ///
    /// # Errors
    ///
    /// If the bucket did not respond or kept one.
    pub(crate) async fn remove(&self, job: &Job) -> Result<()> {
        let prefix = job.key.prefix(&self.tenant);
        loop {
            let list = self.client.list_object_versions().bucket(&self.bucket).prefix(&prefix);
            let page = list.send().await.map_err(|error| unavailable(&Failure::of(&error)))?;
            let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
            let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
            let objects: Vec<ObjectIdentifier> = versions
                .chain(markers)
                .filter_map(|(key, version)| {
                    let id = ObjectIdentifier::builder().key(key?).set_version_id(version.map(str::to_owned));
                    Some(id.build().expect("the key is set"))
                })
                .collect();
            if objects.is_empty() {
                return Ok(());
            }
            let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
            let delete = delete.expect("there are objects");
            let answer = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
            let answer = answer.map_err(|error| unavailable(&Failure::of(&error)))?;
            if let Some(kept) = answer.errors().first() {
                return Err(unavailable(&kept.code().unwrap_or("a file was kept without a reason")));
            }
            if page.is_truncated() != Some(true) {
                return Ok(());
            }
        }
    }
}

/// The name under which a browser saves the file.
fn file_name(job: &Job, file: &File) -> String {
    let extension = match file.format.as_str() {
        "CSV" => "csv",
        "EXCEL" => "xlsx",
        _ => "pdf",
    };
    format!("{}.{extension}", job.key.job)
}

/// Determined by the job's format, not by what was uploaded.
fn content_type(file: &File) -> &'static str {
    match file.format.as_str() {
        "CSV" => "text/csv",
        "EXCEL" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/pdf",
    }
}

fn unavailable(reason: &dyn Display) -> Error {
    Error::unavailable(format!("the report bucket cannot be used: {reason}"))
}
