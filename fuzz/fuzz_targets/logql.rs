//! Queries of Loki's language.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| search::fuzzing::logql(bytes));
