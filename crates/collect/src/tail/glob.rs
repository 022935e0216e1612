//! The files that patterns name: `*` and `?` in any part of a path, `**` for any number of folders.

use std::path::{Path, PathBuf};

use crate::scrape::glob::matches;

/// The most entries of folders that are looked at for a pattern.
const MAX_ENTRIES: usize = 100_000;
/// The deepest folder below `**`.
const MAX_DEPTH: usize = 16;

/// What a pattern names.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files that are there, in order.
    pub(super) files: Vec<PathBuf>,
    /// What could not be looked through, and why; the first such.
    pub(super) trouble: Option<String>,
    entries: usize,
}

/// The files that an absolute pattern names. Names that are no UTF-8 are passed over.
pub(super) fn files(pattern: &str) -> Found {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let mut found = Found::default();
    walk(Path::new("/"), &parts, 0, &mut found);
    found.files.sort();
    found.files.dedup();
    found
}

/// Whether a pattern names a path.
pub(super) fn names(pattern: &str, path: &str) -> bool {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    fits(&parts, &path)
}

fn fits(parts: &[&str], path: &[&str]) -> bool {
    match (parts.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), Some((_, deeper))) => fits(rest, path) || fits(parts, deeper),
        (Some((part, rest)), Some((name, deeper))) => {
            matches(part.as_bytes(), name.as_bytes()) && fits(rest, deeper)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn walk(folder: &Path, parts: &[&str], depth: usize, found: &mut Found) {
    let Some((part, rest)) = parts.split_first() else { return };
    if !part.contains(['*', '?']) {
        let path = folder.join(part);
        if rest.is_empty() {
            if path.is_file() {
                found.files.push(path);
            }
        } else {
            walk(&path, rest, depth, found);
        }
        return;
    }
    let is_any_depth = *part == "**";
    if is_any_depth {
        walk(folder, rest, depth, found);
        if depth >= MAX_DEPTH {
            return;
        }
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != std::io::ErrorKind::NotFound {
                found.trouble.get_or_insert_with(|| format!("{}: {error}", folder.display()));
            }
            return;
        }
    };
    for entry in entries.flatten() {
        found.entries += 1;
        if found.entries > MAX_ENTRIES {
            found.trouble.get_or_insert_with(|| format!("more than {MAX_ENTRIES} files were looked through"));
            return;
        }
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_hidden = name.starts_with('.') && !part.starts_with('.');
        if is_hidden || !is_any_depth && !matches(part.as_bytes(), name.as_bytes()) {
            continue;
        }
        let path = entry.path();
        if is_any_depth {
            // Links to folders could lead round in circles.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                walk(&path, parts, depth + 1, found);
            }
        } else if rest.is_empty() {
            if path.is_file() {
                found.files.push(path);
            }
        } else if path.is_dir() {
            walk(&path, rest, depth, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_files_in_any_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["a/one.log", "a/b/two.log", "a/b/c/three.log", "a/four.txt", "a/.hidden.log"] {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), "").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let found = files(&format!("{}/{pattern}", root.display()));
            assert_eq!(found.trouble, None);
            let short = |path: &PathBuf| path.strip_prefix(root).unwrap().display().to_string();
            found.files.iter().map(short).collect()
        };
        assert_eq!(found("a/*.log"), ["a/one.log"]);
        assert_eq!(found("*/?/t*.log"), ["a/b/two.log"]);
        assert_eq!(found("**/*.log"), ["a/b/c/three.log", "a/b/two.log", "a/one.log"]);
        assert_eq!(found("a/four.txt"), ["a/four.txt"]);
        assert_eq!(found("none/*"), Vec::<String>::new());
        assert!(
            names("/a/**/x*.log", "/a/b/c/xy.log") && names("/a/**/x", "/a/x") && !names("/a/*", "/a/b/c")
        );
    }
}
