//! Who gives memory: jemalloc, see ADR 38. Its settings are in `.cargo/config.toml`.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    /// A build that does not see the settings works, and holds on to what is free.
    #[test]
    fn the_settings_are_compiled_in() {
        let threads = fs::read_dir("/proc/self/task").expect("threads").flatten();
        let names: Vec<String> =
            threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok()).collect();
        assert!(names.iter().any(|name| name.trim() == "jemalloc_bg_thd"), "{names:?}");
    }
}
