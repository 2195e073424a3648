//! Findings that the author of a stack accepts.

use std::panic::Location;

use crate::Finding;

/// A finding that is accepted, with the reason. Only findings of checks that were passed to [`crate::App::checks`] can be: what
/// CloudFormation itself would refuse stays an error.
///
/// ```
/// use cfn::{Acknowledgement, Stack};
///
/// let mut stack = Stack::new("tools");
/// stack.acknowledge(Acknowledgement::new("wildcard-grants", "AuditRole", "reads every log group by design").until("2027-06-30"));
/// ```
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    check: String,
    subject: String,
    reason: String,
    until: Option<String>,
    location: &'static Location<'static>,
}

impl Acknowledgement {
    /// Accepts what `check` finds about `subject`, which is a logical ID or the empty string for the whole stack.
    #[track_caller]
    pub fn new(check: &str, subject: &str, reason: &str) -> Self {
        Self {
            check: check.to_owned(),
            subject: subject.to_owned(),
            reason: reason.to_owned(),
            until: None,
            location: Location::caller(),
        }
    }

    /// The last day on which it holds, as in `2027-06-30`. Afterwards the finding is reported again; [`crate::App::today`] says what day it
    /// is. The template never depends on it.
    #[must_use]
    pub fn until(mut self, date: &str) -> Self {
        self.until = Some(date.to_owned());
        self
    }

    fn finding(&self, message: String) -> Finding {
        Finding::error(self.subject.clone(), message).at(self.location)
    }

    /// What is wrong with it, whatever it accepts.
    fn mistake(&self) -> Option<Finding> {
        if self.reason.trim().is_empty() {
            return Some(self.finding(format!("acknowledges {} without a reason; give one", self.check)));
        }
        let date = self.until.as_ref().filter(|date| !is_date(date))?;
        Some(self.finding(format!("acknowledges {} until {date:?}; must be a date, as in 2027-06-30", self.check)))
    }

    fn accepts(&self, finding: &Finding) -> bool {
        finding.check.is_some_and(|check| check == self.check) && finding.subject == self.subject
    }

    /// Whether its last day is over. ISO dates have the order of texts.
    fn is_over(&self, today: Option<&str>) -> bool {
        self.until.as_deref().zip(today).is_some_and(|(until, today)| until < today)
    }
}

/// Removes the findings that are acknowledged, and reports acknowledgements that are wrong, over or accept nothing.
pub(crate) fn apply(
    acknowledgements: &[Acknowledgement],
    mut findings: Vec<Finding>,
    today: Option<&str>,
) -> Vec<Finding> {
    for acknowledgement in acknowledgements {
        let until = acknowledgement.until.as_deref().unwrap_or_default();
        let mut accepted = false;
        findings.retain_mut(|finding| {
            if !acknowledgement.accepts(finding) {
                return true;
            }
            accepted = true;
            if acknowledgement.is_over(today) {
                finding.help = Some(format!("it was acknowledged until {until}, at {}", acknowledgement.location));
                return true;
            }
            false
        });
        if let Some(mistake) = acknowledgement.mistake() {
            findings.push(mistake);
        } else if !accepted {
            let message = format!("acknowledges {}, which finds nothing here; remove it", acknowledgement.check);
            findings.push(Finding { severity: crate::Severity::Warning, ..acknowledgement.finding(message) });
        }
    }
    findings
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, digits: usize| text.parse::<u32>().ok().filter(|_| text.len() == digits);
    number(year, 4).is_some()
        && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
        && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
}
