//! What the operator sees while CloudFormation works: a bar on a terminal, plain lines in CI and in files.

use std::io::IsTerminal;
use std::time::Duration;

use ferrostack_command::{Verbosity, output};
use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

/// Reports what happens on standard error, so that standard output contains only results.
#[derive(Debug)]
pub struct Progress {
    bars: Option<(MultiProgress, ProgressBar)>,
    verbosity: Level,
    /// Precedes each line that does not start with it anyway, if several things happen at the same time.
    name: String,
}

/// How much is shown, from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Nothing,
    Errors,
    Stages,
    Lines,
    Details,
    /// Details even of many things.
    Everything,
}

impl Progress {
    /// A bar when standard error is a terminal and `CI` is not set, plain lines otherwise.
    pub fn detect() -> Progress {
        let plain = std::env::var_os("CI").is_some_and(|value| !value.is_empty()) || !std::io::stderr().is_terminal();
        let bars = (!plain).then(|| {
            let bars = MultiProgress::new();
            let bar = bars.add(new_bar());
            (bars, bar)
        });
        Progress { bars, verbosity: Level::Details, name: String::new() }
    }

    /// Shows nothing at all.
    pub fn silent() -> Progress {
        Progress { bars: None, verbosity: Level::Nothing, name: String::new() }
    }

    /// As much as the options of the command ask for.
    #[must_use]
    pub fn at(mut self, verbosity: Verbosity) -> Progress {
        if verbosity.quiet {
            self.clear();
            self.bars = None;
            self.verbosity = Level::Errors;
        } else if verbosity.verbose {
            self.verbosity = Level::Everything;
        }
        self
    }

    /// For one of several things that happen at the same time: it has its own bar, and its lines start with its name.
    pub fn part(&self, name: &str) -> Progress {
        let bars = self.bars.as_ref().map(|(bars, _)| (bars.clone(), bars.add(new_bar())));
        Progress { bars, verbosity: self.verbosity, name: name.to_owned() }
    }

    /// Leaves out the details, which are too many to read when many things happen.
    pub(crate) fn without_details(mut self) -> Progress {
        if self.verbosity == Level::Details {
            self.verbosity = Level::Lines;
        }
        self
    }

    /// Shows only the stages, for a caller that reports results in its own way.
    #[must_use]
    pub fn stages_only(mut self) -> Progress {
        self.verbosity = self.verbosity.min(Level::Stages);
        self
    }

    /// Prints an error, above the bar if there is one.
    pub fn error(&self, error: impl std::fmt::Display) {
        self.print(Level::Errors, &format!("error: {error}"));
    }

    /// Prints one line, above the bar if there is one.
    pub fn line(&self, text: impl AsRef<str>) {
        self.print(Level::Lines, text.as_ref());
    }

    /// Prints one line about a step among many.
    pub(crate) fn detail(&self, text: impl AsRef<str>) {
        self.print(Level::Details, text.as_ref());
    }

    /// Prints a result on standard output, above the bar if there is one.
    pub fn output(&self, text: impl AsRef<str>) {
        self.above(|| output::line(text.as_ref()));
    }

    fn print(&self, level: Level, text: &str) {
        if self.verbosity < level {
            return;
        }
        let named = text.starts_with(&self.name);
        let line = if named { text.to_owned() } else { format!("{}: {text}", self.name) };
        self.above(|| output::error_line(line));
    }

    fn above(&self, print: impl FnOnce()) {
        match &self.bars {
            Some((bars, _)) => bars.suspend(print),
            None => print(),
        }
    }

    /// Starts a stage of `steps` steps; 0 if their number is not known.
    pub fn begin(&self, stage: impl Into<String>, steps: u64) {
        let stage = stage.into();
        match &self.bars {
            Some((_, bar)) => {
                bar.set_style(if steps == 0 { waiting() } else { counting() });
                bar.reset();
                bar.set_length(steps);
                bar.set_message(stage);
                bar.enable_steady_tick(Duration::from_millis(120));
            }
            None if self.verbosity >= Level::Stages => output::error_line(stage),
            None => {}
        }
    }

    /// Shows how many steps of the stage are done.
    pub fn done(&self, steps: u64) {
        if let Some((_, bar)) = &self.bars {
            bar.set_position(steps.min(bar.length().unwrap_or(steps)));
        }
    }

    /// Removes the bar, so that what follows starts on a clean line.
    pub fn clear(&self) {
        if let Some((_, bar)) = &self.bars {
            bar.disable_steady_tick();
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn new_bar() -> ProgressBar {
    ProgressBar::no_length().with_style(waiting())
}

fn waiting() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed_precise} {wide_msg}").expect("the template above is valid")
}

fn counting() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed_precise} [{bar:24}] {pos}/{len} {wide_msg} {left} left")
        .expect("the template above is valid")
        .with_key("left", left)
        .progress_chars("=> ")
}

/// The time that is left, which is unknown before the first step is done.
fn left(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    // A bar with a few characters missing is no reason to stop.
    let _ = match state.pos() {
        0 => text.write_char('?'),
        _ => write!(text, "{:#}", HumanDuration(state.eta())),
    };
}
