//! The stack of slack-connector sets every variable that its functions read, and no others.

use stacks::slack_connector::SYSTEM;
use template_tests::wiring::Wiring;

#[test]
fn functions_read_exactly_what_the_stack_sets() {
    Wiring::of(&SYSTEM)
        .function("Connector", |variable| slack_connector::Settings::read(&variable).map(drop))
        .function("Install", |variable| slack_oauth::Settings::read(&variable).map(drop))
        .assert_complete();
}
