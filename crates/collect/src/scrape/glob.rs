//! Paths with `*` and `?` in their last part.

use std::io;
use std::path::{Path, PathBuf};

/// The most files that a pattern may name.
const MAX_FILES: usize = 1000;

/// The files that a pattern names, in order; a path without `*` and `?` names itself, whether it is there or not.
pub(super) fn files(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let name = pattern.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !name.contains(['*', '?']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let own = entry.file_name().to_string_lossy().into_owned();
        if !own.starts_with('.') && matches(name.as_bytes(), own.as_bytes()) && entry.path().is_file() {
            found.push(entry.path());
            if found.len() > MAX_FILES {
                return Err(io::Error::other(format!("more than {MAX_FILES} files fit the pattern")));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a name fits a pattern. Goes back to the last `*` alone, so it takes no longer than both lengths multiplied.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[from] => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_a_shell_matches_them() {
        let cases = [
            ("*.json", "a.json", true),
            ("*.json", "a.jsonx", false),
            ("a?c*", "abc", true),
            ("a?c*", "ac", false),
            ("*-targets-*.y*ml", "x-targets-1.yaml", true),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
