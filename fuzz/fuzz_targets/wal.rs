//! The write-ahead log, as a file and as what is in its records.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| engine::fuzzing::wal(bytes));
