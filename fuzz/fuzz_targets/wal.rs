//! The write-ahead log, as a file and as what is in its records.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        // The library's hook ends the process at each panic; those of Arrow are caught where rows are read.
        // One that nobody catches ends it all the same.
        drop(std::panic::take_hook());
    },
    |bytes: &[u8]| engine::fuzzing::wal(bytes)
);
