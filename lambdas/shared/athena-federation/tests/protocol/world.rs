//! A small source behind the protocol, and fakes of S3, Athena and KMS.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use athena_federation::{
    BlockWriter, Connector, Constraints, DataKeys, Error, Federation, Invocation, Read, Spill, Table, TableName, Value,
};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use loopback::{Answer, Request, reply, serve};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Value as Json, json};

/// `shop.sales`, partitioned by day, with `rows` a day; `shop.all` without partitions; three further tables.
pub(crate) struct Shop {
    pub(crate) rows: i64,
    pub(crate) splits: usize,
    /// Rows that are written from a source that turns out to be damaged.
    pub(crate) discarded: i64,
}

pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("day", DataType::Utf8, true),
        Field::new("id", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
    ]))
}

pub(crate) fn rows(day: &str, ids: impl Iterator<Item = i64> + Clone) -> RecordBatch {
    let days: ArrayRef = Arc::new(StringArray::from_iter_values(ids.clone().map(|_| day)));
    let names = ids.clone().map(|id| (id % 3 != 0).then(|| format!("name-{id}")));
    let names: ArrayRef = Arc::new(StringArray::from_iter(names));
    RecordBatch::try_new(schema(), vec![days, Arc::new(Int64Array::from_iter_values(ids)), names]).unwrap()
}

impl Connector for Shop {
    const SOURCE_TYPE: &'static str = "shop";

    async fn schemas(&self) -> Result<Vec<String>, Error> {
        Ok(vec!["shop".to_owned(), "empty".to_owned()])
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>, Error> {
        let names = if schema == "shop" { vec!["sales", "e", "all", "c", "d"] } else { Vec::new() };
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    async fn table(&self, name: &TableName) -> Result<Option<Table>, Error> {
        let partition_columns = if name.table_name == "sales" { vec!["day".to_owned()] } else { Vec::new() };
        let known = name.schema_name == "shop" && ["sales", "all"].contains(&name.table_name.as_str());
        Ok(known.then(|| Table { schema: schema(), partition_columns }))
    }

    async fn partitions(&self, _: &TableName, _: &Constraints) -> Result<RecordBatch, Error> {
        let days: ArrayRef = Arc::new(StringArray::from_iter_values((1..=9).map(|day| format!("2026-01-0{day}"))));
        Ok(RecordBatch::try_from_iter_with_nullable([("day", days, true)]).unwrap())
    }

    fn splits(
        &self,
        _: &TableName,
        partitions: &RecordBatch,
        row: usize,
    ) -> Result<Vec<BTreeMap<String, String>>, Error> {
        let day = match partitions.column_by_name("day").map(|column| Value::at(column, row)) {
            Some(Ok(Some(Value::Text(day)))) => day,
            _ => "all".to_owned(),
        };
        Ok(vec![BTreeMap::from([("day".to_owned(), day)]); self.splits])
    }

    async fn read(&self, read: &Read<'_>, writer: &mut BlockWriter<'_>) -> Result<(), Error> {
        if self.discarded > 0 {
            writer.write(&rows(&read.properties["day"], 0..self.discarded)).await?;
            writer.restart();
        }
        for start in (0..self.rows).step_by(1000) {
            writer.write(&rows(&read.properties["day"], start..(start + 1000).min(self.rows))).await?;
        }
        Ok(())
    }
}

/// What the fakes know and have recorded.
#[derive(Default)]
pub(crate) struct State {
    /// By key.
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    pub(crate) puts: Vec<Request>,
    /// The query's state according to Athena.
    pub(crate) query: &'static str,
    pub(crate) asked: usize,
    pub(crate) data_keys: Vec<Request>,
    pub(crate) denied: bool,
    /// How many writes S3 refuses because another one is under way, which then stores the object if `true`.
    pub(crate) conflicts: (u32, bool),
}

pub(crate) struct World {
    pub(crate) federation: Federation<Shop>,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) invocation: Invocation,
}

pub(crate) const BUCKET: &str = "spill-bucket";
pub(crate) const DATA_KEY: [u8; 32] = [7; 32];

impl World {
    pub(crate) async fn new(shop: Shop) -> World {
        World::with(shop, false).await
    }

    /// With data keys from KMS.
    pub(crate) async fn with(shop: Shop, kms: bool) -> World {
        let state = Arc::new(Mutex::new(State { query: "RUNNING", ..State::default() }));
        let served = state.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(request))).await;
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test")))
            .endpoint_url(format!("http://{address}"))
            .build();
        let keys = if kms {
            DataKeys::Kms { key_id: "arn:kms".to_owned(), config: Box::new(config.clone()) }
        } else {
            DataKeys::Local
        };
        let spill = Spill::new(&config, BUCKET, "athena-spill", keys);
        let deadline = SystemTime::now() + Duration::from_secs(60);
        let invocation = Invocation { began: Instant::now(), deadline, account: Some("111122223333".to_owned()) };
        World { federation: Federation::new(shop, spill, &config), state, invocation }
    }

    /// The response as text, because the order of its fields matters.
    pub(crate) async fn text(&self, request: Json) -> Result<String, Error> {
        let answer = self.federation.handle(request, &self.invocation).await?;
        Ok(serde_json::to_string(&answer).unwrap())
    }

    pub(crate) async fn answer(&self, request: Json) -> Result<Json, Error> {
        Ok(serde_json::from_str(&self.text(request).await?).unwrap())
    }
}

impl State {
    fn answer(&mut self, request: Request) -> Answer {
        match request.header("x-amz-target") {
            "AmazonAthena.GetQueryExecution" => {
                self.asked += 1;
                if self.denied {
                    return denied("com.amazonaws.athena#InvalidRequestException");
                }
                reply(200, json!({"QueryExecution": {"Status": {"State": self.query}}}))
            }
            "TrentService.GenerateDataKey" => {
                self.data_keys.push(request);
                if self.denied {
                    return denied("AccessDeniedException");
                }
                reply(200, json!({"Plaintext": STANDARD.encode(DATA_KEY), "CiphertextBlob": "x"}))
            }
            _ => self.put(request),
        }
    }

    fn put(&mut self, request: Request) -> Answer {
        let path = request.target.split('?').next().unwrap();
        let key = path.strip_prefix(&format!("/{BUCKET}/")).unwrap().to_owned();
        let taken = request.header("if-none-match") == "*" && self.objects.contains_key(&key);
        let bytes = request.bytes.clone();
        self.puts.push(request);
        if self.denied {
            return reply(403, "<Error><Code>AccessDenied</Code><Message>no rights for key-canary</Message></Error>");
        }
        if let (left @ 1.., stores) = &mut self.conflicts {
            *left -= 1;
            if *stores {
                self.objects.insert(key, bytes);
            }
            return reply(409, "<Error><Code>ConditionalRequestConflict</Code></Error>");
        }
        if taken {
            return reply(412, "<Error><Code>PreconditionFailed</Code></Error>");
        }
        self.objects.insert(key, bytes);
        reply(200, "")
    }
}

fn denied(code: &str) -> Answer {
    reply(400, json!({"__type": code, "message": "no rights for key-canary"}))
}

/// The names of an object's fields, in their order.
pub(crate) fn fields(json: &str) -> Vec<String> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;
        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let mut names = Vec::new();
            while let Some((name, _)) = map.next_entry::<String, Json>()? {
                names.push(name);
            }
            Ok(names)
        }
    }
    serde_json::Deserializer::from_str(json).deserialize_map(Names).unwrap()
}
