//! Answers for an independent reader: `tests/athena/read.py` reads what these tests write to the target folder.

use std::fs;
use std::path::Path;

use athena_federation::{Dialect, SchemaText};
use serde_json::{Value as Json, json};
use slack_connector::{Booleans, schema};

use crate::world::{World, file, listed, members, read_as, request};

const DAY: &str = "2026-11-10";

/// One response, its request, and the objects that it names.
fn leave(name: &str, case: &Json) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("athena-answers");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{name}.json")), serde_json::to_string_pretty(case).unwrap()).unwrap();
}

#[tokio::test]
async fn rows_are_written_for_another_reader_inline_and_spilled_in_every_dialect() {
    for (booleans, option) in [(Booleans::Boolean, "boolean"), (Booleans::Text, "text")] {
        for dialect in [Dialect::Beans, Dialect::Legacy, Dialect::Modern] {
            for spilled in [false, true] {
                let world = World::with(&[("BOOLEANS", option)]).await;
                let text = members(DAY).repeat(100);
                world.slack([file(&text)]);
                let mut asked = read_as(DAY, dialect);
                asked["schema"] = json!(SchemaText::new(&schema(booleans), dialect));
                if spilled {
                    asked["maxInlineBlockSize"] = json!("0");
                }
                let answer = world.invoke(asked).await.unwrap();
                assert_eq!(answer["@type"] == "RemoteReadRecordsResponse", spilled);
                let case = json!({"date": DAY, "booleans": option, "records": text, "answer": answer, "objects": world.state().objects});
                leave(&format!("rows-{option}-{dialect:?}-{spilled}").to_lowercase(), &case);
            }
        }
    }
}

#[tokio::test]
async fn the_table_and_its_partitions_are_written_for_another_reader() {
    let world = World::new().await;
    for dialect in [Dialect::Beans, Dialect::Legacy, Dialect::Modern] {
        let asked = |kind: &str, dates: &[&str]| {
            let further = json!({"constraints": {"summary": listed("date", dates, true)}, "schema": SchemaText::new(&schema(Booleans::Boolean), dialect)});
            request(kind, further)
        };
        let table = world.invoke(asked("GetTableRequest", &[])).await.unwrap();
        leave(&format!("table-{dialect:?}").to_lowercase(), &json!({"columns": 25, "answer": table}));
        for dates in [&["2026-05-05", "2026-05-06"][..], &[]] {
            let answer = world.invoke(asked("GetTableLayoutRequest", dates)).await.unwrap();
            leave(
                &format!("partitions-{}-{dialect:?}", dates.len()).to_lowercase(),
                &json!({"dates": dates, "answer": answer}),
            );
        }
    }
}
