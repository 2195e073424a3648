//! All named queries: ours, which are part of the function, and the tenant's own, which are in a bucket.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_types::SdkConfig;
use function::environment::optional;
use function::{Clock, Failure, Invalid, required};
use tracing::{info, warn};

use crate::query::{FILE_BYTES, Query};

/// Queries by name.
pub type Queries = BTreeMap<String, Query>;

/// The files of `query-socket/queries/`; a test keeps the two in sync.
const OURS: &[(&str, &str)] = &[
    ("taxi-hours.sql", include_str!("../../socket/queries/taxi-hours.sql")),
    ("taxi-longest.sql", include_str!("../../socket/queries/taxi-longest.sql")),
    ("taxi-month.sql", include_str!("../../socket/queries/taxi-month.sql")),
];

/// How long the tenant's files are cached.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// When files that could not be read are read again.
const AGAIN: Duration = Duration::from_secs(30);

/// The most files of a tenant.
const MOST_FILES: usize = 100;

/// The queries a tenant's users may run.
pub struct Catalogue {
    own: Option<(Client, Place)>,
    clock: Clock,
    kept: Mutex<Kept>,
}

struct Kept {
    queries: Arc<Queries>,
    until: SystemTime,
}

/// Where a tenant's own files are, `s3://bucket/prefix/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    bucket: String,
    prefix: String,
    /// The account that must own the bucket: a bucket that was deleted can be created again by anybody.
    owner: String,
}

impl Place {
    /// Reads the variables `QUERIES` and `QUERIES_OWNER`; `None` without `QUERIES`.
    ///
    /// # Errors
    ///
    /// If `QUERIES` is not of the form `s3://bucket/prefix/`, whose prefix may be empty, or `QUERIES_OWNER` is not an account ID.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<Place>, Invalid> {
        let Some(text) = optional(variable, "QUERIES") else { return Ok(None) };
        let owner = required(variable, "QUERIES_OWNER")?;
        if owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Invalid(format!("QUERIES_OWNER is `{owner}`; must be an account ID of 12 digits")));
        }
        Place::parse(&text, owner).map(Some)
    }

    fn parse(text: &str, owner: String) -> Result<Place, Invalid> {
        let parts = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        match parts {
            Some((bucket, prefix)) if !bucket.is_empty() && (prefix.is_empty() || prefix.ends_with('/')) => {
                Ok(Place { bucket: bucket.to_owned(), prefix: prefix.to_owned(), owner })
            }
            _ => Err(Invalid(format!("QUERIES is `{text}`; must be s3://bucket/ or s3://bucket/prefix/"))),
        }
    }
}

impl Catalogue {
    /// Only reads our own files for now.
    pub fn new(s3: &SdkConfig, own: Option<Place>, clock: Clock) -> Catalogue {
        // The bucket is in the path, because its name may contain dots and a stand-in has one host.
        let config = aws_sdk_s3::config::Builder::from(s3).force_path_style(true).build();
        let kept = Kept { queries: Arc::new(ours()), until: SystemTime::UNIX_EPOCH };
        Catalogue { own: own.map(|place| (Client::from_conf(config), place)), clock, kept: Mutex::new(kept) }
    }

    /// All queries. The tenant's own are read at the first call and again after five minutes; while the bucket does not
    /// respond, the last known ones are used.
    pub async fn queries(&self) -> Arc<Queries> {
        let known = |kept: &Kept| (Arc::clone(&kept.queries), kept.until);
        let (queries, until) = known(&self.kept.lock().expect("nothing panics while the lock is held"));
        let now = self.clock.now();
        let Some((client, place)) = self.own.as_ref().filter(|_| until <= now) else { return queries };
        let kept = match read(client, place).await {
            Ok(files) => Kept { queries: Arc::new(with(ours(), &files)), until: now + KEPT },
            Err(problem) => {
                warn!(step = "queries", problem, "the tenant's own queries are unchanged");
                Kept { queries, until: now + AGAIN }
            }
        };
        let queries = Arc::clone(&kept.queries);
        *self.kept.lock().expect("nothing panics while the lock is held") = kept;
        queries
    }
}

fn ours() -> Queries {
    let query = |(_, text): &(&str, &str)| Query::parse(text).expect("a test parses all of them");
    OURS.iter().map(query).map(|query| (query.name.clone(), query)).collect()
}

/// Adds the tenant's own. An invalid file, or one whose name is taken, is left out and logged by its file name.
fn with(mut queries: Queries, files: &[(String, String)]) -> Queries {
    for (file, text) in files {
        let parsed = Query::parse(text).and_then(|query| {
            if queries.contains_key(&query.name) {
                Err(format!("the name `{}` is taken; choose another", query.name))
            } else if format!("{}.sql", query.name) != *file {
                Err(format!("its name is `{}`, so the file has to be `{}.sql`", query.name, query.name))
            } else {
                Ok(query)
            }
        });
        match parsed {
            Ok(query) => drop(queries.insert(query.name.clone(), query)),
            Err(problem) => warn!(step = "queries", file, problem, "a query file is left out"),
        }
    }
    queries
}

