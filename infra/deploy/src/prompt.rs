//! Questions to the person at the terminal.

use std::io::{BufRead, IsTerminal, Write};

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
    eprint!("{question}");
    let mut answer = String::new();
    let read = std::io::stderr().flush().and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    read.map_err(|error| Error::Refused(format!("cannot read the answer: {error}")))?;
    Ok(answer.trim().to_owned())
}
