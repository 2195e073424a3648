//! Findings that are accepted, and checks that are left out.

use cfn::{Acknowledgement, App, Check, Finding, Stack, Template};

use crate::Thing;

const LARGE: Check = Check { name: "large-things", run: too_large };

fn too_large(template: &Template) -> Vec<Finding> {
    template.resources.keys().map(|id| Finding::error(id, "is too large").help("make it smaller")).collect()
}

/// What is reported about two things on a day.
fn findings(today: Option<&str>, acknowledgements: impl IntoIterator<Item = Acknowledgement>) -> Vec<Finding> {
    let mut stack = Stack::new("s");
    stack.add("A", Thing::default());
    stack.add("B", Thing::default());
    for acknowledgement in acknowledgements {
        stack.acknowledge(acknowledgement);
    }
    let app = App::default().stack(stack).checks(&[LARGE]);
    today.into_iter().fold(app, |app, today| app.today(today)).synth().findings
}

fn messages(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}: {}", finding.subject, finding.message)).collect()
}

#[test]
fn a_finding_names_its_check() {
    let text = findings(None, [])[0].to_string();
    assert_eq!(text, "error: s: A: is too large\n  = help: make it smaller\n  = check: large-things");
}

#[test]
fn an_accepted_finding_is_not_reported() {
    let accepted = findings(None, [Acknowledgement::new("large-things", "A", "it has to be")]);
    assert_eq!(messages(&accepted), ["B: is too large"]);
}

#[test]
fn an_acknowledgement_holds_until_the_end_of_its_day() {
    let on = |today| findings(Some(today), [Acknowledgement::new("large-things", "A", "for now").until("2027-06-30")]);
    assert_eq!(messages(&on("2027-06-30")), ["B: is too large"]);
    let line = line!() - 2;
    let over = on("2027-07-01");
    assert_eq!(messages(&over), ["A: is too large", "B: is too large"]);
    let help = over[0].help.as_deref().unwrap();
    assert!(help.starts_with("it was acknowledged until 2027-06-30, at "), "{help}");
    assert!(help.contains(&format!("acknowledgements.rs:{line}")), "{help}");
}

#[test]
fn an_acknowledgement_that_accepts_nothing_is_a_warning() {
    let found = findings(None, [Acknowledgement::new("large-things", "C", "it has to be")]);
    assert_eq!(messages(&found)[2], "C: acknowledges large-things, which finds nothing here; remove it");
    assert!(!found[2].is_error());
}

#[test]
fn an_acknowledgement_needs_a_reason_and_a_real_date() {
    let wrong = |acknowledgement| messages(&findings(None, [acknowledgement]))[1].clone();
    let message = wrong(Acknowledgement::new("large-things", "A", " "));
    assert_eq!(message, "A: acknowledges large-things without a reason; give one");
    for date in ["soon", "2027-13-01", "2027-1-1", "2027-06-32", "27-06-30"] {
        let message = wrong(Acknowledgement::new("large-things", "A", "for now").until(date));
        assert_eq!(message, format!("A: acknowledges large-things until {date:?}; must be a date, as in 2027-06-30"));
    }
}

#[test]
fn what_cloudformation_would_refuse_cannot_be_accepted() {
    let mut stack = Stack::new("s");
    stack.add("A", Thing::default().name(cfn::intrinsic::sub("${Nowhere}")));
    stack.acknowledge(Acknowledgement::new("references", "A", "it works"));
    assert!(App::default().stack(stack).synth().has_errors());
}

#[test]
fn a_check_can_be_left_out() {
    let app = || {
        let mut stack = Stack::new("s");
        stack.add("A", Thing::default());
        App::default().stack(stack).checks(&[LARGE])
    };
    assert_eq!(messages(&app().synth().findings), ["A: is too large"]);
    assert!(app().without("large-things").synth().findings.is_empty());
    let findings = app().without("small-things").synth().findings;
    assert_eq!(findings[0].to_string(), "error: small-things: is not the name of a check; it cannot be left out");
}
