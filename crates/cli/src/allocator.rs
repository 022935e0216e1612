//! How the system's allocator is to treat what is freed. Start reading at [`give_back_on`].

use std::io;
use std::thread;
use std::time::Duration;

/// How often what is free goes back.
const EVERY: Duration = Duration::from_secs(5);

/// Gives the pages that nobody uses back to the system every few seconds, on a thread of its own, as long as the
/// process lives. glibc keeps what is freed where it lies, between what is not, and takes it for the next piece that
/// fits; what a request, a file or a query took for a moment stays in memory: a seventh of it under ingest
/// (bench/NOTES.md).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn give_back_on() -> io::Result<()> {
    let give_back = || loop {
        thread::sleep(EVERY);
        trim();
    };
    thread::Builder::new().name("allocator".to_owned()).spawn(give_back).map(|_| ())
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the standard library has no way to the allocator")]
fn trim() {
    // SAFETY: it takes the allocator's own locks, and may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators are left alone.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back_on() -> io::Result<()> {
    Ok(())
}
