//! Buckets of a tenant: how much they contain, and emptying them. In addition to objects they have old versions and delete markers.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::list_object_versions::{ListObjectVersionsError, ListObjectVersionsOutput};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::aws::sdk_error::from_sdk;
use crate::{Error, Progress, Target};

/// Why S3 does not list a bucket.
type ListError = SdkError<ListObjectVersionsError, HttpResponse>;

/// The most pages of 1,000 that are counted; more are not worth the wait for a number that only a person reads.
const COUNTED_PAGES: usize = 20;

/// How much the bucket contains, for a person: `12 objects and versions, 3.4 MiB`; `None` if it does not exist.
pub(crate) async fn size(target: &Target, bucket: &str) -> Result<Option<String>, ListError> {
    let (mut count, mut bytes) = (0, 0);
    let (mut key, mut version) = (None, None);
    for _ in 0..COUNTED_PAGES {
        let Some(page) = list(target, bucket, key, version).await? else { return Ok(None) };
        count += page.versions().len() + page.delete_markers().len();
        bytes += page.versions().iter().filter_map(|version| version.size()).sum::<i64>();
        if !page.is_truncated().unwrap_or(false) {
            return Ok(Some(format!("{count} objects and versions, {}", readable_size(bytes))));
        }
        (key, version) = (page.next_key_marker, page.next_version_id_marker);
    }
    Ok(Some(format!("more than {count} objects and versions, more than {}", readable_size(bytes))))
}

/// Deletes every object, old version and delete marker, a page of 1,000 at a time. Can be repeated after an interruption.
pub(crate) async fn empty(target: &Target, bucket: &str, progress: &Progress) -> Result<(), Error> {
    let doing = format!("emptying the bucket {bucket}");
    progress.begin(doing.clone(), 0);
    let mut deleted = 0;
    loop {
        // Always the first page: what it listed is gone in the next round.
        let page = list(target, bucket, None, None).await.map_err(|error| from_sdk(&doing, error))?;
        let Some(page) = page else { return Ok(()) };
        let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        let objects: Vec<_> = versions
            .chain(markers)
            .filter_map(|(key, version)| {
                ObjectIdentifier::builder().key(key?).set_version_id(version.map(str::to_owned)).build().ok()
            })
            .collect();
        if objects.is_empty() {
            progress.line(format!("{bucket}: {deleted} objects, versions and markers deleted"));
            return Ok(());
        }
        deleted += objects.len();
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let delete = delete.map_err(|error| Error::Failed(format!("{doing} failed: {error}")))?;
        let delete = target.s3.delete_objects().bucket(bucket).delete(delete);
        let answer = target.lanes.storage.call(|| delete.clone().send()).await;
        let answer = answer.map_err(|error| from_sdk(&doing, error))?;
        if let Some(failed) = answer.errors().first() {
            return Err(Error::Failed(format!(
                "{doing} failed at {}: {}",
                failed.key().unwrap_or_default(),
                failed.message().unwrap_or_default()
            )));
        }
    }
}

/// One page of versions and markers; `None` if there is no such bucket.
async fn list(
    target: &Target,
    bucket: &str,
    key: Option<String>,
    version: Option<String>,
) -> Result<Option<ListObjectVersionsOutput>, ListError> {
    let list = target.s3.list_object_versions().bucket(bucket).set_key_marker(key).set_version_id_marker(version);
    match target.lanes.storage.call(|| list.clone().send()).await {
        Ok(page) => Ok(Some(page)),
        Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A number of bytes in the largest unit that fits.
pub(crate) fn readable_size(bytes: i64) -> String {
    let mut size = bytes as f64;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return if unit == "bytes" { format!("{bytes} bytes") } else { format!("{size:.1} {unit}") };
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_the_largest_unit_that_fits() {
        let shown = [0, 1023, 1536, 5 << 20, 3 << 40].map(readable_size);
        assert_eq!(shown, ["0 bytes", "1023 bytes", "1.5 KiB", "5.0 MiB", "3.0 TiB"]);
    }
}
