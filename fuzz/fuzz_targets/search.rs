//! Searches of logs and traces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| search::fuzzing::search(bytes));
