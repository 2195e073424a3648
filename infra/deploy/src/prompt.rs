//! Questions to the person at the terminal.

use std::io::{BufRead, IsTerminal};

use ferrostack_command::output;

use crate::Error;

/// Asks, and returns the answer without surrounding blanks. `about` says what `--yes` would agree to.
///
/// # Errors
///
/// [`Error::Refused`] when nobody can answer: standard input is not a terminal.
pub fn ask(question: &str, about: &str) -> Result<String, Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::Refused(format!("{about}; run it at a terminal, or with --yes")));
    }
    output::error_text(question);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Error::Refused(format!("cannot read the answer: {error}")))?;
    Ok(answer.trim().to_owned())
}
