//! Messages of syslog, alone and in a stream.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| protocol::fuzzing::syslog(bytes));
