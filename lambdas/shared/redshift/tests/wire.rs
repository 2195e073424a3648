//! The Data API client against scripted responses over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_sdk_redshiftdata::Client;
use loopback::{Answer, Request, Time, environment, reply};
use redshift::{Column, DataApi, Error, Field, Statement, StatementId, Status, SubmitError, Warehouse};
use serde_json::{Value, json};

const ID: &str = "d9b6c0c9-0747-4bf4-b142-e8883122f766";
/// A value that must not appear in any message.
const CANARY: &str = "canary-3f9c";

#[tokio::test]
async fn a_statement_is_sent_with_its_values_as_parameters_and_nothing_extra() {
    let world = World::new(|_| reply(200, json!({"Id": ID}))).await;
    let statement = Statement {
        sql: "select :a",
        parameters: vec![("a", CANARY.to_owned())],
        name: None,
        client_token: Some("token-1"),
    };
    let id = world.api(json!({"workgroup": "w", "database": "d"})).submit(&statement).await.unwrap();
    assert_eq!(id, ID.parse().unwrap());
    let requests = world.requests();
    assert_eq!(requests[0].header("x-amz-target"), "RedshiftData.ExecuteStatement");
    assert_eq!(
        body(&requests[0]),
        json!({
            "Sql": "select :a", "WorkgroupName": "w", "Database": "d", "ClientToken": "token-1",
            "Parameters": [{"name": "a", "value": CANARY}],
        })
    );
}

#[tokio::test]
async fn a_cluster_is_used_as_its_user_and_a_named_statement_requests_an_event() {
    let world = World::new(|_| reply(200, json!({"Id": ID}))).await;
    let api = world.api(json!({"cluster": "c", "database": "d", "dbUser": "u"}));
    api.submit(&Statement { name: Some("quotes-1"), ..Statement::new("select 1") }).await.unwrap();
    let mut sent = body(&world.requests()[0]);
    // The SDK generates one, so that its own attempts count as one.
    assert!(sent.as_object_mut().unwrap().remove("ClientToken").is_some());
    assert_eq!(
        sent,
        json!({
            "Sql": "select 1", "ClusterIdentifier": "c", "DbUser": "u", "Database": "d",
            "StatementName": "quotes-1", "WithEvent": true,
        })
    );
}

