//! Finding rule files: paths, folders, and patterns in the last part of a path.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::RuleError;

/// The largest file that is read; rule files have some kilobytes.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// The text of a rule file.
pub(super) fn read(path: &Path) -> Result<String, RuleError> {
    let failed = |source| RuleError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(RuleError::TooLarge { path: path.to_owned(), limit: MAX_FILE_BYTES });
    }
    Ok(text)
}

/// The files that the patterns name, each once, in order.
pub(crate) fn find(patterns: &[String], base: &Path) -> Result<Vec<PathBuf>, RuleError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let path = base.join(pattern);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut paths = if path.is_dir() {
            in_folder(&path, |name| name.ends_with(".yml") || name.ends_with(".yaml"))?
        } else if name.contains(['*', '?']) {
            in_folder(path.parent().unwrap_or(base), |file| matches(&name, file))?
        } else if path.is_file() {
            vec![path]
        } else {
            Vec::new()
        };
        if paths.is_empty() {
            return Err(RuleError::NoFile { pattern: pattern.clone() });
        }
        paths.sort();
        paths.retain(|path| !found.contains(path));
        found.extend(paths);
    }
    Ok(found)
}

fn in_folder(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, RuleError> {
    let fail = |source| RuleError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && wanted(&entry.file_name().to_string_lossy()) && entry.path().is_file() {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

/// Whether a name fits a pattern of `*` (any run of characters) and `?` (any one).
fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => name.char_indices().any(|(at, _)| matches(rest, &name[at..])) || matches(rest, ""),
        _ => name
            .chars()
            .next()
            .is_some_and(|c| (first == '?' || first == c) && matches(rest, &name[c.len_utf8()..])),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_a_shell_matches_them() {
        let cases = [
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("*", "", true),
            ("a?c*", "abc", true),
            ("a?c*", "ac", false),
            ("*-rules-*.y*ml", "x-rules-1.yaml", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
