//! The form of a configuration of Prometheus: what of it is read, and what is passed over because it is not about
//! scraping.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::config::ScrapeConfig;
use super::globals::Globals;

/// A whole configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileForm {
    pub(super) global: Option<Globals>,
    pub(super) scrape_configs: Option<Vec<Spanned<ScrapeConfig>>>,
    pub(super) scrape_config_files: Option<Vec<String>>,
    rule_files: Option<IgnoredAny>,
    alerting: Option<IgnoredAny>,
    remote_write: Option<IgnoredAny>,
    remote_read: Option<IgnoredAny>,
    storage: Option<IgnoredAny>,
    tracing: Option<IgnoredAny>,
    otlp: Option<IgnoredAny>,
    runtime: Option<IgnoredAny>,
}

/// What of a file that can be used is passed over, or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScrapeWarning {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is passed over, and what there is instead; or what is missing.
    pub text: String,
}

impl fmt::Display for ScrapeWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, text } = self;
        write!(f, "{file}:{line}:{column}: {text}")
    }
}

impl FileForm {
    /// What is to be said of the sections that are passed over; `text` is that of the file.
    pub(super) fn warnings(&self, file: &str, text: &str) -> Vec<ScrapeWarning> {
        let warning = |(section, instead): (&str, &str)| ScrapeWarning {
            file: file.to_owned(),
            line: line_of(section, text),
            column: 1,
            text: format!("`{section}` is not read here: {instead}"),
        };
        self.passed_over().map(warning).collect()
    }

    /// The sections that are there and are not about scraping, each with what there is instead.
    fn passed_over(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let sections = [
            (&self.rule_files, "rule_files", "rules are those of `[alerts] rules`, at its `interval`"),
            (
                &self.alerting,
                "alerting",
                "people are told over `[[channels.email]]` or `[[channels.webhook]]`",
            ),
            (&self.remote_write, "remote_write", "nothing is sent on; others may ask by remote read"),
            (&self.remote_read, "remote_read", "queries see what is stored here"),
            (&self.storage, "storage", "`[store]` has `retention` and `out_of_order_window`"),
            (&self.tracing, "tracing", "no traces are sent"),
            (&self.otlp, "otlp", "nothing is received by OTLP"),
            (&self.runtime, "runtime", "it is for the runtime of Go"),
        ];
        let is_there =
            |(said, section, instead): (&Option<IgnoredAny>, _, _)| said.map(|_| (section, instead));
        sections.into_iter().filter_map(is_there)
    }
}

/// The line that a section begins on; the first where the file is written in another style than a key a line.
fn line_of(section: &str, text: &str) -> u64 {
    let begins =
        |line: &str| line.strip_prefix(section).is_some_and(|rest| rest.trim_start().starts_with(':'));
    (1..).zip(text.lines()).find(|(_, line)| begins(line)).map_or(1, |(number, _)| number)
}