/// Names, without the prefix, and texts of the files directly under the prefix, ordered by name.
async fn read(client: &Client, place: &Place) -> Result<Vec<(String, String)>, String> {
    let unread = |failure: &dyn Display| format!("the bucket of QUERIES cannot be read: {failure}");
    let list = client.list_objects_v2().bucket(&place.bucket).expected_bucket_owner(&place.owner);
    let listed =
        list.prefix(&place.prefix).delimiter("/").send().await.map_err(|error| unread(&Failure::of(&error)))?;
    let mut files = Vec::new();
    for object in listed.contents.unwrap_or_default() {
        let key = object.key.unwrap_or_default();
        let Some(file) = key.strip_prefix(&place.prefix).filter(|file| file.ends_with(".sql")) else { continue };
        if files.len() == MOST_FILES {
            warn!(
                step = "queries",
                file, "the first {MOST_FILES} query files are read; this one and all after it are left out"
            );
            break;
        }
        if object.size.is_none_or(|size| usize::try_from(size).is_ok_and(|size| size > FILE_BYTES)) {
            warn!(step = "queries", file, "a query file has more than {FILE_BYTES} bytes and is left out");
            continue;
        }
        let get = client.get_object().bucket(&place.bucket).expected_bucket_owner(&place.owner);
        let object = get.key(&key).send().await;
        let object = object.map_err(|error| unread(&Failure::of(&error)))?;
        let bytes = object.body.collect().await.map_err(|_| unread(&"the file was cut off"))?.into_bytes();
        match String::from_utf8(bytes.to_vec()) {
            Ok(text) => files.push((file.to_owned(), text)),
            Err(_) => warn!(step = "queries", file, "a query file is not UTF-8 and is left out"),
        }
    }
    info!(step = "queries", files = files.len());
    Ok(files)
}

#[cfg(test)]
mod tests {
    use sqlparser::ast::Statement;
    use sqlparser::dialect::{Dialect, PostgreSqlDialect, RedshiftSqlDialect};
    use sqlparser::parser::Parser;

    use super::*;

    #[test]
    fn each_of_our_files_is_in_the_function_and_valid() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../socket/queries");
        let mut files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, OURS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let names: Vec<String> = ours().into_keys().map(|name| format!("{name}.sql")).collect();
        assert_eq!(names, files);
    }

    #[test]
    fn each_of_our_files_is_one_query_for_both_databases() {
        let dialects: [&dyn Dialect; 2] = [&PostgreSqlDialect {}, &RedshiftSqlDialect {}];
        for query in ours().values() {
            let given = query
                .parameters
                .iter()
                .map(|parameter| (parameter.name.clone(), parameter.default.clone().into()))
                .collect();
            let bound = query.bind("\"app\"", &given, 10).unwrap();
            // The Data API replaces names with values.
            let sql = bound.values.iter().fold(bound.sql, |sql, (name, _)| sql.replace(&format!(":{name}"), "'value'"));
            for dialect in dialects {
                let parsed = Parser::parse_sql(dialect, &sql).unwrap();
                let [Statement::Query(parsed)] = &parsed[..] else { panic!("{} is not a single query", query.name) };
                assert!(parsed.limit_clause.is_some() && parsed.order_by.is_some(), "{}", query.name);
            }
        }
    }

    #[test]
    fn a_tenants_file_does_not_replace_ours_and_a_broken_one_affects_no_other() {
        let file = |file: &str, name: &str, sql: &str| {
            (file.to_owned(), format!("-- name: {name}\n-- title: T\n-- description: D\n{sql}"))
        };
        let files = [
            file("broken.sql", "broken", "drop table t"),
            file("other.sql", "mine-not", "select 1"),
            file("taxi-month.sql", "taxi-month", "select 1"),
            file("trips.sql", "trips", "select 1"),
        ];
        let queries = with(ours(), &files);
        assert_eq!(queries.len(), OURS.len() + 1);
        assert!(queries.contains_key("trips"));
        assert_eq!(queries["taxi-month"], ours()["taxi-month"]);
    }

    #[test]
    fn the_location_of_a_tenants_files_has_one_form() {
        for text in ["s3://b/", "s3://b/q/", "s3://b/q/r/"] {
            assert!(Place::parse(text, "123456789012".to_owned()).is_ok(), "{text}");
        }
        for text in ["", "b/q/", "s3://b", "s3:///q/", "s3://b/q"] {
            assert!(Place::parse(text, "123456789012".to_owned()).unwrap_err().0.contains("QUERIES"), "{text}");
        }
    }
}
