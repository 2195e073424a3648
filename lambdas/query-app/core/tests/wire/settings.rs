//! The functions' environments.

use loopback::environment;

use crate::world::OWN;

fn read(function: &str, name: &str, value: &str) -> Result<(), String> {
    let variable = environment("", OWN.iter().chain(&[(name, value)]));
    match function {
        "socket" => query_socket::Settings::read(&variable).map(drop),
        "finished" => query_finished::Settings::read(&variable).map(drop),
        _ => query_results::Settings::read(&variable).map(drop),
    }
    .map_err(|invalid| invalid.to_string())
}

#[test]
fn the_variables_that_a_stack_sets_are_accepted() {
    for (function, name, value) in [
        ("socket", "QUERIES", "s3://b/q/"),
        ("socket", "MAX_ROWS", "100000"),
        ("socket", "CONCURRENT", "1"),
        ("socket", "STATEMENT_SECONDS", "86400"),
        ("socket", "ORIGINS", "https://a.example,http://127.0.0.1:8080"),
        ("finished", "STATEMENT_SECONDS", "1"),
        ("results", "QUERIES", ""),
    ] {
        assert_eq!(read(function, name, value), Ok(()), "{name}={value}");
    }
}

#[test]
fn a_wrong_or_missing_variable_is_reported_by_its_name() {
    let own = [
        ("socket", "SCHEMA", ""),
        ("socket", "ORIGINS", "*"),
        ("socket", "CONNECTIONS_URL", "wss://abc123.execute-api"),
        ("socket", "QUERIES", "bucket/prefix"),
        ("socket", "MAX_ROWS", "0"),
        ("socket", "MAX_ROWS", "100001"),
        ("socket", "CONCURRENT", "21"),
        ("socket", "PER_MINUTE", "many"),
        ("socket", "STATEMENT_SECONDS", "-1"),
        ("finished", "STATEMENT_SECONDS", "0"),
        ("finished", "CONNECTIONS_URL", ""),
        ("results", "ORIGINS", "https://a.example/"),
        ("results", "QUERIES", "s3://b"),
    ];
    let all = ["socket", "finished", "results"].into_iter().flat_map(|function| {
        [(function, "TENANT", ""), (function, "TABLE", ""), (function, "WAREHOUSE", "{}"), (function, "AWS_REGION", "")]
    });
    for (function, name, value) in own.into_iter().chain(all) {
        let message = read(function, name, value).expect_err(&format!("{function}: {name}={value}"));
        assert!(message.contains(name), "{function}: {name}={value}: {message}");
    }
}

#[test]
fn a_bucket_of_queries_needs_the_account_that_owns_it() {
    for owner in ["", "12345678901", "arn:aws:iam"] {
        let own = [("QUERIES", "s3://b/q/"), ("QUERIES_OWNER", owner)];
        let variable = environment("", OWN.iter().chain(&own));
        for message in [query_socket::Settings::read(&variable).err(), query_results::Settings::read(&variable).err()] {
            assert!(message.unwrap().to_string().contains("QUERIES_OWNER"), "{owner}");
        }
    }
}
