//! The files of a job: what QuickSight reports, and which of it is accepted.

use serde::{Deserialize, Serialize};

/// A file as QuickSight reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// `CSV`, `PDF` or `EXCEL`.
    pub format: String,
    /// `s3://bucket/key`, or an `https` address of the same.
    pub uri: String,
}

/// A file of a job whose location was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// `CSV`, `PDF` or `EXCEL`.
    pub format: String,
    /// Its key in the report bucket.
    pub key: String,
}

/// The file at `uri`, if it is in `bucket` below `prefix`.
///
/// # Errors
///
/// One sentence when it does not.
pub fn locate(uploaded: &Uploaded, bucket: &str, prefix: &str) -> Result<File, String> {
    let Some((found, key)) = parse(&uploaded.uri) else {
        return Err("quicksight reported a file with an address that is neither s3 nor https".to_owned());
    };
    let inside = key.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    if found != bucket || !inside || key.split('/').any(|part| matches!(part, "." | "..")) {
        return Err("quicksight reported a file outside the job's own prefix".to_owned());
    }
    Ok(File { format: uploaded.format.clone(), key })
}

/// Bucket and key of `s3://bucket/key`, `https://bucket.s3.region.amazonaws.com/key` or `https://s3.region.amazonaws.com/bucket/key`.
fn parse(uri: &str) -> Option<(String, String)> {
    if let Some(rest) = uri.strip_prefix("s3://") {
        let (bucket, key) = rest.split_once('/')?;
        return Some((bucket.to_owned(), key.to_owned()));
    }
    let (host, path) = uri.strip_prefix("https://")?.split_once('/')?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let service = |host: &str| {
        (host.starts_with("s3.") || host.starts_with("s3-"))
            && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
    };
    if service(host) {
        let (bucket, key) = path.split_once('/')?;
        return Some((bucket.to_owned(), decoded(key)?));
    }
    // A bucket's name may contain dots, so the service's part is searched from each of them.
    let dots = host.match_indices('.').map(|(at, _)| at);
    let at = dots.into_iter().find(|at| service(&host[at + 1..]))?;
    Some((host[..at].to_owned(), decoded(path)?))
}

fn decoded(path: &str) -> Option<String> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let digits =
                    path.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                at += 3;
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(uri: &str) -> Option<String> {
        let uploaded = Uploaded { format: "PDF".to_owned(), uri: uri.to_owned() };
        locate(&uploaded, "my.bucket", "t/acme/d/j/").ok().map(|file| file.key)
    }

    #[test]
    fn a_file_in_the_right_place_is_found_by_each_form_of_its_address() {
        for uri in [
            "s3://my.bucket/t/acme/d/j/a b.pdf",
            "https://my.bucket.s3.eu-west-1.amazonaws.com/t/acme/d/j/a%20b.pdf",
            "https://my.bucket.s3.amazonaws.com/t/acme/d/j/a%20b.pdf",
            "https://s3.eu-west-1.amazonaws.com/my.bucket/t/acme/d/j/a%20b.pdf?versionId=1",
        ] {
            assert_eq!(key(uri).as_deref(), Some("t/acme/d/j/a b.pdf"), "{uri}");
        }
    }

    #[test]
    fn a_file_anywhere_else_is_refused() {
        for uri in [
            "s3://other/t/acme/d/j/a.pdf",
            "s3://my.bucket/t/globex/d/j/a.pdf",
            "s3://my.bucket/t/acme/d/j/",
            "s3://my.bucket/t/acme/d/j/../k/a.pdf",
            "https://my.bucket.s3.amazonaws.com/t/acme/d/j/%2e%2e/k/a.pdf",
            "https://my.bucket.s3.evil.com/t/acme/d/j/a.pdf",
            "https://my.bucket.s3.amazonaws.com/t/acme/d/j/%zz",
            "http://my.bucket.s3.amazonaws.com/t/acme/d/j/a.pdf",
            "ftp://my.bucket/t/acme/d/j/a.pdf",
            "",
        ] {
            assert_eq!(key(uri), None, "{uri}");
        }
    }
}
