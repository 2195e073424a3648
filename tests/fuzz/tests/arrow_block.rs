//! Blocks of rows.
#![no_main]

use fuzz::arrow_block;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| arrow_block(bytes));
