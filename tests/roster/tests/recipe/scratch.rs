//! A copy of the workspace, in which the recipe is followed. It is kept between runs, so that little has to be compiled again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::document::{Edit, Place};

/// The folder of the copy, and of what is compiled from it, below the folder of the build.
const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/recipe");

/// A path in the copy.
pub(crate) fn path(path: &str) -> PathBuf {
    Path::new(FOLDER).join("workspace").join(path)
}

/// The text of a file of the copy.
pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What the recipe is about, and what synthesizes it. Always the same packages: others would have other features, and much would be
/// compiled twice.
const PACKAGES: [&str; 4] = ["ferrostack", "greet", "greeting-wiring", "template-tests"];

/// Runs a command of cargo in the copy, for some targets of the packages, without network.
pub(crate) fn cargo(command: &str, targets: &[&str]) -> Ended {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg(command).args(targets).args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    cargo.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", Path::new(FOLDER).join("target"));
    Ended::of(&mut cargo)
}

/// Runs the command line of the copy in the copy.
pub(crate) fn ferrostack(command: &str) -> Ended {
    Ended::of(Command::new(Path::new(FOLDER).join("target/debug/ferrostack")).arg(command))
}

/// The files of the workspace, without the recipe.
pub(crate) struct Workspace {
    files: BTreeMap<String, Vec<u8>>,
}

impl Workspace {
    /// Reads the files that git knows or would add.
    pub(crate) fn read(root: &Path) -> Self {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
        let output = git.output().unwrap_or_else(|error| panic!("this test needs git to list the files: {error}"));
        assert!(output.status.success(), "this test needs a git checkout: {}", String::from_utf8_lossy(&output.stderr));
        let list = String::from_utf8(output.stdout).expect("paths in the repository are UTF-8");
        let files =
            list.split_terminator('\0').filter_map(|file| Some((file.to_owned(), fs::read(root.join(file)).ok()?)));
        Self { files: files.collect() }
    }

    /// Makes the copy the workspace with the recipe's edits, and with nothing from an earlier run.
    pub(crate) fn apply<'a>(&self, edits: impl Iterator<Item = &'a Edit>) {
        let mut files = self.files.clone();
        edits.for_each(|change| edit(&mut files, change));
        if path("Cargo.lock").is_file() {
            // Cargo has added the recipe's packages.
            files.insert("Cargo.lock".to_owned(), read("Cargo.lock").into_bytes());
        }
        for stale in present().iter().filter(|file| !files.contains_key(*file)) {
            write(stale, None);
        }
        for (file, text) in files {
            write(&file, Some(&text));
        }
    }

    /// Leaves out some of the recipe's edits.
    pub(crate) fn without<'a>(&self, left_out: &[Edit], all: impl Iterator<Item = &'a Edit>) -> Change {
        let paths: BTreeSet<&String> = left_out.iter().map(|change| &change.path).collect();
        let mut files = self.files.clone();
        all.filter(|change| paths.contains(&change.path) && !left_out.contains(change))
            .for_each(|change| edit(&mut files, change));
        Change::of(paths.into_iter().map(|file| (file.clone(), files.remove(file))).collect())
    }
}

/// A change of the copy that is undone when this goes out of scope.
#[must_use = "the change is undone at once"]
pub(crate) struct Change {
    /// What the files were before.
    before: BTreeMap<String, Option<Vec<u8>>>,
}

impl Change {
    /// Removes a file.
    pub(crate) fn remove(file: &str) -> Self {
        Self::of(BTreeMap::from([(file.to_owned(), None)]))
    }

    /// Replaces a text in a file.
    pub(crate) fn replace(file: &str, old: &str, new: &str) -> Self {
        let text = read(file);
        assert!(text.contains(old), "{file} has no `{old}`");
        Self::of(BTreeMap::from([(file.to_owned(), Some(text.replace(old, new).into_bytes()))]))
    }

    fn of(files: BTreeMap<String, Option<Vec<u8>>>) -> Self {
        let before = files.keys().map(|file| (file.clone(), fs::read(path(file)).ok())).collect();
        for (file, text) in &files {
            write(file, text.as_deref());
        }
        Self { before }
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        for (file, text) in &self.before {
            write(file, text.as_deref());
        }
    }
}

fn edit(files: &mut BTreeMap<String, Vec<u8>>, edit: &Edit) {
    let old = files.get(&edit.path).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let new = match (&edit.place, old) {
        (Place::Whole, None) => edit.text.clone(),
        (Place::Whole, Some(_)) => panic!("{} exists already", edit.path),
        (Place::End, Some(old)) => old + &edit.text,
        (Place::Below(anchor), Some(old)) => {
            let line = format!("{anchor}\n");
            let (before, after) =
                old.split_once(&line).unwrap_or_else(|| panic!("{} has no line `{anchor}`", edit.path));
            format!("{before}{line}{}{after}", edit.text)
        }
        (_, None) => panic!("{} does not exist", edit.path),
    };
    files.insert(edit.path.clone(), new.into_bytes());
}

/// Writes a file, or removes it. One that does not change keeps its time, so that cargo compiles nothing again.
fn write(file: &str, text: Option<&[u8]>) {
    let path = path(file);
    match text {
        None if path.is_file() => fs::remove_file(&path).expect("a file of the copy can be removed"),
        None => {}
        Some(text) if fs::read(&path).is_ok_and(|bytes| bytes == text) => {}
        Some(text) => {
            fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder of the copy");
            fs::write(&path, text).expect("a file of the copy");
        }
    }
}

/// The files that are in the copy.
fn present() -> Vec<String> {
    let workspace = path("");
    let (mut files, mut folders) = (Vec::new(), vec![workspace.clone()]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(file) = path.strip_prefix(&workspace) {
                files.extend(file.to_str().map(str::to_owned));
            }
        }
    }
    files
}

/// A command that has ended.
pub(crate) struct Ended {
    command: String,
    succeeded: bool,
    output: String,
}

impl Ended {
    fn of(command: &mut Command) -> Self {
        let ended = command.current_dir(path("")).env("RUST_BACKTRACE", "0").output();
        let Output { status, stdout, stderr } = ended.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        Self { command: format!("{command:?}"), succeeded: status.success(), output }
    }

    /// It must have succeeded.
    pub(crate) fn succeeds(self) -> Self {
        assert!(self.succeeded, "{} failed:\n{}", self.command, self.output);
        self
    }

    /// It must have failed.
    pub(crate) fn fails(self) -> Self {
        assert!(!self.succeeded, "{} succeeded:\n{}", self.command, self.output);
        self
    }

    /// Its output must contain this.
    pub(crate) fn says(&self, text: &str) {
        assert!(self.output.contains(text), "{} does not say `{text}`:\n{}", self.command, self.output);
    }
}
