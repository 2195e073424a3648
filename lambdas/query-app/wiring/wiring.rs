//! The stack of query-app sets every variable that its functions read, and no others.

use stacks::query_app::SYSTEM;
use template_tests::wiring::Wiring;

#[test]
fn functions_read_exactly_what_the_stack_sets() {
    Wiring::of(&SYSTEM)
        .function("Finished", |variable| query_finished::Settings::read(&variable).map(drop))
        .function("PublishSite", |variable| query_site::Settings::read(&variable).map(drop))
        .function("Results", |variable| query_results::Settings::read(&variable).map(drop))
        .function("Setup", |variable| query_app_setup::Settings::read(&variable).map(drop))
        .function("SignUp", |variable| query_sign_up::Settings::read(&variable).map(drop))
        .function("Socket", |variable| query_socket::Settings::read(&variable).map(drop))
        .assert_complete();
}
