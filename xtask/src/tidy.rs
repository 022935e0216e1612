//! Every module says what it is for, no file has a name that says nothing, and ARCHITECTURE.md
//! knows each crate.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Names of files and folders that say nothing about what they hold.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "stuff"];

/// Words that mark something as not finished. Written in two halves, so that this file is not found.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];

/// Every place that breaks a rule.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "tests", "examples", "rules", "bench", "fuzz", "sdk"] {
        walk(&root.join(folder), &mut files)?;
    }
    for file in &files {
        let shown = file.strip_prefix(root).unwrap_or(file);
        faults.extend(name_fault(shown));
        if file.extension().is_some_and(|ending| ending == "rs") {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            faults.extend(text_faults(shown, &text));
        }
    }
    let architecture =
        std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("reading ARCHITECTURE.md")?;
    for entry in std::fs::read_dir(root.join("crates")).context("listing crates")? {
        let name = entry.context("listing crates")?.file_name().to_string_lossy().into_owned();
        if !architecture.contains(&format!("`{name}`")) && !architecture.contains(&format!("`crates/{name}`"))
        {
            faults.push(format!("ARCHITECTURE.md does not say what `{name}` is"));
        }
    }
    faults.sort();
    Ok(faults)
}

/// All files below `folder`, which need not exist.
fn walk(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.with_context(|| format!("listing {}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || ["target", "node_modules", "dist", "__pycache__"].contains(&name.as_str())
        {
            continue;
        }
        if path.is_dir() {
            walk(&path, into)?;
        } else {
            into.push(path);
        }
    }
    Ok(())
}

fn name_fault(path: &Path) -> Option<String> {
    let empty = path.components().find(|part| {
        let part = part.as_os_str().to_string_lossy();
        let stem = part.split('.').next().unwrap_or_default().to_lowercase();
        EMPTY_NAMES.contains(&stem.as_str())
    })?;
    Some(format!(
        "{}: `{}` says nothing about what it holds",
        path.display(),
        empty.as_os_str().to_string_lossy()
    ))
}

fn text_faults(path: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    // A file of tests says what it tests by its place and by the names of its tests.
    let is_tests =
        path.components().any(|part| ["tests", "tests.rs"].iter().any(|name| part.as_os_str() == *name));
    let opening = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    if !is_tests && !opening.is_some_and(|line| line.starts_with("//! ") && line.len() > 8) {
        faults.push(format!("{}: opens without `//!`: what is it for?", path.display()));
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
            faults.push(format!("{}:{}: `{word}` marks something unfinished", path.display(), number + 1));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_a_word_is_found() {
        let path = Path::new("crates/a/src/lib.rs");
        assert_eq!(text_faults(path, "fn a() {}\n").len(), 1);
        assert_eq!(text_faults(path, "//! What this is for.\nfn a() {}\n"), Vec::<String>::new());
        let unfinished = format!("//! What this is for.\n// {} later\n", UNFINISHED[0]);
        assert_eq!(text_faults(path, &unfinished).len(), 1);
    }

    #[test]
    fn an_empty_name_is_found() {
        assert!(name_fault(Path::new("crates/a/src/utils.rs")).is_some());
        assert!(name_fault(Path::new("crates/common/src/lib.rs")).is_some());
        assert!(name_fault(Path::new("crates/a/src/commons.rs")).is_none());
    }
}
