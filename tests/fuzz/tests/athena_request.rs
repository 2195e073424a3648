//! Athena's requests.
#![no_main]

use fuzz::athena_request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| athena_request(bytes));
