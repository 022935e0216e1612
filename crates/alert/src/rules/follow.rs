//! Rule files that are read again when they change. What is new is taken as a whole, or not at all.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;

use super::{RuleSet, files};
use crate::RuleError;

/// Where rule files are: as [`RuleSet::load`] takes them.
#[derive(Clone, Debug)]
pub struct RuleFiles {
    /// Paths, folders, or paths whose last part has `*` or `?`.
    pub patterns: Vec<String>,
    /// Where those start that are not absolute.
    pub base: PathBuf,
}

/// Files that are followed, and what was seen of them last.
pub(crate) struct Followed {
    files: RuleFiles,
    seen: Option<u64>,
}

/// What a look at the files has shown.
pub(crate) enum Change {
    None,
    Rules(RuleSet),
    Broken(RuleError),
}

impl Followed {
    /// The first look tells what there is, whether it has changed or not.
    pub(crate) fn new(files: RuleFiles) -> Self {
        Self { files, seen: None }
    }

    /// Looks at the files. What was seen before, broken or not, is not told again. Blocks.
    pub(crate) fn look(&mut self) -> Change {
        let texts = self.texts();
        let mut digest = DefaultHasher::new();
        match &texts {
            Ok(texts) => texts.hash(&mut digest),
            Err(error) => error.to_string().hash(&mut digest),
        }
        if self.seen.replace(digest.finish()) == Some(digest.finish()) {
            return Change::None;
        }
        let read = texts.and_then(|texts| {
            let mut rules = RuleSet::default();
            for (file, text) in &texts {
                rules.extend(RuleSet::parse(file, text)?);
            }
            Ok(rules)
        });
        match read {
            Ok(rules) => Change::Rules(rules),
            Err(error) => Change::Broken(error),
        }
    }

    fn texts(&self) -> Result<Vec<(String, String)>, RuleError> {
        let found = files::find(&self.files.patterns, &self.files.base)?;
        found.into_iter().map(|path| Ok((path.display().to_string(), files::read(&path)?))).collect()
    }
}
