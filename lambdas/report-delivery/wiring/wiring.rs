//! The stack of report-delivery sets every variable that its functions read, and no others.

use stacks::report_delivery::SYSTEM;
use template_tests::wiring::Wiring;

#[test]
fn functions_read_exactly_what_the_stack_sets() {
    Wiring::of(&SYSTEM)
        .function("ReportApi", |variable| report_api::Settings::read(&variable).map(drop))
        .function("ReportPoller", |variable| report_poller::Settings::read(&variable).map(drop))
        .function("ReportSender", |variable| report_sender::Settings::read(&variable).map(drop))
        .assert_complete();
}
