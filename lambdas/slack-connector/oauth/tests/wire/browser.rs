//! Start links, and a browser that opens them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput, Update};
use serde_json::{Value, json};

use crate::world::*;

/// The content of a start link.
pub(crate) struct Start<'a> {
    pub(crate) purpose: &'a str,
    pub(crate) tenant: &'a str,
    pub(crate) admin: &'a str,
    pub(crate) expires: u64,
    pub(crate) key: &'a str,
}

impl Start<'_> {
    pub(crate) fn token(&self) -> String {
        let mut payload = vec![1];
        for text in [self.purpose, self.tenant, self.admin] {
            payload.extend((text.len() as u32).to_be_bytes());
            payload.extend(text.as_bytes());
        }
        payload.extend(self.expires.to_be_bytes());
        payload.extend([7; 16]);
        let mut mac =
            Blake2bMac::<U32>::new_with_salt_and_personal(Some(self.key.as_bytes()), &[], b"slack-start-v1").unwrap();
        mac.update(&payload);
        payload.extend(mac.finalize_fixed());
        URL_SAFE_NO_PAD.encode(payload)
    }
}

pub(crate) const INSTALL: Start<'_> =
    Start { purpose: "install", tenant: "acme", admin: "Ada@Example.com", expires: NOW + 900, key: START_KEY };

pub(crate) const REVOKE: Start<'_> = Start { purpose: "revoke", ..INSTALL };

/// An HTTP API's event, payload format 2.0.
pub(crate) fn request(method: &str, path: &str, query: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": format!("{method} {path}"), "rawPath": path, "rawQueryString": query,
        "headers": {"accept": "text/html"},
        "requestContext": {"apiId": "a1", "http": {"method": method, "path": path}, "stage": "$default"},
        "isBase64Encoded": false,
    })
}

/// A submitted form, as API Gateway passes it on.
pub(crate) fn submit(path: &str, token: &str) -> Value {
    let mut event = request("POST", path, "");
    event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
    event["body"] = json!(base64::engine::general_purpose::STANDARD.encode(format!("t={token}")));
    event["isBase64Encoded"] = json!(true);
    event
}

/// A page as the browser sees it.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) status: u64,
    pub(crate) headers: Value,
    pub(crate) cookies: Vec<String>,
    pub(crate) html: String,
}

/// Slack's consent page, and the browser's cookie for the way back.
pub(crate) struct Consent {
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) cookie: String,
}

impl World {
    pub(crate) async fn open(&self, event: Value) -> Page {
        let answer = self.invoke(event).await.expect("a request always gets a response");
        let cookies = answer["cookies"].as_array().unwrap().iter().map(|cookie| cookie.as_str().unwrap().to_owned());
        Page {
            status: answer["statusCode"].as_u64().unwrap(),
            headers: answer["headers"].clone(),
            cookies: cookies.collect(),
            html: answer["body"].as_str().unwrap().to_owned(),
        }
    }

    /// Follows a start link to Slack's consent page.
    pub(crate) async fn begin(&self) -> Consent {
        let token = INSTALL.token();
        let page = self.open(submit("/install", &token)).await;
        assert_eq!(page.status, 303, "{page:?}");
        let location = page.headers["Location"].as_str().unwrap();
        let (_, query) = location.split_once("/oauth/v2/authorize?").unwrap();
        let fields: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let cookie = page.cookies[0].split(';').next().unwrap().to_owned();
        let mut state = self.state();
        state.private.extend([token, fields["state"].clone(), cookie.split_once('=').unwrap().1.to_owned()]);
        Consent { fields, cookie }
    }

    /// Comes back from Slack.
    pub(crate) async fn come_back(&self, consent: &Consent) -> Page {
        self.open(consent.callback()).await
    }
}

impl Consent {
    /// The request with which an admin returns after consenting.
    pub(crate) fn callback(&self) -> Value {
        let mut event = request("GET", "/callback", &format!("code={CODE}&state={}", self.fields["state"]));
        event["cookies"] = json!(["other=1", self.cookie]);
        event
    }
}
