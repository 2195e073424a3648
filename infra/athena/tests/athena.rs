//! The driver asks a connector as Athena would, over Lambda's and S3's own protocols, and shows what SQL says.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use athena_federation::{
    BlockWriter, Connector as Source, Constraints, DataKeys, Error, Federation, Invocation, Kind, Read, Spill, Table,
    TableName, Value,
};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use ferrostack_athena::{Answer, Connector, Query, ask};
use loopback::{Answer as Reply, Request, reply, serve};
use serde_json::{Value as Json, json};

/// `shop.sales`: one partition per day, `rows` rows per day.
struct Shop {
    days: usize,
    rows: i64,
    throttled: AtomicUsize,
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("day", DataType::Utf8, true),
        Field::new("id", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("paid", DataType::Boolean, true),
        Field::new("tags", DataType::new_list(DataType::Utf8, true), true),
    ]))
}

fn day(number: usize) -> String {
    format!("d{number:04}")
}

/// Every third name and every fourth flag is NULL.
fn rows(day: &str, count: i64) -> RecordBatch {
    let columns: [(&str, ArrayRef); 4] = [
        ("day", Arc::new(StringArray::from_iter_values((0..count).map(|_| day)))),
        ("id", Arc::new(Int64Array::from_iter_values(0..count))),
        ("name", Arc::new(StringArray::from_iter((0..count).map(|id| (id % 3 != 0).then(|| format!("n{}", id % 5)))))),
        ("paid", Arc::new(BooleanArray::from_iter((0..count).map(|id| (id % 4 != 0).then_some(id % 2 == 0))))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

impl Source for Shop {
    const SOURCE_TYPE: &'static str = "shop";

    async fn schemas(&self) -> Result<Vec<String>, Error> {
        Ok(vec!["shop".to_owned()])
    }

    async fn tables(&self, _: &str) -> Result<Vec<String>, Error> {
        Ok(vec!["sales".to_owned()])
    }

    async fn table(&self, _: &TableName) -> Result<Option<Table>, Error> {
        Ok(Some(Table { schema: schema(), partition_columns: vec!["day".to_owned()] }))
    }

    async fn partitions(&self, _: &TableName, _: &Constraints) -> Result<RecordBatch, Error> {
        let days: ArrayRef = Arc::new(StringArray::from_iter_values((0..self.days).map(day)));
        Ok(RecordBatch::try_from_iter_with_nullable([("day", days, true)]).unwrap())
    }

    fn splits(&self, _: &TableName, days: &RecordBatch, row: usize) -> Result<Vec<BTreeMap<String, String>>, Error> {
        let Some(Value::Text(day)) = Value::at(days.column(0), row).unwrap() else { panic!("a day is text") };
        Ok(vec![BTreeMap::from([("day".to_owned(), day)])])
    }

    async fn read(&self, read: &Read<'_>, writer: &mut BlockWriter<'_>) -> Result<(), Error> {
        let times = self.throttled.load(Ordering::SeqCst);
        if times > 0 {
            self.throttled.store(times - 1, Ordering::SeqCst);
            return Err(Error::new(Kind::Throttled, "too many requests"));
        }
        match read.properties["day"].as_str() {
            "d0013" => Err(Error::new(Kind::Unavailable, "the source is closed on this day")),
            day => writer.write(&rows(day, self.rows)).await,
        }
    }
}

/// What the fakes of Lambda and S3 have seen.
#[derive(Default)]
struct Seen {
    objects: BTreeMap<String, Vec<u8>>,
    /// The kinds of requests, and the columns that rows were asked for with.
    asked: Vec<String>,
    constrained: Vec<String>,
}

struct World {
    connector: Connector,
    seen: Arc<Mutex<Seen>>,
}

impl World {
    async fn new(days: usize, rows: i64) -> World {
        World::throttled(days, rows, 0).await
    }

    async fn throttled(days: usize, rows: i64, times: usize) -> World {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shop: Arc<tokio::sync::OnceCell<Federation<Shop>>> = Arc::default();
        let (served, behind) = (seen.clone(), shop.clone());
        let address = serve(move |request| answer(request, served.clone(), behind.clone())).await;
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
            .endpoint_url(format!("http://{address}"))
            .build();
        let source = Shop { days, rows, throttled: AtomicUsize::new(times) };
        let spill = Spill::new(&config, "bucket", "spill", DataKeys::Local);
        assert!(shop.set(Federation::new(source, spill, &config)).is_ok());
        let mut connector = Connector::new(&config, "shop");
        connector.pauses = [Duration::from_millis(1); 2];
        World { connector, seen }
    }

    async fn query(&self, text: &str) -> anyhow::Result<Answer> {
        ask(&self.connector, &Query::parse(text)?).await
    }

    async fn ask(&self, text: &str) -> Answer {
        self.query(text).await.unwrap_or_else(|error| panic!("{text}: {error:#}"))
    }

    async fn refused(&self, text: &str) -> String {
        match self.query(text).await {
            Ok(answer) => panic!("{text} was answered: {}", answer.table()),
            Err(error) => format!("{error:#}"),
        }
    }
}

async fn answer(request: Request, seen: Arc<Mutex<Seen>>, shop: Arc<tokio::sync::OnceCell<Federation<Shop>>>) -> Reply {
    let path = request.target.split('?').next().unwrap().to_owned();
    if let Some(key) = path.strip_prefix("/bucket/") {
        let mut seen = seen.lock().unwrap();
        return match request.method.as_str() {
            "PUT" => {
                seen.objects.insert(key.to_owned(), request.bytes);
                reply(200, "")
            }
            _ => Reply::Reply { status: 200, headers: Vec::new(), body: seen.objects[key].clone() },
        };
    }
    if path != "/2015-03-31/functions/shop/invocations" {
        return reply(400, json!({"__type": "InvalidRequestException", "message": "there is no such query"}));
    }
    let event: Json = serde_json::from_str(&request.body).unwrap();
    {
        let mut seen = seen.lock().unwrap();
        seen.asked.push(event["@type"].as_str().unwrap().to_owned());
        if let Some(summary) = event["constraints"]["summary"].as_object() {
            seen.constrained = summary.keys().cloned().collect();
        }
    }
    let invocation =
        Invocation { began: Instant::now(), deadline: SystemTime::now() + Duration::from_secs(60), account: None };
    match shop.get().unwrap().handle(event, &invocation).await {
        Ok(answer) => reply(200, json!(answer)),
        Err(error) => Reply::Reply {
            status: 200,
            headers: vec![("X-Amz-Function-Error", "Unhandled".to_owned())],
            body: json!({"errorType": error.error_type(), "errorMessage": error.message}).to_string().into_bytes(),
        },
    }
}

#[tokio::test]
async fn a_query_makes_the_whole_sequence_of_requests() {
    let world = World::new(3, 4).await;
    let answer =
        world.ask("select day, count(*) from shop.sales where day >= 'd0001' group by day order by 1 desc").await;
    assert_eq!(answer.csv(), "day,count(*)\r\nd0002,4\r\nd0001,4\r\n");
    assert_eq!((answer.partitions, answer.splits, answer.read), (2, 2, 8));
    let seen = world.seen.lock().unwrap();
    let expected = [
        "PingRequest",
        "ListSchemasRequest",
        "ListTablesRequest",
        "GetTableRequest",
        "GetTableLayoutRequest",
        "GetSplitsRequest",
        "ReadRecordsRequest",
        "ReadRecordsRequest",
    ];
    assert_eq!(seen.asked, expected);
    assert_eq!(seen.constrained, ["day"]);
}

#[tokio::test]
async fn sql_means_what_it_means_in_athena() {
    let world = World::new(1, 12).await;
    for (text, expected) in [
        ("select id from shop.sales where id in (3, 1) and day = 'd0000'", "id:1,3"),
        ("select id from shop.sales where id between 2 and 4", "id:2,3,4"),
        ("select id from shop.sales where id not between 2 and 9", "id:0,1,10,11"),
        ("select id from shop.sales where 9 < id or id <= 0", "id:0,10,11"),
        ("select id from shop.sales where not (id > 1 and id <> 5)", "id:0,1,5"),
        ("select id from shop.sales where id = -1", "id:"),
        // NULL is neither equal nor different, and NOT of it is still unknown.
        ("select id from shop.sales where name <> 'n1'", "id:2,4,5,7,8,10"),
        ("select id from shop.sales where not name = 'n1' and not name in ('n0')", "id:2,4,7,8"),
        ("select id from shop.sales where name = null or name in ('n1', null)", "id:1,11"),
        ("select id from shop.sales where name not in ('n1', null)", "id:"),
        ("select id from shop.sales where name is null and paid is not null", "id:3,6,9"),
        ("select id from shop.sales where paid", "id:2,6,10"),
        ("select id from shop.sales where not paid or paid is null and id < 5", "id:0,1,3,4,5,7,9,11"),
        ("select ID as Number from catalog.SHOP.Sales where sales.id >= 10", "Number:10,11"),
        ("select id from shop.sales limit 2", "id:0,1"),
        ("select id from shop.sales order by id desc limit 2", "id:11,10"),
        ("select name from shop.sales where id < 4 order by name desc", "name:n2,n1,,"),
        ("select name from shop.sales where id < 4 order by name", "name:n1,n2,,"),
        ("select count(*) from shop.sales", "count(*):12"),
        ("select count(name) from shop.sales", "count(name):8"),
        ("select count(distinct name) n from shop.sales", "n:5"),
        ("select sum(id) from shop.sales where id > 2", "sum(id):63"),
        ("select sum(id) from shop.sales where id > 99", "sum(id):"),
        ("select count(*) from shop.sales where id > 99", "count(*):0"),
        ("select count(*) from shop.sales where id > 99 group by name", "count(*):"),
        ("select count(*) as c from shop.sales group by paid order by c", "c:3,3,6"),
    ] {
        let answer = world.ask(text).await;
        let csv = answer.csv();
        let (heading, rows) = csv.split_once("\r\n").unwrap();
        let rows = rows.trim_end_matches("\r\n").replace("\r\n", ",");
        let shown = if answer.rows.is_empty() { String::new() } else { rows };
        let expected = expected.to_owned();
        // Rows of NULL at the end are lines with nothing on them.
        assert_eq!(format!("{heading}:{shown}").trim_end_matches(','), expected.trim_end_matches(','), "{text}");
        assert_eq!(
            answer.rows.len(),
            if expected.ends_with(':') && !heading.starts_with("sum") { 0 } else { expected.matches(',').count() + 1 },
            "{text}"
        );
    }
}

#[tokio::test]
async fn unsupported_sql_is_named() {
    let world = World::new(1, 1).await;
    for (text, says) in [
        ("selec 1", "is not SQL"),
        ("select id from shop.sales; select 1", "2 statements"),
        ("delete from shop.sales", "takes only a SELECT"),
        ("select id from shop.sales union select id from shop.sales", "more than a SELECT"),
        ("select id from shop.sales, shop.sales", "FROM has 2"),
        ("select id from shop.sales join shop.x on true", "JOIN"),
        ("select id from (select 1)", "is not a table"),
        ("select id from sales", "schema.table"),
        ("select distinct id from shop.sales", "SELECT DISTINCT x"),
        ("select id from shop.sales s", "shop.sales s"),
        ("select name from shop.sales group by name having count(*) > 1", "HAVING"),
        ("select id from shop.sales limit 1 offset 2", "OFFSET"),
        ("select id from shop.sales order by id nulls first", "NULL last"),
        ("with x as (select 1) select id from shop.sales", "WITH x"),
        ("select id from shop.sales where name like 'n%'", "LIKE"),
        ("select id from shop.sales where id = id", "plain values"),
        ("select id from shop.sales where day = current_date", "plain values"),
        ("select id from shop.sales where day = date '2026-01-01'", "plain values"),
        ("select id from shop.sales where id = '1'", "`id` is a whole number and cannot be compared with `'1'`"),
        ("select id from shop.sales where id = 1.5", "cannot be compared with `1.5`"),
        ("select id from shop.sales where paid = 'true'", "`paid` is true or false"),
        ("select id from shop.sales where id", "not a condition"),
        ("select id + 1 from shop.sales", "id + 1"),
        ("select max(id) from shop.sales", "count(distinct"),
        ("select count(*) over () from shop.sales", "OVER"),
        ("select sum(name) from shop.sales", "`name` is text"),
        ("select id, count(*) from shop.sales", "neither counted nor in GROUP BY"),
        ("select id from shop.sales order by name", "not in the SELECT list"),
        ("select id from shop.sales order by 2", "no column 2"),
        ("select nothing from shop.sales", "the columns are day, id, name, paid, tags"),
        ("select * from shop.sales", "`tags` is of type"),
        ("select id from other.sales", r#"the connector has ["shop"]"#),
        ("select id from shop.other", "the schema has sales"),
    ] {
        let error = world.refused(text).await;
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[tokio::test]
async fn rows_that_were_spilled_are_fetched_and_decrypted() {
    let world = World::new(1, 250_000).await;
    let answer = world.ask("select day, id, name from shop.sales where id <> 7").await;
    assert_eq!((answer.rows.len(), answer.spilled, answer.read), (249_999, 1, 249_999));
    assert_eq!(answer.rows[7][1], Some(Value::Integer(8)));
    let seen = world.seen.lock().unwrap();
    assert!(!seen.objects.values().next().unwrap().windows(5).any(|bytes| bytes == b"d0000"));
}

#[tokio::test]
async fn splits_have_pages_and_reading_ends_with_the_limit() {
    let world = World::new(1100, 1).await;
    assert_eq!(world.ask("select count(*) from shop.sales where day <> 'd0013'").await.csv(), "count(*)\r\n1099\r\n");
    let count = |kind: &str| world.seen.lock().unwrap().asked.iter().filter(|asked| *asked == kind).count();
    assert_eq!((count("GetSplitsRequest"), count("ReadRecordsRequest")), (3, 1099));
    world.seen.lock().unwrap().asked.clear();
    assert_eq!(world.ask("select id from shop.sales where day > 'd0013' limit 3").await.rows.len(), 3);
    assert!(count("ReadRecordsRequest") < 30);
}

#[tokio::test]
async fn an_error_of_the_connector_is_quoted_with_its_type() {
    let world = World::new(20, 1).await;
    let error = world.refused("select count(*) from shop.sales").await;
    assert_eq!(error, "the connector refused the ReadRecordsRequest: the source is closed on this day (Unavailable)");
}

#[tokio::test]
async fn a_throttled_read_is_repeated_but_not_forever() {
    let world = World::throttled(1, 5, 2).await;
    assert_eq!(world.ask("select count(*) from shop.sales").await.csv(), "count(*)\r\n5\r\n");
    let world = World::throttled(1, 5, 3).await;
    assert!(world.refused("select count(*) from shop.sales").await.contains("FederationThrottleException"));
}

#[tokio::test]
async fn values_from_a_source_cannot_control_a_terminal_or_break_a_line_of_csv() {
    let answer = Answer {
        columns: vec!["a,b".to_owned()],
        rows: vec![
            vec![Some(Value::Text("\u{1b}[2J \"x\"\n".to_owned()))],
            vec![None],
            vec![Some(Value::Text(String::new()))],
        ],
        partitions: 0,
        splits: 0,
        read: 0,
        spilled: 0,
    };
    assert!(!answer.table().contains('\u{1b}') && answer.table().contains("NULL"));
    assert_eq!(answer.csv(), "\"a,b\"\r\n\"\u{1b}[2J \"\"x\"\"\n\"\r\n\r\n\"\"\r\n");
}
