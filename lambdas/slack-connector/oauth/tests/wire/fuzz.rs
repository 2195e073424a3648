//! Nothing that a stranger sends causes a panic, a call to Slack, or a change of a token. A case is a
//! hundred requests; `PROPTEST_CASES=1000` tries harder.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::browser::*;
use crate::world::*;

/// Meaningful names and values, mixed with meaningless ones.
fn query() -> impl Strategy<Value = String> {
    let name = prop_oneof!["code|state|error|t|code\\[\\]|STATE", "[a-z%+&=;]{0,6}"];
    let value = prop_oneof![
        "[A-Za-z0-9_-]{43}",
        "[A-Za-z0-9_-]{0,60}",
        "(%[0-9a-fA-F]{0,2}|[+&=#;]|\\PC){0,20}",
        prop::collection::vec(any::<u8>(), 0..80)
            .prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02X}")).collect()),
    ];
    let field = (name, value).prop_map(|(name, value)| format!("{name}={value}"));
    prop_oneof![
        9 => prop::collection::vec(field, 0..5).prop_map(|fields| fields.join("&")),
        1 => "\\PC{0,300}",
    ]
}

fn cookie() -> impl Strategy<Value = String> {
    prop_oneof!["__Host-slack-install=[A-Za-z0-9_-]{40,46}", "(__Host-slack-install|other)=?\\PC{0,20}"]
}

/// Any request for one of the pages, or for a similar path.
fn event() -> impl Strategy<Value = Value> {
    let page = prop_oneof!["/install|/revoke|/callback", "/[a-z/.%]{0,12}"];
    let method = prop_oneof!["GET|POST", "HEAD|PUT|[A-Z]{1,7}"];
    let kind = prop_oneof!["application/x-www-form-urlencoded", "[a-z/;=-]{0,20}"];
    (method, page, query(), prop::collection::vec(cookie(), 0..3), any::<bool>(), kind, query(), any::<bool>())
        .prop_map(|(method, page, query, cookies, in_header, kind, body, encoded)| {
            let mut event = request(&method, &page, &query);
            if in_header {
                event["headers"]["cookie"] = json!(cookies.join("; "))
            } else {
                event["cookies"] = json!(cookies)
            }
            event["headers"]["content-type"] = json!(kind);
            event["body"] = json!(body);
            event["isBase64Encoded"] = json!(encoded);
            event
        })
}

/// An event with a different value in one place.
fn malformed() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({"x": 1})),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,9}".prop_map(Value::from)
    ];
    let place = prop_oneof![
        Just("/routeKey"),
        Just("/rawPath"),
        Just("/rawQueryString"),
        Just("/headers"),
        Just("/cookies"),
        Just("/body"),
        Just("/isBase64Encoded"),
        Just("/requestContext"),
        Just("/requestContext/http"),
        Just("/requestContext/http/method"),
    ];
    (event(), place, value).prop_map(|(mut event, place, value)| {
        if let Some(found) = event.pointer_mut(place) {
            *found = value;
        }
        event
    })
}

/// One runtime and world for all cases, because no case may change anything.
fn touches_nothing(events: &[Value]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new().await;
        for event in events {
            let page = world.open(event.clone()).await;
            assert!((400..500).contains(&page.status), "{event}: {page:?}");
            assert!(page.cookies.iter().all(|cookie| cookie.starts_with("__Host-slack-install=;")), "{page:?}");
        }
        assert_eq!((world.calls().len(), world.stored()), (0, json!({ "token": OLD_TOKEN })));
        assert!(world.state().table.is_empty());
    });
}

proptest! {
    #![proptest_config(crate::cases(8))]

    #[test]
    fn a_query_form_or_cookie_of_any_kind_changes_nothing(events in prop::collection::vec(event(), 100)) {
        touches_nothing(&events);
    }

    #[test]
    fn a_malformed_event_changes_nothing(events in prop::collection::vec(malformed(), 100)) {
        touches_nothing(&events);
    }
}
