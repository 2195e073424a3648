//! Printing that continues when nobody reads the output any longer.
//!
//! `println!` panics once the reader of a pipe is gone (`ferrostack list | head -1`), which would abort a deployment halfway.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write, stderr, stdout};
use std::sync::OnceLock;

/// The first failure to write to standard output, other than a closed pipe.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// Prints one line to standard output.
pub fn line(text: impl Display) {
    keep(writeln!(stdout().lock(), "{text}"));
}

/// Prints text to standard output as it is.
pub fn text(text: impl Display) {
    keep(write!(stdout().lock(), "{text}"));
}

/// Prints one line to standard error. A failure is ignored, since there is nowhere left to report it.
pub fn error_line(text: impl Display) {
    error_text(format_args!("{text}\n"));
}

/// Prints text to standard error as it is. A failure is ignored, since there is nowhere left to report it.
pub fn error_text(text: impl Display) {
    // Standard error has no buffer: formatted in place, each piece would be a separate system call.
    let text = text.to_string();
    let _ = stderr().lock().write_all(text.as_bytes());
}

/// Writes what is still buffered.
///
/// # Errors
///
/// If any of the output was lost, for example because the disk is full. A closed pipe is not an error.
pub fn finish() -> Result<(), String> {
    keep(stdout().lock().flush());
    FAILURE.get().map_or(Ok(()), |error| Err(format!("cannot write to standard output: {error}")))
}

fn keep(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::BrokenPipe
    {
        // Only the first failure is reported.
        let _ = FAILURE.set(error);
    }
}
