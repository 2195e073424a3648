//! What was begun and what came of it, on disk: a deployment that is killed at any point goes on from there.
//!
//! One JSON document a line, appended and synced before the next step, by one process at a time. A line that was cut short by a kill is
//! cut off. A run lasts until all its tenants are deployed; the next one begins with an empty journal.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The journal of one account and region, open and locked until it is dropped.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    /// Differs between two runs, and stays the same when a run is taken up again.
    run: String,
    past: BTreeMap<String, Past>,
}

/// What the journal knew of a tenant when it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Past {
    /// How often it was tried to an end, good or bad. A try that was cut short is taken up again and does not count.
    ended: u32,
    /// What was deployed, if it was.
    deployed: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
enum Entry {
    Run { run: String },
    Began { tenant: String },
    Deployed { tenant: String, digest: String },
    Failed { tenant: String, why: String },
    Finished,
}

impl Journal {
    /// Opens the journal, or makes it, and takes up the run that was cut short in it, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when another process has it open, or it cannot be read or written.
    pub(crate) fn open(path: &Path) -> Result<Journal, Error> {
        let failed = |error: std::io::Error| {
            Error::Refused(format!("cannot keep the deployment's journal {}: {error}", path.display()))
        };
        let mut options = File::options();
        let mut file = options.read(true).append(true).create(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Refused(format!(
                    "another deployment to this account and region is at work and holds {}; wait for its end",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        file.read_to_string(&mut text).map_err(failed)?;
        let mut journal =
            Journal { path: path.to_owned(), file: Mutex::new(file), run: fresh_run(), past: BTreeMap::new() };
        let kept = journal.take_up(&text);
        journal.file.lock().expect(UNPOISONED).set_len(kept as u64).map_err(failed)?;
        if kept == 0 {
            journal.append(&Entry::Run { run: journal.run.clone() })?;
        }
        Ok(journal)
    }

    /// The name of the run, which the tokens of its requests are made from.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// Whether this run was begun earlier and has something to go on from.
    pub(crate) fn is_resumed(&self) -> bool {
        !self.past.is_empty()
    }

    /// Which try of the tenant comes next, counted from 0; one that was cut short keeps its number.
    pub(crate) fn attempt(&self, tenant: &str) -> u32 {
        self.past.get(tenant).map_or(0, |past| past.ended)
    }

    /// Whether this run has deployed just this of the tenant.
    pub(crate) fn has_deployed(&self, tenant: &str, digest: &str) -> bool {
        self.past.get(tenant).is_some_and(|past| past.deployed.as_deref() == Some(digest))
    }

    pub(crate) fn began(&self, tenant: &str) -> Result<(), Error> {
        self.append(&Entry::Began { tenant: tenant.to_owned() })
    }

    pub(crate) fn deployed(&self, tenant: &str, digest: &str) -> Result<(), Error> {
        self.append(&Entry::Deployed { tenant: tenant.to_owned(), digest: digest.to_owned() })
    }

    pub(crate) fn failed(&self, tenant: &str, why: &str) -> Result<(), Error> {
        self.append(&Entry::Failed { tenant: tenant.to_owned(), why: why.to_owned() })
    }

    /// Everything is deployed: there is nothing to take up.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.append(&Entry::Finished)
    }

    /// Learns the past from the text, and returns how many bytes of it are to be kept.
    fn take_up(&mut self, text: &str) -> usize {
        let mut kept = 0;
        for line in text.split_inclusive('\n') {
            let Some(entry) = line.strip_suffix('\n').and_then(|line| serde_json::from_str(line).ok()) else { break };
            kept += line.len();
            match entry {
                Entry::Run { run } => {
                    self.run = run;
                    self.past.clear();
                }
                Entry::Began { tenant } => {
                    self.past.entry(tenant).or_default().deployed = None;
                }
                Entry::Deployed { tenant, digest } => {
                    let past = self.past.entry(tenant).or_default();
                    past.ended += 1;
                    past.deployed = Some(digest);
                }
                Entry::Failed { tenant, .. } => self.past.entry(tenant).or_default().ended += 1,
                Entry::Finished => {
                    self.past.clear();
                    self.run = fresh_run();
                    return 0;
                }
            }
        }
        kept
    }

    fn append(&self, entry: &Entry) -> Result<(), Error> {
        let mut line = serde_json::to_string(entry).expect("an entry has text only");
        line.push('\n');
        let mut file = self.file.lock().expect(UNPOISONED);
        file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(|error| {
            Error::Failed(format!("cannot keep the deployment's journal {}: {error}", self.path.display()))
        })
    }
}

const UNPOISONED: &str = "nothing that holds this lock can panic";

/// A name that no other run has.
pub(crate) fn fresh_run() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}-{:08x}", now.as_nanos(), std::process::id(), fastrand::u32(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(text: &str) -> (tempfile::TempDir, Result<Journal, Error>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, text).unwrap();
        let journal = Journal::open(&path);
        (folder, journal)
    }

    const CUT_SHORT: &str = r#"{"what":"run","run":"old"}
{"what":"began","tenant":"a"}
{"what":"deployed","tenant":"a","digest":"1"}
{"what":"began","tenant":"b"}
{"what":"failed","tenant":"b","why":"no"}
{"what":"began","tenant":"b"}
{"what":"began","tenant":"c"}
"#;

    #[test]
    fn a_run_that_was_cut_short_is_taken_up_with_its_name_and_tries() {
        let (_folder, journal) = journal(CUT_SHORT);
        let journal = journal.unwrap();
        assert_eq!((journal.run(), journal.is_resumed()), ("old", true));
        assert_eq!(
            [journal.attempt("a"), journal.attempt("b"), journal.attempt("c"), journal.attempt("d")],
            [1, 1, 0, 0]
        );
        assert!(journal.has_deployed("a", "1") && !journal.has_deployed("a", "2") && !journal.has_deployed("b", "1"));
    }

    #[test]
    fn a_line_that_was_cut_short_is_cut_off_before_the_next_is_written() {
        let (folder, opened) = journal(&format!("{CUT_SHORT}{{\"what\":\"deployed\",\"ten"));
        opened.unwrap().deployed("c", "1").unwrap();
        let text = std::fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
        assert_eq!(text, format!("{CUT_SHORT}{{\"what\":\"deployed\",\"tenant\":\"c\",\"digest\":\"1\"}}\n"));
    }

    #[test]
    fn after_a_finished_run_another_begins() {
        let (_folder, journal) = journal(&format!("{CUT_SHORT}{{\"what\":\"finished\"}}\n"));
        let journal = journal.unwrap();
        assert!(journal.run() != "old" && !journal.is_resumed());
        assert_eq!(journal.attempt("a"), 0);
    }

    #[test]
    fn only_one_process_writes() {
        let (folder, journal) = journal("");
        let _held = journal.unwrap();
        let error = Journal::open(&folder.path().join("journal.jsonl")).unwrap_err();
        assert!(error.to_string().starts_with("another deployment to this account and region is at work"), "{error}");
    }
}
