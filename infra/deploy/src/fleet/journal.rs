//! What was started and how it ended, on disk: a deployment that is killed at any point continues from there.
//!
//! One JSON document per line, appended and synced before the next step, by one process at a time. A line that a kill left incomplete is
//! removed. A run lasts until all its tenants are deployed; the next one starts with an empty journal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::aws::run_name;
use crate::{Error, Target};

/// The journal of one account and region, open and locked until it is dropped.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    /// Differs between two runs, and stays the same when a run is resumed.
    run: String,
    /// The tenants of the run when it was started.
    goal: BTreeSet<String>,
    /// The tenants of this process, which may be fewer.
    tenants: BTreeSet<String>,
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
    Run {
        run: String,
        #[serde(default)]
        tenants: BTreeSet<String>,
    },
    Began {
        tenant: String,
    },
    Deployed {
        tenant: String,
        digest: String,
    },
    Failed {
        tenant: String,
        why: String,
    },
    Finished,
}

impl Journal {
    /// Opens or creates the journal, and resumes the unfinished run in it, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if another process has it open, or it cannot be read or written.
    pub(crate) fn open(path: &Path, tenants: BTreeSet<String>) -> Result<Journal, Error> {
        let mut file = locked(path)?;
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(0)).map_err(|error| unusable(path, error))?;
        file.read_to_end(&mut text).map_err(|error| unusable(path, error))?;
        let mut journal = Journal {
            path: path.to_owned(),
            file: Mutex::new(file),
            run: run_name::new(),
            goal: tenants.clone(),
            tenants,
            past: BTreeMap::new(),
        };
        let kept = journal.resume(&text)?;
        let cut = journal.file.lock().expect(UNPOISONED).set_len(kept as u64);
        cut.map_err(|error| unusable(path, error))?;
        if kept == 0 {
            journal.append(&Entry::Run { run: journal.run.clone(), tenants: journal.goal.clone() })?;
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

    /// The tenants of this process are deployed. The run is finished, unless it had more of them that are not deployed yet.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        let deployed = |tenant: &String| {
            self.tenants.contains(tenant) || self.past.get(tenant).is_some_and(|past| past.deployed.is_some())
        };
        if self.goal.iter().all(deployed) { self.append(&Entry::Finished) } else { Ok(()) }
    }

    /// Reads the history from the text, and returns how many bytes of it to keep.
    fn resume(&mut self, text: &[u8]) -> Result<usize, Error> {
        let mut kept = 0;
        for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            // A kill cut it off while it was written.
            let Some(complete) = line.strip_suffix(b"\n") else { break };
            let entry = serde_json::from_slice(complete).map_err(|_| {
                Error::Refused(format!(
                    "line {} of the journal {} is not readable; move the file away to start a new run, which looks at every tenant again",
                    number + 1,
                    self.path.display()
                ))
            })?;
            kept += line.len();
            match entry {
                Entry::Run { run, tenants } => {
                    self.run = run;
                    self.goal = tenants;
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
                    self.goal = self.tenants.clone();
                    self.run = run_name::new();
                    return Ok(0);
                }
            }
        }
        Ok(kept)
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

/// The journal of the account and region of `target`.
pub(crate) fn path(folder: &Path, target: &Target) -> PathBuf {
    folder.join(format!("journal-{}-{}.jsonl", target.account, target.region))
}

/// Opens the file, which no other process can open as long as it exists.
///
/// # Errors
///
/// [`Error::Refused`] if another process has it open, or it cannot be opened.
pub(crate) fn locked(path: &Path) -> Result<File, Error> {
    let file = File::options().read(true).append(true).create(true).open(path);
    let file = file.map_err(|error| unusable(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Refused(format!(
            "another deployment to this account and region is running and has locked {}; wait until it ends",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unusable(path, error)),
    }
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::Refused(format!("cannot use the deployment's journal {}: {error}", path.display()))
}

const UNPOISONED: &str = "nothing that holds this lock can panic";

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(text: &str) -> (tempfile::TempDir, Result<Journal, Error>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, text).unwrap();
        let journal = Journal::open(&path, ["a".to_owned()].into());
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
    fn a_run_of_several_tenants_is_not_finished_by_one_of_them() {
        let text = INTERRUPTED.replace(r#""run":"old""#, r#""run":"old","tenants":["a","b","c"]"#);
        let (folder, opened) = journal(&text);
        opened.unwrap().finish().unwrap();
        let path = folder.path().join("journal.jsonl");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        // The first is deployed already.
        let journal = Journal::open(&path, ["b", "c"].map(str::to_owned).into()).unwrap();
        assert_eq!(journal.run(), "old");
        journal.finish().unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("{\"what\":\"finished\"}\n"));
    }

    #[test]
    fn a_damaged_line_is_refused_with_its_number_and_what_to_do() {
        for damaged in [&b"{\"what\":\"began\"\n"[..], b"\xff\n", b"{\"what\":\"unknown\"}\n"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal.jsonl");
            let end = b"{\"what\":\"began\",\"tenant\":\"z\"}\n";
            std::fs::write(&path, [INTERRUPTED.as_bytes(), damaged, end].concat()).unwrap();
            let error = Journal::open(&path, BTreeSet::new()).unwrap_err().to_string();
            let line = INTERRUPTED.lines().count() + 1;
            assert!(error.starts_with(&format!("line {line} of the journal ")), "{error}");
            assert!(error.contains("move the file away"), "{error}");
        }
    }

    #[test]
    fn only_one_process_can_open_the_journal() {
        let (folder, journal) = journal("");
        let _held = journal.unwrap();
        let error = Journal::open(&folder.path().join("journal.jsonl"), BTreeSet::new()).unwrap_err();
        assert!(error.to_string().starts_with("another deployment to this account and region is running"), "{error}");
    }
}
