//! Findings: what is wrong in a stack.

use std::fmt;
use std::panic::Location;

/// One problem in a stack, with the line of Rust that caused it, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// With an error, nothing is written; with a warning, everything is.
    pub severity: Severity,
    /// The stack's name, set when the stack is synthesized.
    pub stack: String,
    /// The resource, parameter or output it is about, or the empty string for the whole stack.
    pub subject: String,
    /// What is wrong, the value, and what is allowed. Lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line that caused it.
    pub location: Option<&'static Location<'static>>,
    /// The check that found it, if it is one of [`crate::App::checks`]: then it can be acknowledged.
    pub check: Option<&'static str>,
}

/// How severe a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is written.
    Error,
    /// Worth knowing; everything is still written.
    Warning,
}

impl Finding {
    /// An error about `subject`.
    pub fn error(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            stack: String::new(),
            subject: subject.into(),
            message: message.into(),
            help: None,
            location: None,
            check: None,
        }
    }

    /// A warning about `subject`.
    pub fn warning(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(subject, message) }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the line that caused it.
    #[must_use]
    pub fn at(mut self, location: &'static Location<'static>) -> Self {
        self.location = Some(location);
        self
    }

    /// Whether it stops the synth.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.is_error() { "error" } else { "warning" };
        write!(f, "{severity}: ")?;
        for name in [&self.stack, &self.subject].into_iter().filter(|name| !name.is_empty()) {
            write!(f, "{name}: ")?;
        }
        write!(f, "{}", self.message)?;
        if let Some(location) = self.location {
            write!(f, "\n  --> {location}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {help}")?;
        }
        if let Some(check) = self.check {
            write!(f, "\n  = check: {check}")?;
        }
        Ok(())
    }
}
