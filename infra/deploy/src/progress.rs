//! What the operator sees while CloudFormation works: a bar on a terminal, plain lines in CI and in files.

use std::io::IsTerminal;
use std::time::Duration;

use ferrostack_command::{Verbosity, output};
use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

/// Tells what happens on standard error, so that standard output holds results only.
#[derive(Debug)]
pub struct Progress {
    bars: Option<(MultiProgress, ProgressBar)>,
    tells: Tells,
    /// Starts each line, unless it does anyway, where several things happen at the same time.
    name: String,
}

/// How much is told, from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tells {
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
        Progress { bars, tells: Tells::Details, name: String::new() }
    }

    /// Says nothing at all.
    pub fn silent() -> Progress {
        Progress { bars: None, tells: Tells::Nothing, name: String::new() }
    }

    /// As much as the options of the command ask for.
    #[must_use]
    pub fn at(mut self, verbosity: Verbosity) -> Progress {
        if verbosity.quiet {
            self.clear();
            self.bars = None;
            self.tells = Tells::Errors;
        } else if verbosity.verbose {
            self.tells = Tells::Everything;
        }
        self
    }

    /// For one of several things that happen at the same time: it has a bar of its own, and its lines begin with its name.
    pub fn part(&self, name: &str) -> Progress {
        let bars = self.bars.as_ref().map(|(bars, _)| (bars.clone(), bars.add(new_bar())));
        Progress { bars, tells: self.tells, name: name.to_owned() }
    }

    /// Leaves out the details, which of many things are too many to read.
    pub(crate) fn without_details(mut self) -> Progress {
        if self.tells == Tells::Details {
            self.tells = Tells::Lines;
        }
        self
    }

    /// Says which stage it is and no more, for a caller that has its own way to tell what happened.
    #[must_use]
    pub fn stages_only(mut self) -> Progress {
        self.tells = self.tells.min(Tells::Stages);
        self
    }

    /// Prints an error, above the bar if there is one.
    pub fn error(&self, error: impl std::fmt::Display) {
        self.print(Tells::Errors, &format!("error: {error}"));
    }

    /// Prints one line, above the bar where there is one.
    pub fn line(&self, text: impl AsRef<str>) {
        self.print(Tells::Lines, text.as_ref());
    }

    /// Prints one line about a step among many.
    pub(crate) fn detail(&self, text: impl AsRef<str>) {
        self.print(Tells::Details, text.as_ref());
    }

    /// Prints a result on standard output, above the bar where there is one.
    pub fn output(&self, text: impl AsRef<str>) {
        self.above(|| output::line(text.as_ref()));
    }

    fn print(&self, level: Tells, text: &str) {
        if self.tells < level {
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

    /// Begins a stage of `steps` steps; 0 when their number is not known.
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
            None if self.tells >= Tells::Stages => output::error_line(stage),
            None => {}
        }
    }

    /// Says how many steps of the stage are done.
    pub fn done(&self, steps: u64) {
        if let Some((_, bar)) = &self.bars {
            bar.set_position(steps.min(bar.length().unwrap_or(steps)));
        }
    }

    /// Takes the bar away, so that what follows starts on a clean line.
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

/// Nobody knows before the first step is done.
fn left(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    // A bar that is short of a few characters is no reason to end.
    let _ = match state.pos() {
        0 => text.write_char('?'),
        _ => write!(text, "{:#}", HumanDuration(state.eta())),
    };
}