#[tokio::test]
async fn refusals_are_distinguished_by_what_should_happen_next_and_show_no_value() {
    let retryable = |message: &str| SubmitError::Retryable(message.to_owned());
    for (status, code, message, expected) in [
        (
            400,
            "ActiveStatementsExceededException",
            "200",
            retryable("the Data API returned ActiveStatementsExceededException: 200"),
        ),
        (500, "InternalServerException", "", retryable("the Data API returned InternalServerException: ")),
        (
            400,
            "ThrottlingException",
            "Rate exceeded",
            retryable("the Data API returned ThrottlingException: Rate exceeded"),
        ),
        (
            403,
            "InvalidSignatureException",
            "Signature expired",
            retryable("the Data API returned InvalidSignatureException: Signature expired"),
        ),
        (400, "ExpiredTokenException", "", retryable("the Data API returned ExpiredTokenException: ")),
        (400, "ConflictException", "busy", retryable("the Data API returned ConflictException: busy")),
        (503, "Weird", "x", retryable("the Data API returned Weird: x")),
        (400, "QueryTimeoutException", "", retryable("the Data API returned QueryTimeoutException: ")),
        (
            400,
            "ValidationException",
            "Redshift cluster c is paused.",
            SubmitError::Unavailable(
                "the Data API returned ValidationException: Redshift cluster c is paused.".to_owned(),
            ),
        ),
        (
            400,
            "DatabaseConnectionException",
            "x",
            SubmitError::Unavailable("the Data API returned DatabaseConnectionException: x".to_owned()),
        ),
        (
            400,
            "ValidationException",
            "Value 'canary-3f9c' at 'parameters.1.member.value' failed",
            SubmitError::Refused("the Data API returned ValidationException: Value … at … failed".to_owned()),
        ),
        (
            400,
            "AccessDeniedException",
            "no",
            SubmitError::Refused("the Data API returned AccessDeniedException: no".to_owned()),
        ),
    ] {
        let answer = json!({"__type": code, "message": message}).to_string();
        let world = World::new(move |_| reply(status, &answer)).await;
        assert_eq!(submit(&world).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn a_lost_answer_is_retried_with_the_same_token_and_then_reported_as_retryable() {
    let world = World::new(|_| Answer::HangUp).await;
    assert!(matches!(submit(&world).await, Err(SubmitError::Retryable(_))));
    let tokens: Vec<_> = world.requests().iter().map(|request| body(request)["ClientToken"].clone()).collect();
    assert!(tokens.len() > 1 && tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
}

#[tokio::test]
async fn waiting_for_a_statement_survives_lost_answers() {
    let world = World::new(|number| match number {
        0 => reply(200, json!({"Id": ID, "Status": "SUBMITTED"})),
        1..=3 => Answer::HangUp,
        4 => reply(200, json!({"Id": ID, "Status": "STARTED"})),
        _ => {
            reply(200, json!({"Id": ID, "Status": "FINISHED", "ResultRows": 3, "ResultSize": 12, "HasResultSet": true}))
        }
    })
    .await;
    let status = world.workgroup().wait(&id(), hour()).await;
    assert_eq!(status, Ok(Status::Finished { rows: 3, has_result: true, bytes: Some(12) }));
}

#[tokio::test]
async fn a_statement_that_outlasts_the_time_is_still_running_and_pauses_grow() {
    let world = World::new(|_| reply(200, json!({"Id": ID, "Status": "STARTED"}))).await;
    let until = world.time.now() + Duration::from_secs(60);
    assert_eq!(world.workgroup().wait(&id(), until).await, Ok(Status::Running));
    assert_eq!(world.time.now(), until);
    assert!((20..60).contains(&world.requests().len()), "{}", world.requests().len());
}

#[tokio::test]
async fn pauses_grow_by_half() {
    // In milliseconds: checks at 0, 50, 125 and 237, and a last one at the end.
    for (until, checks) in [(0, 1), (1, 2), (50, 2), (51, 3), (125, 3), (126, 4), (237, 4)] {
        let world = World::new(|_| reply(200, json!({"Id": ID, "Status": "STARTED"}))).await;
        let until = world.time.now() + Duration::from_millis(until);
        assert_eq!(world.workgroup().wait(&id(), until).await, Ok(Status::Running));
        assert_eq!(world.requests().len(), checks, "{until:?}");
    }
}

#[tokio::test]
async fn other_outcomes_are_reported_without_sql_or_values() {
    for (answer, expected) in [
        (
            json!({"Status": "FAILED", "Error": format!("ERROR: invalid input syntax for integer: \"{CANARY}\"\n Detail: {CANARY}")}),
            Status::Failed { message: "ERROR: invalid input syntax for integer: …".to_owned() },
        ),
        (json!({"Status": "ABORTED"}), Status::Aborted),
    ] {
        let world = World::new(move |_| reply(200, &answer)).await;
        assert_eq!(world.workgroup().wait(&id(), hour()).await, Ok(expected));
    }
    let missing = json!({"__type": "ResourceNotFoundException", "Message": "Query does not exist.", "ResourceId": ID});
    let world = World::new(move |_| reply(400, &missing)).await;
    assert!(matches!(world.workgroup().wait(&id(), hour()).await, Err(Error::Missing(_))));
}

#[tokio::test]
async fn a_result_is_read_to_its_last_page() {
    let world = World::new(|number| match number {
        0 => reply(200, json!({"NextToken": "n", "Records": [[{"stringValue": "1.50"}, {"longValue": 9007199254740993_i64}]]})),
        _ => reply(200, json!({"Records": [[{"isNull": true}, {"booleanValue": true}], [{"doubleValue": 0.5}, {"stringValue": ""}]]})),
    })
    .await;
    let rows = world.workgroup().rows(&id()).await.unwrap();
    assert_eq!(
        rows,
        [
            vec![Field::Text("1.50".to_owned()), Field::Integer(9_007_199_254_740_993)],
            vec![Field::Null, Field::Boolean(true)],
            vec![Field::Double(0.5), Field::Text(String::new())],
        ]
    );
    assert_eq!(body(&world.requests()[1]), json!({"Id": ID, "NextToken": "n"}));
}

#[tokio::test]
async fn pages_that_repeat_are_not_read_forever() {
    for tokens in [["a", "a"], ["a", "b"]] {
        let world = World::new(move |number| {
            reply(200, json!({"NextToken": tokens[number % 2], "Records": [[{"longValue": 1}]]}))
        })
        .await;
        let error = world.workgroup().rows(&id()).await.unwrap_err();
        assert_eq!(error, Error::Refused("the Data API returned the same page of the result twice".to_owned()));
        assert!(world.requests().len() <= 3, "{}", world.requests().len());
    }
}

#[tokio::test]
async fn a_page_has_its_columns_and_the_token_of_the_next() {
    let world = World::new(|_| {
        let columns = json!([
            {"name": "n", "label": "N", "typeName": "int8", "nullable": 0},
            {"name": "b", "typeName": "varbyte", "nullable": 1},
        ]);
        let records = json!([[{"longValue": 1}, {"blobValue": "AP8="}]]);
        reply(200, json!({"ColumnMetadata": columns, "Records": records, "NextToken": "after"}))
    })
    .await;
    let page = world.workgroup().page(&id(), Some("before".to_owned())).await.unwrap();
    let column = |name: &str, label: &str, kind: &str, nullable| Column {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: kind.to_owned(),
        nullable,
    };
    assert_eq!(page.columns, [column("n", "N", "int8", false), column("b", "b", "varbyte", true)]);
    assert_eq!(page.rows, [vec![Field::Integer(1), Field::Text("00ff".to_owned())]]);
    assert_eq!(page.next.as_deref(), Some("after"));
    assert_eq!(body(&world.requests()[0]), json!({"Id": ID, "NextToken": "before"}));
}

#[tokio::test]
async fn a_hundred_thousand_rows_are_read_and_one_more_is_refused() {
    for (last, expected) in [(1_000, Ok(100_000)), (1_001, Err(()))] {
        // Small pages of rows without columns, because each has to arrive in time.
        let rows = |count| vec![json!([]); count];
        let world = World::new(move |number| match number {
            0..99 => reply(200, json!({"NextToken": number.to_string(), "Records": rows(1_000)})),
            _ => reply(200, json!({"Records": rows(last)})),
        })
        .await;
        let rows = world.workgroup().rows(&id()).await;
        if let Err(error) = &rows {
            let message = "the result has more than 100000 rows, the most that are read here; limit the query";
            assert_eq!(error, &Error::Refused(message.to_owned()));
        }
        assert_eq!(rows.map(|rows| rows.len()).map_err(drop), expected);
    }
}

#[tokio::test]
async fn an_empty_token_is_the_last_page() {
    let world = World::new(|_| reply(200, json!({"NextToken": "", "Records": [[{"longValue": 1}]]}))).await;
    assert_eq!(world.workgroup().rows(&id()).await, Ok(vec![vec![Field::Integer(1)]]));
}

#[tokio::test]
async fn a_statement_is_cancelled_by_its_id() {
    let world = World::new(|_| reply(200, json!({"Status": true}))).await;
    assert_eq!(world.workgroup().cancel(&id()).await, Ok(()));
    let requests = world.requests();
    assert_eq!(requests[0].header("x-amz-target"), "RedshiftData.CancelStatement");
    assert_eq!(body(&requests[0]), json!({"Id": ID}));
    let ended = json!({"__type": "ValidationException", "message": "Could not cancel a query that is already in FINISHED state"});
    let world = World::new(move |_| reply(400, &ended)).await;
    let error = world.workgroup().cancel(&id()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)) && error.to_string().contains("already in FINISHED state"), "{error}");
}

#[tokio::test]
async fn no_answer_is_described_without_an_address() {
    let headers = vec![("Transfer-Encoding", "chunked".to_owned())];
    let garbled = Answer::Reply { status: 200, headers, body: b"not a chunk".to_vec() };
    for (answer, expected) in [
        (Answer::TimeOut, "the Data API cannot be used: no answer in time"),
        (Answer::HangUp, "the Data API cannot be used: no answer"),
        (garbled, "the Data API cannot be used: an unreadable answer with status 200"),
    ] {
        let world = World::new(move |_| answer.clone()).await;
        let error = submit(&world).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), matches!(error, SubmitError::Retryable(_))), (expected, true));
    }
}

