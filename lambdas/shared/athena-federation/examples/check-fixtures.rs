//! Reads recorded messages of the protocol: `cargo run -p athena-federation --example check-fixtures -- FOLDER`.
//!
//! Every `*Request*.json` must be readable as a request, and every block and schema in any other file as Arrow; failures are
//! listed, and the exit code is 1.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use athena_federation::{Block, Request, SchemaText};
use serde_json::Value;

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("check-fixtures: usage: check-fixtures FOLDER");
        return ExitCode::from(2);
    };
    let mut found = Found::default();
    match walk(&folder, &mut found) {
        Err(error) => {
            eprintln!("check-fixtures: {}: {error}", folder.display());
            ExitCode::from(2)
        }
        Ok(()) => {
            println!(
                "{} requests, {} blocks with {} rows, {} schemas",
                found.requests, found.blocks, found.rows, found.schemas
            );
            found.problems.iter().for_each(|problem| println!("not read: {problem}"));
            ExitCode::from(u8::from(!found.problems.is_empty()))
        }
    }
}

#[derive(Default)]
struct Found {
    requests: usize,
    blocks: usize,
    rows: usize,
    schemas: usize,
    problems: Vec<String>,
}

fn walk(folder: &Path, found: &mut Found) -> io::Result<()> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let problem = |what: String| format!("{}: {what}", path.display());
            match serde_json::from_slice(&fs::read(&path)?) {
                Ok(json) => {
                    let mut problems = Vec::new();
                    check(&json, found, &mut problems);
                    found.problems.extend(problems.into_iter().map(problem));
                }
                Err(error) => found.problems.push(problem(error.to_string())),
            }
        }
    }
    Ok(())
}

fn check(json: &Value, found: &mut Found, problems: &mut Vec<String>) {
    // Requests to user-defined functions belong to a different part of the SDK, which a data connector does not have.
    let kind = json["@type"].as_str().filter(|kind| kind.ends_with("Request") && !kind.starts_with("UserDefined"));
    if let Some(kind) = kind {
        match Request::read(json.clone()) {
            Ok(request) => {
                println!("{kind}: {:?}", request.dialect);
                found.requests += 1;
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    arrow(json, found, problems);
}

fn arrow(json: &Value, found: &mut Found, problems: &mut Vec<String>) {
    match json {
        Value::Object(fields) if fields.contains_key("aId") => {
            match serde_json::from_value::<Block>(json.clone())
                .map_err(|error| error.to_string())
                .and_then(|block| block.rows().map_err(|error| error.to_string()))
            {
                Ok(rows) => {
                    found.blocks += 1;
                    found.rows += rows.num_rows();
                }
                Err(error) => problems.push(error),
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "schema" && value.is_string() {
                    match serde_json::from_value::<SchemaText>(value.clone()).map(|schema| schema.read()) {
                        Ok(Ok(_)) => found.schemas += 1,
                        _ => problems.push("a schema cannot be read".to_owned()),
                    }
                }
                arrow(value, found, problems);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| arrow(item, found, problems)),
        _ => {}
    }
}
