//! What exporters show, in all formats.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| protocol::fuzzing::exposition(bytes));