#[tokio::test]
async fn a_question_that_got_no_answer_may_be_asked_again() {
    for (code, message) in
        [("DatabaseConnectionException", "x"), ("QueryTimeoutException", ""), ("ThrottlingException", "")]
    {
        let answer = json!({"__type": code, "message": message}).to_string();
        let world = World::new(move |_| reply(400, &answer)).await;
        let error = world.workgroup().cancel(&id()).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    }
    let unknown = json!({"__type": "ResourceNotFoundException", "Message": "Query does not exist.", "ResourceId": ID});
    let world = World::new(move |_| reply(400, &unknown)).await;
    let error = world.workgroup().cancel(&id()).await.unwrap_err();
    assert_eq!(error.to_string(), "the Data API returned ResourceNotFoundException: Query does not exist.");
}

#[test]
fn a_warehouse_is_read_from_its_variable_and_has_a_name() {
    let read = |text: Option<&str>| Warehouse::read(&|name| text.filter(|_| name == "WAREHOUSE").map(str::to_owned));
    assert_eq!(read(Some(r#"{"workgroup":"w","database":"d"}"#)).unwrap().name(), "workgroup:w/d");
    assert_eq!(read(Some(r#"{"cluster":"c","database":"d"}"#)).unwrap().name(), "cluster:c/d");
    assert!(read(None).unwrap_err().to_string().contains("WAREHOUSE"));
    let error = read(Some(r#"{"database":"d"}"#)).unwrap_err().to_string();
    let problem = "WAREHOUSE: the warehouse must be either a `workgroup` or a `cluster`; set exactly one";
    assert!(error.starts_with(problem), "{error}");
}

#[test]
fn only_text_has_a_text() {
    assert_eq!(Field::Text("a".to_owned()).text(), Some("a"));
    assert_eq!([Field::Null, Field::Integer(1), Field::Boolean(true)].map(|field| field.text().is_some()), [false; 3]);
}

#[test]
fn a_statements_id_is_text_in_json() {
    let json = json!(ID);
    let id: StatementId = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&id).unwrap(), json);
    let error = serde_json::from_value::<StatementId>(json!("1")).unwrap_err().to_string();
    assert_eq!(error, "a statement's ID is a UUID, followed by `:` and a number for a part of a batch");
}

async fn submit(world: &World) -> Result<StatementId, SubmitError> {
    let parameters = vec![("a", CANARY.to_owned())];
    let statement = Statement { parameters, client_token: Some("token-1"), ..Statement::new("select :a") };
    world.workgroup().submit(&statement).await
}

fn id() -> StatementId {
    ID.parse().unwrap()
}

fn hour() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(3600)
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

/// A scripted service, and a clock that waits without taking time.
struct World {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    time: Time,
}

impl World {
    /// `answer` is passed the number of the request, from 0.
    async fn new(answer: impl Fn(usize) -> Answer + Clone + Send + 'static) -> World {
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let address = loopback::serve(move |request| {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            std::future::ready(answer(seen.len() - 1))
        })
        .await;
        World { url: format!("http://{address}"), requests, time: Time::at(0) }
    }

    fn workgroup(&self) -> DataApi {
        self.api(json!({"workgroup": "w", "database": "d"}))
    }

    fn api(&self, warehouse: Value) -> DataApi {
        let config = function::aws::service(&environment(&self.url, &[]), "REDSHIFT_DATA").unwrap();
        let warehouse: Warehouse = serde_json::from_value(warehouse).unwrap();
        DataApi::new(Client::new(&config), warehouse, self.time.clock())
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}
