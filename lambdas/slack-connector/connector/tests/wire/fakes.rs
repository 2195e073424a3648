//! The bucket of files and the table of turns, with the conditions on their writes as S3 and DynamoDB check them.

use std::collections::BTreeMap;

use loopback::{Answer, Request, dynamo, reply};
use serde_json::{Value as Json, json};

/// A bucket.
#[derive(Default)]
pub(crate) struct Bucket {
    /// By key, with their versions.
    pub(crate) objects: BTreeMap<String, (Vec<u8>, u64)>,
    /// The parts of uploads that were neither completed nor aborted.
    pub(crate) uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    versions: u64,
    /// The account that each request expected to own the bucket.
    pub(crate) owners: Vec<String>,
}

impl Bucket {
    /// The bytes of an object.
    pub(crate) fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.objects.get(key).map(|(bytes, _)| bytes.as_slice())
    }

    /// Stores an object without conditions.
    pub(crate) fn store(&mut self, key: &str, bytes: Vec<u8>) {
        self.versions += 1;
        self.objects.insert(key.to_owned(), (bytes, self.versions));
    }

    /// Answers a request for `key`, or for the list of keys if it is empty.
    pub(crate) fn answer(&mut self, key: &str, request: Request) -> Answer {
        let query = request.target.split_once('?').map(|(_, query)| query).unwrap_or_default().to_owned();
        let fields: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        self.owners.push(request.header("x-amz-expected-bucket-owner").to_owned());
        let upload = fields.get("uploadId").cloned();
        match (request.method.as_str(), upload) {
            ("GET", _) if key.is_empty() => self.list(&fields),
            ("GET", _) => match self.objects.get(key) {
                Some((bytes, version)) => {
                    let headers = vec![("ETag", format!("\"{version}\""))];
                    Answer::Reply { status: 200, headers, body: bytes.clone() }
                }
                None => error(404, "NoSuchKey"),
            },
            ("PUT", Some(upload)) => {
                let number = fields["partNumber"].parse().unwrap();
                self.uploads.get_mut(&upload).unwrap().insert(number, request.bytes);
                Answer::Reply { status: 200, headers: vec![("ETag", format!("\"part-{number}\""))], body: Vec::new() }
            }
            ("PUT", None) => self.write(key, &request, request.bytes.clone(), ""),
            ("POST", None) => {
                self.versions += 1;
                let upload = format!("upload-{}", self.versions);
                self.uploads.insert(upload.clone(), BTreeMap::new());
                reply(
                    200,
                    format!(
                        "<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
                    ),
                )
            }
            ("POST", Some(upload)) => {
                let parts = self.uploads[&upload].values().flatten().copied().collect();
                let answer = self.write(key, &request, parts, "<CompleteMultipartUploadResult/>");
                if matches!(answer, Answer::Reply { status: 200, .. }) {
                    self.uploads.remove(&upload);
                }
                answer
            }
            ("DELETE", Some(upload)) => {
                self.uploads.remove(&upload);
                reply(204, "")
            }
            (method, _) => panic!("nobody answers {method} {}", request.target),
        }
    }

    fn write(&mut self, key: &str, request: &Request, bytes: Vec<u8>, body: &str) -> Answer {
        let found = self.objects.get(key).map(|(_, version)| format!("\"{version}\""));
        let (absent, same) = (request.header("if-none-match"), request.header("if-match"));
        assert!(absent == "*" || !same.is_empty(), "a file is only stored under a condition");
        match found {
            Some(_) if absent == "*" => error(412, "PreconditionFailed"),
            Some(version) if !same.is_empty() && version != same => error(412, "PreconditionFailed"),
            None if !same.is_empty() => error(404, "NoSuchKey"),
            _ => {
                self.store(key, bytes);
                reply(200, body)
            }
        }
    }

    fn list(&self, fields: &BTreeMap<String, String>) -> Answer {
        let (prefix, after) = (&fields["prefix"], &fields["start-after"]);
        let keys = self.objects.keys().filter(|key| key.starts_with(prefix) && *key > after);
        let contents: String = keys.map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
        reply(200, format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"))
    }
}

/// An error as S3 writes it.
pub(crate) fn error(status: u16, code: &str) -> Answer {
    reply(status, format!("<Error><Code>{code}</Code></Error>"))
}

/// A table, by `id`.
#[derive(Default)]
pub(crate) struct Table(pub(crate) BTreeMap<String, Json>);

impl Table {
    pub(crate) fn answer(&mut self, operation: &str, body: &Json) -> Answer {
        match operation {
            "GetItem" => {
                assert_eq!(body["ConsistentRead"], true);
                match self.0.get(body["Key"]["id"]["S"].as_str().unwrap()) {
                    Some(item) => reply(200, json!({ "Item": item })),
                    None => reply(200, "{}"),
                }
            }
            "PutItem" => {
                let id = body["Item"]["id"]["S"].as_str().unwrap();
                let found = self.0.get(id).cloned();
                if !dynamo::holds(body, found.as_ref()) {
                    return dynamo::refused(body, found.as_ref());
                }
                self.0.insert(id.to_owned(), body["Item"].clone());
                reply(200, "{}")
            }
            other => panic!("nobody answers {other}"),
        }
    }
}
