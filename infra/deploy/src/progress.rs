//! What the operator sees while CloudFormation works: a bar on a terminal, plain lines in CI and in files.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Tells what happens on standard error, so that standard output holds results only.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
}

impl Progress {
    /// A bar when standard error is a terminal and `CI` is not set, plain lines otherwise.
    pub fn detect() -> Progress {
        let plain = std::env::var_os("CI").is_some_and(|value| !value.is_empty()) || !std::io::stderr().is_terminal();
        Progress { bar: (!plain).then(new_bar), lines: true }
    }

    /// Says which stage it is and no more, for a caller that has its own way to tell what happened.
    #[must_use]
    pub fn stages_only(mut self) -> Progress {
        self.lines = false;
        self
    }

    /// Prints one line, above the bar where there is one.
    pub fn line(&self, text: impl AsRef<str>) {
        match &self.bar {
            _ if !self.lines => {}
            Some(bar) => bar.suspend(|| eprintln!("{}", text.as_ref())),
            None => eprintln!("{}", text.as_ref()),
        }
    }

    /// Begins a stage of `steps` steps; 0 when their number is not known.
    pub fn begin(&self, stage: impl Into<String>, steps: u64) {
        let stage = stage.into();
        match &self.bar {
            Some(bar) => {
                bar.reset();
                bar.set_message(stage);
                bar.set_length(steps);
                bar.set_style(if steps == 0 { waiting() } else { counting() });
                bar.enable_steady_tick(Duration::from_millis(120));
            }
            None => eprintln!("{stage}"),
        }
    }

    /// Says how many steps of the stage are done.
    pub fn done(&self, steps: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(steps.min(bar.length().unwrap_or(steps)));
        }
    }

    /// Takes the bar away, so that what follows starts on a clean line.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.disable_steady_tick();
            bar.finish_and_clear();
        }
    }
}

fn new_bar() -> ProgressBar {
    ProgressBar::no_length().with_style(waiting())
}

fn waiting() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed_precise} {wide_msg}").expect("the template above is valid")
}

fn counting() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed_precise} [{bar:24}] {pos}/{len} {wide_msg}")
        .expect("the template above is valid")
        .progress_chars("=> ")
}
