//! Subcommands that are programs of their own, because they link the AWS SDK.
//!
//! Run through Cargo in the repository, `ferrostack` builds the program first, so that it is never older than its source. Elsewhere
//! the program is the one next to `ferrostack`, or the one in PATH.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use anyhow::{Context, Error, Result, anyhow, ensure};
use ferrostack_command::{Verbosity, output};

/// Deploys, shows and deletes stacks.
pub(crate) const DEPLOYER: &str = "ferrostack-deploy";
/// Runs the systems on this machine.
pub(crate) const LOCAL: &str = "ferrostack-local";
/// Queries a connector.
pub(crate) const ATHENA: &str = "ferrostack-athena";

/// The folder of this package, when it was compiled.
const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// Becomes the program, so that signals reach it and its exit code is the exit code of the command. Returns only if that fails.
pub(crate) fn exec(program: &str, arguments: impl Iterator<Item = OsString>, verbosity: Verbosity) -> Result<u8> {
    let mut command = command(program, verbosity)?;
    let error = report(command.args(arguments), verbosity).exec();
    Err(not_started(program, error))
}

/// Runs the program to its end.
pub(crate) fn run(
    program: &str,
    arguments: impl Iterator<Item = OsString>,
    verbosity: Verbosity,
) -> Result<ExitStatus> {
    let mut command = command(program, verbosity)?;
    report(command.args(arguments), verbosity).status().map_err(|error| not_started(program, error))
}

/// The arguments that follow the name of the subcommand, as they were given.
pub(crate) fn arguments_after(subcommand: &str) -> impl Iterator<Item = OsString> {
    env::args_os().skip_while(move |argument| argument != subcommand).skip(1)
}

fn command(program: &str, verbosity: Verbosity) -> Result<Command> {
    let own = env::current_exe().context("cannot find the program `ferrostack`")?;
    let folder = own.parent().context("the program `ferrostack` is in no folder")?;
    let neighbor = folder.join(program);
    if let Some(cargo) = cargo() {
        build(&cargo, program, folder, verbosity)?;
        return Ok(Command::new(neighbor));
    }
    Ok(if neighbor.is_file() { Command::new(neighbor) } else { Command::new(program) })
}

/// The Cargo that runs this program from its own source.
fn cargo() -> Option<OsString> {
    let cargo = env::var_os("CARGO")?;
    (env::var_os("CARGO_MANIFEST_DIR")? == PACKAGE).then_some(cargo)
}

/// Builds the program next to this one. With the features of the whole workspace, what the tests were built on serves here too.
fn build(cargo: &OsStr, program: &str, folder: &Path, verbosity: Verbosity) -> Result<()> {
    let profile = match folder.file_name() {
        Some(name) if name != "debug" => name,
        _ => OsStr::new("dev"),
    };
    let mut command = Command::new(cargo);
    command.args(["build", "--workspace", "--bin", program, "--manifest-path"]);
    command.arg(Path::new(PACKAGE).join("../../Cargo.toml")).arg("--profile").arg(profile);
    if !verbosity.verbose {
        command.arg("--quiet");
    }
    let status = report(&mut command, verbosity).status().context("cannot run cargo")?;
    ensure!(status.success(), "cannot build {program}: cargo failed");
    Ok(())
}

fn report(command: &mut Command, verbosity: Verbosity) -> &mut Command {
    if verbosity.verbose {
        output::error_line(format_args!("running {command:?}"));
    }
    command
}

fn not_started(program: &str, error: std::io::Error) -> Error {
    if error.kind() == ErrorKind::NotFound {
        return anyhow!(
            "`{program}` is not installed; put it next to `ferrostack`, or use `cargo run --` in the repository"
        );
    }
    Error::new(error).context(format!("cannot run {program}"))
}
