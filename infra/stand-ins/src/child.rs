//! Child processes that never outlive this one, however it ends.
//!
//! A process cannot clean up after `kill -9`, so the child brings its own watchdog: a shell that waits for the end of a pipe whose
//! other end only this process holds. The kernel closes that end when this process is gone, and the watchdog then ends the child and
//! everything the child has started.

use std::fs::File;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, ChildStdin, Command};

/// A running program, ended together with its descendants when this is dropped.
#[derive(Debug)]
pub struct Supervised {
    child: Child,
    lifeline: Option<ChildStdin>,
}

/// The watchdog reads from the pipe in the background while the shell becomes the program itself. Both are in one process group.
/// After SIGTERM the group has five seconds, then SIGKILL ends what is left of it, including the watchdog.
const WATCHDOG: &str = r#"
exec 3<&0 </dev/null
{
    trap : TERM INT HUP
    read -r _ <&3
    kill -TERM 0
    left=50
    while kill -0 "$$" 2>/dev/null && [ "$left" -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
    kill -KILL 0
} &
exec 3<&-
exec "$@"
"#;

impl Supervised {
    /// Starts the program that `command` describes; its standard input is empty, both its outputs are written to `output`.
    ///
    /// # Errors
    ///
    /// If there is no `sh`. A program that does not exist shows as an early [`Supervised::exited`] with code 127.
    pub fn start(command: &std::process::Command, output: File) -> anyhow::Result<Supervised> {
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", WATCHDOG, "watchdog"]).arg(command.get_program()).args(command.get_args());
        // The child gets exactly the variables it was given, none of this process.
        shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        let mut shell = Command::from(shell);
        shell.stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let mut child = shell.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Supervised { lifeline: child.stdin.take(), child })
    }

    /// Whether the program has ended by itself, and how.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The program's process ID, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Stops the program and waits until it has ended, at most ten seconds.
    pub async fn stop(mut self) {
        drop(self.lifeline.take());
        // The watchdog is the one that acts; this is for a watchdog that was killed.
        if tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            self.child.start_kill().unwrap_or_default();
        }
    }
}
