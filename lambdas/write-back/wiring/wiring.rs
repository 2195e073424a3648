//! The stack of write-back sets every variable that its functions read, and no others.

use stacks::write_back::SYSTEM;
use template_tests::wiring::Wiring;

#[test]
fn functions_read_exactly_what_the_stack_sets() {
    Wiring::of(&SYSTEM)
        .function("QuoteApi", |variable| write_back_api::Settings::read(&variable).map(drop))
        .function("Rotate", |variable| write_back_rotate::Settings::read(&variable).map(drop))
        .function("Setup", |variable| write_back_setup::Settings::read(&variable).map(drop))
        .function("Sign", |variable| write_back_sign::Settings::read(&variable).map(drop))
        .assert_complete();
}
