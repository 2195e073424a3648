//! AWS: the table, the warehouse, API Gateway's connections and S3 behind one address.

use std::collections::{BTreeMap, VecDeque};

use loopback::answers::Case;
use loopback::{Answer, Request, reply};
use serde_json::{Value, json};

use crate::dynamo::Dynamo;
use crate::warehouse::Warehouse;

/// What the fakes know and have recorded.
pub(crate) struct State {
    pub(crate) dynamo: Dynamo,
    pub(crate) warehouse: Warehouse,
    /// The messages to each browser, by its connection; missing if the connection is gone.
    pub(crate) browsers: BTreeMap<String, Vec<String>>,
    /// API Gateway's response to a post instead of accepting it, one per call.
    pub(crate) posts: VecDeque<(u16, &'static str)>,
    /// The number of posts, whether or not they arrived.
    pub(crate) posted: usize,
    /// What happens in the middle of the next post.
    pub(crate) on_post: Option<Meanwhile>,
    /// The tenant's own query files.
    pub(crate) files: BTreeMap<String, String>,
    /// The answer to the next call of an operation, whatever the service would answer.
    pub(crate) script: Option<(&'static str, Case)>,
    /// The issued tickets.
    pub(crate) tickets: Vec<String>,
}

type Meanwhile = Box<dyn FnOnce(&mut State) + Send>;

impl State {
    pub(crate) fn new() -> State {
        State {
            dynamo: Dynamo::default(),
            warehouse: Warehouse::default(),
            browsers: BTreeMap::new(),
            posts: VecDeque::new(),
            posted: 0,
            on_post: None,
            files: BTreeMap::new(),
            script: None,
            tickets: Vec::new(),
        }
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Answer {
        let operation = request.header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
        let is_post = request.method == "POST" && request.target.contains("connections/");
        let is_asked = |call: &str| operation == call || (is_post && call == "PostToConnection");
        let Some((_, case)) = self.script.take_if(|(call, _)| is_asked(call)) else { return self.work(request) };
        if case.takes_effect {
            self.work(request);
        }
        case.answer
    }

    fn work(&mut self, request: &Request) -> Answer {
        if request.header("x-amz-target").ends_with("ExecuteStatement") {
            self.check_mapping(&serde_json::from_str(&request.body).unwrap());
        }
        if let Some(answer) = self.dynamo.answer(request).or_else(|| self.warehouse.answer(request)) {
            return answer;
        }
        let target = request.target.replace("%40", "@").replace("%3D", "=");
        if let Some(connection) = target.strip_prefix("/_aws/execute-api/abc123/live/@connections/") {
            return self.browser(&request.method, connection, &request.body);
        }
        assert_eq!(request.header("x-amz-expected-bucket-owner"), "123456789012");
        self.file(request.target.strip_prefix("/files").unwrap_or_else(|| panic!("no service has {target}")))
    }

    /// A statement that ends at once has an event that looks up its request.
    fn check_mapping(&self, asked: &Value) {
        let key = asked["StatementName"].as_str().unwrap().strip_prefix("acme-query-").unwrap();
        assert_eq!(asked["ClientToken"], key);
        let item = self.dynamo.items.get(&(format!("request#{key}"), "request".to_owned()));
        assert_eq!(item.expect("the request exists before its statement")["state"], json!({"S": "pending"}));
    }

    fn browser(&mut self, method: &str, connection: &str, body: &str) -> Answer {
        let refusal = |status, kind: &str| Answer::Reply {
            status,
            headers: vec![("x-amzn-ErrorType", kind.to_owned())],
            body: json!({"message": "canary-connection"}).to_string().into_bytes(),
        };
        if method == "DELETE" {
            self.browsers.remove(connection);
            return reply(204, "");
        }
        self.posted += 1;
        if let Some(meanwhile) = self.on_post.take() {
            meanwhile(self);
        }
        if let Some((status, kind)) = self.posts.pop_front().filter(|(status, _)| *status != 200) {
            return refusal(status, kind);
        }
        assert!(body.len() <= 30_720, "a message has {} bytes", body.len());
        match self.browsers.get_mut(connection) {
            Some(received) => {
                received.push(body.to_owned());
                reply(200, "")
            }
            None => refusal(410, "GoneException"),
        }
    }

    /// S3, with the bucket `files`.
    fn file(&self, target: &str) -> Answer {
        if target.contains("list-type=2") {
            let object = |(key, text): (&String, &String)| {
                format!("<Contents><Key>{key}</Key><Size>{}</Size></Contents>", text.len())
            };
            let list: String = self.files.iter().map(object).collect();
            return reply(200, format!("<ListBucketResult><IsTruncated>false</IsTruncated>{list}</ListBucketResult>"));
        }
        let key = target.trim_start_matches('/').split('?').next().unwrap();
        match self.files.get(key) {
            Some(text) => reply(200, text),
            None => reply(404, "<Error><Code>NoSuchKey</Code></Error>"),
        }
    }
}
