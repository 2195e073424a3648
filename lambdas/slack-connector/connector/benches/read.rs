//! Measures the connector, `cargo bench -p slack-connector [-- speed|memory|requests]`:
//!
//! - reading Slack's gzip into Arrow: rows per second on one core next to `arrow-json` with the same decompressor and pyarrow (which
//!   `scripts/tools athena` installs);
//! - the peak memory of the whole function for a small and a large organization;
//! - the requests per minute that Slack gets during a query over 396 days, in virtual time.
//!
//! These are measurements, not tests: exceeding the budget is not an error.

#![expect(clippy::unwrap_used, reason = "a benchmark fails when it cannot continue")]

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/wire/fakes.rs"]
mod fakes;
#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/wire/instances.rs"]
mod instances;

use std::collections::BTreeMap;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use std::{env, fs};

use arrow_array::RecordBatch;
use athena_federation::{Dialect, SchemaText};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use function::Clock;
use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, reply, serve};
use serde_json::json;
use slack_connector::{Booleans, Limits, Lines, Part, Records, Settings, SlackConnectorHandler, schema};

use fakes::{Bucket, Table};
use instances::Fleet;

const DAY: &str = "2026-11-10";
const ROWS: usize = 1_000_000;
const BUDGET: f64 = 1.0;

fn main() {
    match env::var("BENCH_MEMBERS") {
        Ok(members) => invoke(&members),
        Err(_) => {
            let parts: [(&str, fn()); 3] = [("speed", speed), ("memory", memory), ("requests", requests)];
            let is_named = |name: &str| env::args().any(|argument| argument == name);
            let all = !parts.iter().any(|(name, _)| is_named(name));
            for (_, part) in parts.iter().filter(|(name, _)| all || is_named(name)) {
                part();
            }
        }
    }
}

fn speed() {
    let file = file(ROWS);
    println!("{ROWS} members, {:.0} MB compressed; medians of 5, CPU time of one thread", file.len() as f64 / 1e6);
    println!("{:<12} {:>8} {:>14} {:>8}", "reader", "CPU s", "rows/s (M)", "budget");
    for (name, read, budget) in
        [("ours", ours as fn(&[u8]) -> usize, BUDGET.to_string()), ("arrow-json", arrow_json, "-".to_owned())]
    {
        let mut times: Vec<f64> = (0..5)
            .map(|_| {
                let start = cpu();
                assert_eq!(read(&file), ROWS);
                cpu() - start
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{name:<12} {:>8.2} {:>14.2} {budget:>8}", times[2], ROWS as f64 / times[2] / 1e6);
    }
    match pyarrow(&file) {
        Some(time) => println!("{:<12} {time:>8.2} {:>14.2} {:>8}", "pyarrow", ROWS as f64 / time / 1e6, "-"),
        None => println!("{:<12} not installed; run scripts/tools athena", "pyarrow"),
    }
}

/// CPU seconds of a reader in Python over Arrow C++, which reads everything into memory.
fn pyarrow(file: &[u8]) -> Option<f64> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let path = env::temp_dir().join(format!("slack-day-{}.json.gz", std::process::id()));
    fs::write(&path, file).unwrap();
    let ran = std::process::Command::new(root.join(".tools/athena/bin/python"))
        .arg(root.join("tests/athena/speed.py"))
        .arg(&path)
        .stderr(Stdio::inherit())
        .output();
    fs::remove_file(&path).unwrap();
    let output = String::from_utf8(ran.ok()?.stdout).unwrap();
    let (rows, time) = output.trim().split_once(' ').expect("pyarrow reads the file, or its error is printed above");
    assert_eq!(rows.parse(), Ok(ROWS));
    time.parse().ok()
}

fn ours(file: &[u8]) -> usize {
    let mut lines =
        Lines::new(Records::new(DAY.to_owned(), Part::WHOLE, Booleans::Boolean, |_| true), Limits::default());
    let count = |batches: Vec<RecordBatch>| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    let mut rows = 0;
    for chunk in file.chunks(16 * 1024) {
        lines.push(chunk).unwrap_or_else(|problem| panic!("{problem:?}"));
        rows += lines.take().map(|records| count(records.ready())).unwrap();
    }
    rows + count(lines.finish().unwrap_or_else(|problem| panic!("{problem:?}")).finish())
}

fn arrow_json(file: &[u8]) -> usize {
    let text = BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(file));
    let batches = arrow_json::ReaderBuilder::new(schema(Booleans::Boolean)).with_batch_size(4096).build(text).unwrap();
    batches.map(|batch| batch.unwrap().num_rows()).sum()
}

