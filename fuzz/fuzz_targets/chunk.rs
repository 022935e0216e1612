//! Packed columns of chunks, and numbers that are packed and unpacked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| engine::fuzzing::chunk(bytes));
