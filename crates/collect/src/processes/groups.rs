//! Groups of processes, chosen by a pattern on the command line.

use regex::RegexSet;

use super::GroupConfig;

/// The group that Watchkeeper itself is in, whatever the configuration says.
pub(crate) const OWN_GROUP: &str = "watchkeeper";

/// A pattern that is none.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// Two groups have the same name, or one has none.
    #[error("[[processes.groups]]: `{0}` cannot be a name: each group needs one of its own")]
    Name(String),
    /// A pattern is no regular expression.
    #[error("[[processes.groups]]: a pattern is not a regular expression")]
    Pattern(#[source] regex::Error),
}

/// A group, by its place in [`Groups::names`].
pub(crate) type GroupIndex = usize;

/// The groups and their patterns.
pub(crate) struct Groups {
    names: Vec<String>,
    patterns: RegexSet,
}

impl Groups {
    pub(crate) fn new(configs: &[GroupConfig]) -> Result<Self, PatternError> {
        let mut names: Vec<String> = Vec::with_capacity(configs.len() + 1);
        for config in configs {
            if config.name.is_empty() || config.name == OWN_GROUP || names.contains(&config.name) {
                return Err(PatternError::Name(config.name.clone()));
            }
            names.push(config.name.clone());
        }
        names.push(OWN_GROUP.to_owned());
        let patterns = RegexSet::new(configs.iter().map(|config| config.pattern.as_str()))
            .map_err(PatternError::Pattern)?;
        Ok(Self { names, patterns })
    }

    /// All names; the last is [`OWN_GROUP`].
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The group of Watchkeeper itself.
    pub(crate) fn own(&self) -> GroupIndex {
        self.names.len() - 1
    }

    /// The first group, in the order of the configuration, whose pattern matches.
    pub(crate) fn of(&self, command: &str) -> Option<GroupIndex> {
        self.patterns.matches(command).iter().next()
    }
}

/// What is watched when nothing is configured.
pub(super) fn default_groups() -> Vec<GroupConfig> {
    let group =
        |name: &str, pattern: &str| GroupConfig { name: name.to_owned(), pattern: pattern.to_owned() };
    vec![
        // The program itself, not any command line with the word in it; and servers that rewrite theirs.
        group("python", r"^\S*(python|pypy)[0-9.]*(\s|$)|^(\[?celeryd|\S*gunicorn|\S*uvicorn)\b"),
        group("ollama", r"^\S*(ollama|llama-server)(\s|$)"),
        group("redis", r"^\S*redis-server(\s|$)"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_groups_match_programs_and_not_mentions_of_them() {
        let groups = Groups::new(&default_groups()).unwrap();
        let cases = [
            ("/usr/bin/python3.11 worker.py", Some("python")),
            ("python -m app", Some("python")),
            ("/usr/bin/python3 /usr/local/bin/celery worker", Some("python")),
            ("gunicorn: worker [app]", Some("python")),
            ("vim python.md", None),
            ("bash -c python worker.py", None),
            ("/usr/bin/ollama serve", Some("ollama")),
            ("redis-server 127.0.0.1:6379", Some("redis")),
        ];
        for (command, group) in cases {
            let found = groups.of(command).map(|index| groups.names()[index].as_str());
            assert_eq!(found, group, "{command}");
        }
    }

    #[test]
    fn a_group_that_cannot_be_is_refused() {
        let group = |name: &str, pattern: &str| GroupConfig { name: name.into(), pattern: pattern.into() };
        assert!(matches!(Groups::new(&[group("a", "(")]), Err(PatternError::Pattern(_))));
        assert!(matches!(Groups::new(&[group("a", "x"), group("a", "y")]), Err(PatternError::Name(_))));
        assert!(matches!(Groups::new(&[group("watchkeeper", "x")]), Err(PatternError::Name(_))));
    }
}
