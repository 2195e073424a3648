//! Questions to the person at the terminal.

use std::io::{BufRead, IsTerminal};

use ferrostack_command::output;

use crate::Error;

/// Asks, and returns the answer without surrounding spaces. `about` says what `--yes` would confirm.
///
/// # Errors
///
/// [`Error::Refused`] if nobody can answer, because standard input is not a terminal.
pub fn ask(question: &str, about: &str) -> Result<String, Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::Refused(format!("{about}; run it in a terminal, or with --yes")));
    }
    output::error_text(question);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Error::Refused(format!("cannot read the answer: {error}")))?;
    Ok(answer.trim().to_owned())
}
