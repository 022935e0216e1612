//! Queries.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| promql::fuzzing::query(bytes));
