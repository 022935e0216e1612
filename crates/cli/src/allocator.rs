//! How the system's allocator is to treat large pieces. Start reading at [`settle`].

/// Pieces of so many bytes and more come from the system one by one and go back to it when they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_MAP_BYTES: i32 = 128 * 1024;
/// So much may lie free at the end of a thread's memory before it goes back: what a request takes for a moment is
/// there for the next one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: i32 = 8 << 20;

/// Keeps the thresholds of glibc where they begin. By itself it takes the first large piece that is freed for a sign
/// that there will be many, and from then on keeps pieces of up to 32 MiB among the small ones, where what is freed
/// stays: a quarter of the memory under ingest (bench/NOTES.md).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the standard library has no way to the settings of the allocator")]
pub(crate) fn settle() {
    // SAFETY: both calls change a number within glibc, under its own lock, at any time and from any thread.
    // A setting that it does not take is left as it was.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAP_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn settle() {}