fn memory() {
    println!("\n{:>9} {:>7} {:>20} {:>20}", "members", "splits", "from Slack (MB)", "stored file (MB)");
    for members in [10_000, 50_000, 200_000, 1_000_000] {
        let (file, pool) = (file(members), tokio::runtime::Runtime::new().unwrap());
        let secret = json!({"SecretString": json!({"token": "xoxp-1"}).to_string()});
        let stores = Arc::new(Mutex::new((Bucket::default(), Table::default())));
        let address = pool.block_on(serve(move |request| {
            let mut stores = stores.lock().unwrap();
            let operation = request.header("x-amz-target").strip_prefix("DynamoDB_20120810.").map(str::to_owned);
            let key = request.target.strip_prefix("/files").and_then(|path| path.split('?').next());
            let key = key.map(|key| key.trim_start_matches('/').to_owned());
            std::future::ready(match (key, operation, request.method.as_str()) {
                (Some(key), ..) => stores.0.answer(&key, request),
                (_, Some(operation), _) => stores.1.answer(&operation, &serde_json::from_str(&request.body).unwrap()),
                (_, _, "GET") => Answer::Reply { status: 200, headers: Vec::new(), body: file.clone() },
                (_, _, "PUT") => reply(200, ""),
                _ => reply(200, &secret),
            })
        }));
        // The first child downloads and stores the file, the second one reads what is stored.
        let peaks = [(); 2].map(|()| {
            let child = std::process::Command::new(env::current_exe().unwrap())
                .env("BENCH_MEMBERS", members.to_string())
                .env("AWS_ENDPOINT_URL", format!("http://{address}"))
                .env("SLACK_ENDPOINT_URL", format!("http://{address}"))
                .stderr(Stdio::inherit())
                .output()
                .unwrap();
            String::from_utf8(child.stdout).unwrap().trim().to_owned()
        });
        println!("{members:>9} {:>7} {:>20} {:>20}", members.div_ceil(50_000), peaks[0], peaks[1]);
    }
    println!("one split of each; a block holds 16 MB; the process without a row takes about 10");
}

/// A query over 396 days, read by 100 instances at once, of an organization whose days have four parts.
fn requests() {
    // The present is in November 2026: all of these days are over.
    let day = |number: u32| {
        let month = number / 28 + 2;
        format!("{}-{:02}-{:02}", 2026 - month / 12, 12 - month % 12, number % 28 + 1)
    };
    let days: Vec<String> = (0..396).map(day).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!(
        "\n{:<44} {:>7} {:>9} {:>12} {:>9}",
        "396 days, 1584 splits, 100 instances", "calls", "429", "most/minute", "minutes"
    );
    for (name, kept) in [("without keep_days", false), ("with keep_days, after the nights before", true)] {
        let (calls, limited, most, minutes) = runtime.block_on(async {
            let fleet = Fleet::new(1, 0, 200, 4).await;
            if kept {
                let mut service = fleet.service.lock().unwrap();
                days.iter().for_each(|day| service.files.store(&format!("days/{day}"), instances::file(day, 200)));
            }
            let began = fleet.now();
            let failed = fleet.read(&days, 100, &mut fastrand::Rng::with_seed(1)).await;
            assert!(failed.is_empty(), "{failed:?}");
            let took = fleet.now().duration_since(began).unwrap();
            let service = fleet.service.lock().unwrap();
            let limited = service.calls.iter().filter(|(_, status)| *status == 429).count();
            (service.calls.len(), limited, service.most_in_a_minute(), took.as_secs_f64() / 60.0)
        });
        println!("{name:<44} {calls:>7} {limited:>9} {most:>12} {minutes:>9.1}");
    }
    println!("time that passes only while all instances wait; Slack allows 20 calls per minute");
}

