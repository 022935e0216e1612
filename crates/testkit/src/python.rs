//! The Python interpreter that has the packages of the tests.

use std::path::PathBuf;

/// `WATCHKEEPER_TEST_PYTHON`, else the virtual environment that `make test` prepares.
pub fn python() -> PathBuf {
    std::env::var_os("WATCHKEEPER_TEST_PYTHON").map_or_else(
        || {
            let cache = std::env::var_os("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
                .unwrap_or_default();
            cache.join("watchkeeper/venv/bin/python")
        },
        PathBuf::from,
    )
}
