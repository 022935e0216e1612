//! Export requests of OpenTelemetry.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| protocol::fuzzing::otlp(bytes));