/// Reads one split of a day as the function does, and prints the peak memory of this process in MB.
fn invoke(members: &str) {
    let fixed: BTreeMap<&str, &str> = [
        ("TENANT", "acme"),
        ("SLACK_TOKEN_SECRET", "arn"),
        ("SPILL_BUCKET", "spill"),
        ("SPILL_PREFIX", "spill"),
        ("FILES_BUCKET", "files"),
        ("FILES_PREFIX", "days"),
        ("TURNS_TABLE", "turns"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("MEMBERS", members),
    ]
    .into();
    let variable = |name: &str| fixed.get(name).map(|value| (*value).to_owned()).or_else(|| env::var(name).ok());
    let handler = SlackConnectorHandler::new(Settings::read(&variable).unwrap(), Clock::system());
    let parts = members.parse::<usize>().unwrap().div_ceil(50_000);
    let mut properties = json!({"date": DAY});
    if parts > 1 {
        properties["part"] = json!(format!("0/{parts}"));
    }
    let event = json!({
        "@type": "ReadRecordsRequest", "queryId": "query-1", "catalogName": "catalog",
        "tableName": {"schemaName": "slackanalytics", "tableName": "member_analytics"},
        "schema": SchemaText::new(&schema(Booleans::Boolean), Dialect::Modern),
        "constraints": {"summary": {}},
        "split": {
            "spillLocation": {"@type": "S3SpillLocation", "bucket": "spill", "key": "spill/query-1/split-1", "directory": true},
            "encryptionKey": {"key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "nonce": "oKGio6Slpqeoqaqr"},
            "properties": properties,
        },
    });
    let deadline = SystemTime::now() + Duration::from_secs(600);
    let mut context = Context::default();
    context.deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(handler.handle(LambdaEvent::new(event, context))).unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    println!("{}", peak.map_or("unknown".to_owned(), |kilobytes| format!("{:.0}", kilobytes / 1024.0)));
}

/// A day's file: about 500 bytes per member, with all fields that Slack documents.
fn file(members: usize) -> Vec<u8> {
    // A line has forty pieces, and each call of the encoder is expensive.
    let mut encoder = BufWriter::with_capacity(64 * 1024, GzEncoder::new(Vec::new(), Compression::default()));
    let mut noise = 1_u64;
    for member in 0..members {
        // A linear congruential generator, so that each run compresses the same data.
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (active, count) = (noise >> 63 == 1, noise >> 57);
        writeln!(
            encoder,
            r#"{{"enterprise_id":"E2AB3A10F","team_id":"T{:08X}","date":"{DAY}","user_id":"W{:09X}","email_address":"person.{member}@example.com","is_guest":false,"is_billable_seat":true,"is_active":{active},"is_active_ios":{},"is_active_android":false,"is_active_desktop":{active},"reactions_added_count":{count},"messages_posted_count":{},"channel_messages_posted_count":{},"files_added_count":{},"is_active_apps":false,"is_active_workflows":false,"is_active_slack_connect":{active},"total_calls_count":0,"slack_calls_count":0,"slack_huddles_count":{},"search_count":{},"date_claimed":{}}}"#,
            member % 40,
            noise >> 28,
            count % 2 == 0,
            count * 3,
            count * 2,
            count / 9,
            count / 30,
            count / 5,
            1_500_000_000 + (noise >> 37),
        )
        .unwrap();
    }
    encoder.into_inner().unwrap().finish().unwrap()
}

/// CPU seconds of this process, in steps of 10 ms.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}
