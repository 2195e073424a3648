//! Measures rows per second on one core, from JSON to JSON, next to Python's hashlib doing the same in the same run.
//!
//! `cargo bench -p write-back-sign --bench throughput`. "digest only" is what the published form of such a function does: 32
//! bytes of keyed BLAKE2b of a version and the row's texts, in hexadecimal. "token" is what this function does. CPU time, best of
//! five times ten passes.

#![expect(clippy::unwrap_used, reason = "a benchmark fails when it cannot measure")]

use std::process::Command;
use std::time::Duration;

use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput, Update};
use serde_json::json;
use write_back::{Key, Terms};
use write_back_sign::{Batch, answer};

const KEY: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01";

fn main() {
    let rows: usize = if cfg!(debug_assertions) { 2_000 } else { 15_000 };
    let body = batch(rows);
    let key = Key::parse(&json!({"kid": "k1", "key": KEY}).to_string()).unwrap();
    let terms = Terms { tenant: "acme", audience: "a1b2c3d4e5", issued: 1_714_557_600, expires: 1_714_559_400 };
    let signed = || answer(&serde_json::from_str(&body).unwrap(), &key, &terms).unwrap().0;

    let file = std::env::temp_dir().join(format!("write-back-sign-{}.json", std::process::id()));
    std::fs::write(&file, &body).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/throughput.py");
    let output = Command::new("python3").arg(script).arg(&file).output().expect("python3 is there");
    std::fs::remove_file(&file).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8(output.stdout).unwrap();
    let python = |name: &str| output.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    assert!(digests(&body).starts_with(&format!("\"{}\"", python("first-digest "))), "both make the same digest");
    assert!(signed().contains(&format!("[\"{}\"", python("first-token "))), "both make the same token");

    println!("{rows} rows, {} bytes per row in", body.len() / rows);
    let report = |name: &str, ours: Duration, theirs: &str, budget: &str| {
        let (ours, theirs) = (rows as f64 / ours.as_secs_f64(), rows as f64 / theirs.parse::<f64>().unwrap());
        println!(
            "{name}: {:.2} M rows/s, Python {:.2} M rows/s, {:.1} times ({budget})",
            ours / 1e6,
            theirs / 1e6,
            ours / theirs
        );
    };
    report("digest only", measured(|| digests(&body)), python("digest "), "budget 2.4 M rows/s");
    report("token", measured(signed), python("token "), "budget 4 times Python");
}

/// Rows of 88 bytes, as a view of quotes has them.
fn batch(rows: usize) -> String {
    let arguments: Vec<_> = (0..rows)
        .map(|row| {
            let name = if row % 8 == 0 { "Söhne" } else { "Sons" };
            let customer = format!("Customer {:06} & {name} GmbH", row * 7919 % 1_000_000);
            let cost = format!("{}.{:02}", row % 9000 + 100, row % 100);
            json!(["generate", customer, "Cloud Data Engineer", cost, null])
        })
        .collect();
    json!({
        "request_id": "23FF1F97-F28A-44AA-AB67-266ED976BF40", "cluster": "arn", "user": "u", "database": "d",
        "external_function": "public.f_quote_sign", "query_id": 5_678_234, "num_records": rows, "arguments": arguments,
    })
    .to_string()
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The published form's job with this function's parts.
fn digests(body: &str) -> String {
    let batch: Batch = serde_json::from_str(body).unwrap();
    let mut start = Blake2bMac::<U32>::new_with_salt_and_personal(Some(KEY.as_bytes()), &[], &[]).unwrap();
    start.update(&[1]);
    let mut answer = String::with_capacity(body.len());
    for row in batch.rows() {
        let mut mac = start.clone();
        let row = row.unwrap();
        for field in [row.action, row.customer, row.skill, row.cost, row.quote_id].into_iter().flatten() {
            mac.update(field.as_bytes());
        }
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(mac.finalize_fixed()) {
            pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        answer.push('"');
        answer.push_str(std::str::from_utf8(&digits).unwrap());
        answer.push_str("\",");
    }
    answer
}

/// The CPU time of one pass: the least of five times ten.
fn measured(work: impl Fn() -> String) -> Duration {
    const PASSES: u32 = 10;
    let once = || {
        let start = processor_time();
        for _ in 0..PASSES {
            std::hint::black_box(work());
        }
        (processor_time() - start) / PASSES
    };
    (0..5).map(|_| once()).min().unwrap()
}

/// The CPU time of this process's only busy thread.
fn processor_time() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(schedule.split(' ').next().unwrap().parse().unwrap())
}
