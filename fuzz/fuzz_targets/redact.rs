//! Texts that are redacted.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::redact(bytes));
