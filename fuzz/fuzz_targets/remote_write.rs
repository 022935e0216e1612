//! Requests of Prometheus remote write.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| protocol::fuzzing::remote_write(bytes));
