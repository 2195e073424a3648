//! The stack of qlik-reload sets every variable that its functions read, and no others.

use stacks::qlik_reload::SYSTEM;
use template_tests::wiring::Wiring;

#[test]
fn functions_read_exactly_what_the_stack_sets() {
    Wiring::of(&SYSTEM)
        .function("Reload", |variable| qlik_reload::Settings::read(&variable).map(drop))
        .assert_complete();
}
