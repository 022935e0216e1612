//! What rotation makes of a file: others beside it whose names are made from its own.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// Endings of what rotation has compressed: it was read before that.
const COMPRESSED: &[&str] = &[".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".Z"];
/// The least digits of a date in a name.
const DATE_DIGITS: usize = 6;
/// The most siblings of the files of a folder.
const MAX_SIBLINGS: usize = 10_000;

/// Whether a name is of a compressed file.
pub(super) fn is_compressed(name: &str) -> bool {
    COMPRESSED.iter().any(|ending| name.ends_with(ending))
}

/// Whether a rotated file of the name `own` may have the name `other`: `app.log.1`, `app.log-20261130`,
/// `app-20261130.log`, `app.2026-11-30.log`.
pub(super) fn is_rotated_name(own: &str, other: &str) -> bool {
    if is_compressed(other) || own == other {
        return false;
    }
    let goes_on = |rest: &str| rest.starts_with(['.', '-', '_']);
    let digits = |rest: &str| rest.bytes().filter(u8::is_ascii_digit).count();
    // `app.log.debug` is another log.
    let is_counted = |rest: &str| digits(rest) > 0 || [".old", ".bak", ".prev"].contains(&rest);
    if other.strip_prefix(own).is_some_and(|rest| goes_on(rest) && is_counted(rest)) {
        return true;
    }
    let Some((stem, ending)) = own.rsplit_once('.') else { return false };
    let middle = other.strip_prefix(stem).and_then(|rest| rest.strip_suffix(ending)?.strip_suffix('.'));
    // A date has so many; `app-2.log` may be that of another worker.
    middle.is_some_and(|middle| goes_on(middle) && digits(middle) >= DATE_DIGITS)
}

/// The names from which rotation may have made the name `other`, the shortest first.
fn bases(other: &str) -> Vec<String> {
    let ending = other.rsplit_once('.').map(|(_, ending)| ending);
    let made = other.match_indices(['.', '-', '_']).filter(|(cut, _)| *cut > 0).flat_map(|(cut, _)| {
        let begin = &other[..cut];
        [Some(begin.to_owned()), ending.map(|ending| format!("{begin}.{ending}"))]
    });
    let mut bases: Vec<String> = made.flatten().filter(|own| is_rotated_name(own, other)).collect();
    bases.sort_unstable_by_key(String::len);
    bases
}

/// The paths from which rotation may have made another.
pub(super) fn base_paths(other: &str) -> Vec<String> {
    let Some((folder, name)) = other.rsplit_once('/') else { return Vec::new() };
    bases(name).into_iter().map(|base| format!("{folder}/{base}")).collect()
}

/// The siblings of the file at a path that are there, the oldest first.
pub(super) fn of(path: &str) -> Vec<(PathBuf, Metadata)> {
    let path = Path::new(path);
    let (Some(folder), Some(own)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let siblings = entries.flatten().filter_map(|entry| {
        let name = entry.file_name();
        let is_one = name.to_str().is_some_and(|name| is_rotated_name(own, name));
        let metadata = if is_one { entry.metadata().ok()? } else { return None };
        metadata.is_file().then(|| (entry.path(), metadata))
    });
    let mut siblings: Vec<_> = siblings.collect();
    sort(&mut siblings, |(path, metadata)| (path, metadata));
    siblings
}

/// Brings files into the order in which they were written, and leaves out the oldest of too many.
pub(super) fn sort<T>(files: &mut Vec<T>, of: impl for<'a> Fn(&'a T) -> (&'a PathBuf, &'a Metadata)) {
    // Of two that were written at one moment the one with the higher number is older.
    files.sort_by_cached_key(|file| {
        let (path, metadata) = of(file);
        (metadata.modified().ok(), std::cmp::Reverse((path.as_os_str().len(), path.clone())))
    });
    files.drain(..files.len().saturating_sub(MAX_SIBLINGS));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files_are_told_from_others() {
        for name in ["app.log.1", "app.log-20261130", "app-20261130.log", "app.2026-11-30_08.log"] {
            assert!(is_rotated_name("app.log", name), "{name}");
        }
        for name in
            ["app.log", "app.log.2.gz", "app2.log", "app-2.log", "app.log.debug", "other.log", "app.logs"]
        {
            assert!(!is_rotated_name("app.log", name), "{name}");
        }
    }

    #[test]
    fn a_rotated_name_says_from_which_it_may_have_been_made() {
        for (name, expected) in [
            ("app.log.1", vec!["app.log"]),
            ("app.log-20261130", vec!["app.log"]),
            ("app-20261130.log", vec!["app.log"]),
            ("app.2026-11-30_08.log", vec!["app.log", "app.2026.log", "app.2026-11.log"]),
            ("app.log", vec![]),
            (".log.1", vec![".log"]),
            ("app.log.2.gz", vec![]),
        ] {
            let bases = bases(name);
            for own in &expected {
                assert!(bases.iter().any(|base| base == own) || own.len() > 7, "{name}: {bases:?}");
            }
            assert_eq!(bases.is_empty(), expected.is_empty(), "{name}: {bases:?}");
            assert!(bases.iter().all(|own| is_rotated_name(own, name)), "{name}: {bases:?}");
        }
    }
}
