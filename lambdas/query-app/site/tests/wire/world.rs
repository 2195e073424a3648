//! A bucket that stores objects, lists them in pages of two keys, and accepts CloudFormation's answers.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use custom_resource::Unanswered;
use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, Request, Time, environment, reply};
use query_site::{Settings, SitePublisher};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The bucket's name.
pub(crate) const BUCKET: &str = "acme-page";
/// The ID after a successful Create.
pub(crate) const ID: &str = "acme-query-app/Site/acme-page";

pub(crate) struct World {
    url: String,
    data: Arc<Mutex<Data>>,
    code: TempDir,
}

#[derive(Default)]
struct Data {
    /// By key: content type, cache control, encryption, content.
    objects: BTreeMap<String, [String; 4]>,
    /// `PUT key` and `DELETE key`, in order.
    changes: Vec<String>,
    answers: Vec<Value>,
}

impl World {
    pub(crate) async fn new(files: &[(&str, &str)]) -> World {
        World::with(files, |_| None).await
    }

    /// A function with these files in its code, and faults in front of S3.
    pub(crate) async fn with(
        files: &[(&str, &str)],
        fault: impl Fn(&Request) -> Option<Answer> + Clone + Send + 'static,
    ) -> World {
        let data: Arc<Mutex<Data>> = Arc::default();
        let shared = Arc::clone(&data);
        let address = loopback::serve(move |request| {
            let fault = fault(&request);
            std::future::ready(fault.unwrap_or_else(|| shared.lock().unwrap().answer(&request)))
        })
        .await;
        let code = TempDir::new().unwrap();
        let world = World { url: format!("http://{address}"), data, code };
        world.write(files);
        world
    }

    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        let site = self.code.path().join("site");
        _ = fs::remove_dir_all(&site);
        for (name, content) in files {
            let path = site.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    pub(crate) async fn handle(&self, mut event: Value) -> Result<Value, Unanswered> {
        event["ResponseURL"] = json!(format!("{}/answer", self.url));
        let mut context = Context::default();
        let time = Time::at(0);
        context.deadline = time.deadline(Duration::from_secs(120));
        let code = [("LAMBDA_TASK_ROOT", self.code.path().to_str().unwrap())];
        let settings = Settings::read(&environment(&self.url, &code)).unwrap();
        SitePublisher::new(settings, time.clock()).handle(LambdaEvent::new(event, context)).await
    }

    /// Carries out an event and returns status, ID and reason of the one answer.
    pub(crate) async fn answer(&self, event: Value) -> [String; 3] {
        let before = self.data.lock().unwrap().answers.len();
        self.handle(event).await.unwrap();
        let answers = self.data.lock().unwrap().answers.clone();
        assert_eq!(answers.len(), before + 1, "{answers:?}");
        let answer = answers.last().unwrap();
        ["Status", "PhysicalResourceId", "Reason"].map(|field| answer[field].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn put(&self, key: &str) {
        self.data.lock().unwrap().objects.insert(key.to_owned(), Default::default());
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.data.lock().unwrap().objects.keys().cloned().collect()
    }

    pub(crate) fn object(&self, key: &str) -> [String; 4] {
        self.data.lock().unwrap().objects[key].clone()
    }

    pub(crate) fn changes(&self) -> Vec<String> {
        self.data.lock().unwrap().changes.clone()
    }
}

impl Data {
    fn answer(&mut self, request: &Request) -> Answer {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        if path == "/answer" {
            self.answers.push(serde_json::from_str(&request.body).unwrap());
            return reply(200, "");
        }
        let key = path.strip_prefix(&format!("/{BUCKET}")).unwrap_or_else(|| panic!("{path}")).trim_start_matches('/');
        match request.method.as_str() {
            "GET" => self.list(query),
            "PUT" => {
                let headers = ["content-type", "cache-control", "x-amz-server-side-encryption"];
                let [kind, cache, encryption] = headers.map(|header| request.header(header).to_owned());
                self.changes.push(format!("PUT {key}"));
                self.objects.insert(key.to_owned(), [kind, cache, encryption, request.body.clone()]);
                reply(200, "")
            }
            "DELETE" => {
                self.changes.push(format!("DELETE {key}"));
                self.objects.remove(key);
                reply(204, "")
            }
            other => panic!("{other}"),
        }
    }

    /// Two keys per page; the token is the number of keys returned so far.
    fn list(&self, query: &str) -> Answer {
        let token = query.split('&').find_map(|field| field.strip_prefix("continuation-token="));
        let start: usize = token.map_or(0, |token| token.parse().unwrap());
        let contents: String = self
            .objects
            .keys()
            .skip(start)
            .take(2)
            .map(|key| format!("<Contents><Key>{key}</Key></Contents>"))
            .collect();
        let next = if start + 2 < self.objects.len() {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>", start + 2)
        } else {
            String::new()
        };
        reply(200, format!("<ListBucketResult>{contents}{next}</ListBucketResult>"))
    }
}

/// An event for the page's bucket.
pub(crate) fn event(kind: &str, physical_id: Option<&str>) -> Value {
    let mut event = json!({
        "RequestType": kind,
        "RequestId": "5f1c2a1e-7a1e-4b61-8c8b-3a1f0a1b2c3d",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/acme-query-app/1b2c",
        "LogicalResourceId": "Site",
        "ResourceType": "AWS::CloudFormation::CustomResource",
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:publish",
            "ServiceTimeout": "180",
            "Bucket": BUCKET,
            "Code": "0".repeat(64) + ".zip",
            "Config": {
                "region": "us-east-1",
                "userPoolId": "us-east-1_AbCdEf",
                "userPoolClientId": "1h57kf5cpq17m0eml12EXAMPLE",
                "socket": "wss://s.execute-api.us-east-1.amazonaws.com/live",
                "api": "https://a.execute-api.us-east-1.amazonaws.com/live",
                "signUp": "true",
            },
        },
    });
    if let Some(id) = physical_id {
        event["PhysicalResourceId"] = json!(id);
    }
    event
}
