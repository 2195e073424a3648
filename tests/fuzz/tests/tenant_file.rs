//! Tenant files.
#![no_main]

use fuzz::tenant_file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| tenant_file(text));
