//! What was started and how it ended, on disk: a deployment that is killed at any point continues from there.
//!
//! One JSON document per line, appended and synced before the next step, by one process at a time. A line that a kill left incomplete is
//! removed. A run lasts until all its tenants are deployed; the next one starts with an empty journal.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::aws::run_name;

/// The journal of one account and region, open and locked until it is dropped.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    /// Differs between two runs, and stays the same when a run is resumed.
    run: String,
    past: BTreeMap<String, TenantHistory>,
}

/// What the journal contained about a tenant when it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct TenantHistory {
    /// How many attempts have ended, successful or not. An interrupted attempt is resumed and does not count.
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
    /// Opens or creates the journal, and resumes the unfinished run in it, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if another process has it open, or it cannot be read or written.
    pub(crate) fn open(path: &Path) -> Result<Journal, Error> {
        let failed = |error: std::io::Error| {
            Error::Refused(format!("cannot use the deployment's journal {}: {error}", path.display()))
        };
        let mut options = File::options();
        let mut file = options.read(true).append(true).create(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Refused(format!(
                    "another deployment to this account and region is running and has locked {}; wait until it ends",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        file.read_to_string(&mut text).map_err(failed)?;
        let mut journal =
            Journal { path: path.to_owned(), file: Mutex::new(file), run: run_name::new(), past: BTreeMap::new() };
        let kept = journal.resume(&text);
        journal.file.lock().expect(UNPOISONED).set_len(kept as u64).map_err(failed)?;
        if kept == 0 {
            journal.append(&Entry::Run { run: journal.run.clone() })?;
        }
        Ok(journal)
    }

    /// The name of the run, from which the tokens of its requests are derived.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// Whether this run was started earlier and continues.
    pub(crate) fn is_resumed(&self) -> bool {
        !self.past.is_empty()
    }

    /// The number of the tenant's next attempt, counted from 0; an interrupted one keeps its number.
    pub(crate) fn attempt(&self, tenant: &str) -> u32 {
        self.past.get(tenant).map_or(0, |past| past.ended)
    }

    /// Whether this run has deployed exactly this for the tenant.
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

    /// Everything is deployed: there is nothing to resume.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.append(&Entry::Finished)
    }

    /// Reads the history from the text, and returns how many bytes of it to keep.
    fn resume(&mut self, text: &str) -> usize {
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
                    self.run = run_name::new();
                    return 0;
                }
            }
        }
        kept
    }

    fn append(&self, entry: &Entry) -> Result<(), Error> {
        let mut line = serde_json::to_string(entry).expect("an entry consists of text");
        line.push('\n');
        let mut file = self.file.lock().expect(UNPOISONED);
        file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(|error| {
            Error::Failed(format!("cannot use the deployment's journal {}: {error}", self.path.display()))
        })
    }
}

const UNPOISONED: &str = "nothing that holds this lock can panic";

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

    const INTERRUPTED: &str = r#"{"what":"run","run":"old"}
{"what":"began","tenant":"a"}
{"what":"deployed","tenant":"a","digest":"1"}
{"what":"began","tenant":"b"}
{"what":"failed","tenant":"b","why":"no"}
{"what":"began","tenant":"b"}
{"what":"began","tenant":"c"}
"#;

    #[test]
    fn an_interrupted_run_is_resumed_with_its_name_and_attempts() {
        let (_folder, journal) = journal(INTERRUPTED);
        let journal = journal.unwrap();
        assert_eq!((journal.run(), journal.is_resumed()), ("old", true));
        assert_eq!(
            [journal.attempt("a"), journal.attempt("b"), journal.attempt("c"), journal.attempt("d")],
            [1, 1, 0, 0]
        );
        assert!(journal.has_deployed("a", "1") && !journal.has_deployed("a", "2") && !journal.has_deployed("b", "1"));
    }

    #[test]
    fn an_incomplete_line_is_removed_before_the_next_one_is_written() {
        let (folder, opened) = journal(&format!("{INTERRUPTED}{{\"what\":\"deployed\",\"ten"));
        opened.unwrap().deployed("c", "1").unwrap();
        let text = std::fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
        assert_eq!(text, format!("{INTERRUPTED}{{\"what\":\"deployed\",\"tenant\":\"c\",\"digest\":\"1\"}}\n"));
    }

    #[test]
    fn a_finished_run_is_followed_by_a_new_one() {
        let (_folder, journal) = journal(&format!("{INTERRUPTED}{{\"what\":\"finished\"}}\n"));
        let journal = journal.unwrap();
        assert!(journal.run() != "old" && !journal.is_resumed());
        assert_eq!(journal.attempt("a"), 0);
    }

    #[test]
    fn only_one_process_can_open_the_journal() {
        let (folder, journal) = journal("");
        let _held = journal.unwrap();
        let error = Journal::open(&folder.path().join("journal.jsonl")).unwrap_err();
        assert!(error.to_string().starts_with("another deployment to this account and region is running"), "{error}");
    }
}
