//! Configuration files of Prometheus, and the files that they name: their jobs as they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_saphyr::Spanned;

use super::config::ScrapeConfig;
use super::environment::expand;
use super::error::ScrapeSetupError;
use super::form::{FileForm, ScrapeWarning};
use super::glob;
use super::globals::Globals;
use super::job::{Job, Surroundings};

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// What files say.
#[derive(Debug, Default)]
pub(super) struct FromFiles {
    pub(super) jobs: Vec<Job>,
    pub(super) external_labels: BTreeMap<String, String>,
    /// What of the files is passed over, or missing.
    pub(super) warnings: Vec<ScrapeWarning>,
}

/// A file that was read.
struct File {
    path: PathBuf,
    text: String,
}

/// Where a file's error is.
pub(super) fn fault(file: &str, error: &serde_saphyr::Error) -> ScrapeSetupError {
    let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
    let text = error.without_snippet().to_string();
    let reason = reason_of(text.lines().next().unwrap_or_default());
    ScrapeSetupError::File { file: file.to_owned(), line, column, reason }
}

/// The parser's message; of keys that are not known, those that look for targets are told apart.
fn reason_of(text: &str) -> String {
    let unknown = text.split("unknown field `").nth(1).and_then(|rest| rest.split('`').next());
    match unknown {
        Some(key) if key.ends_with("_sd_configs") => format!(
            "`{key}` is not supported: let a program write what it finds into a file, and name that in file_sd_configs \
             (or let it answer http_sd_configs)"
        ),
        Some(key) => format!("unknown key `{key}`"),
        // The place stands before it already.
        None => text.rsplit_once(" at line ").map_or(text, |(text, _)| text).to_owned(),
    }
}

/// All files that patterns name, and those that these name.
pub(super) fn digest(patterns: &[PathBuf], material: &[PathBuf]) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    let files = patterns.iter().flat_map(|pattern| glob::files(pattern).unwrap_or_default());
    for path in files.chain(material.iter().cloned()) {
        hasher.update(path.to_string_lossy().as_bytes());
        // One that cannot be read is told when it is loaded.
        hasher.update(&std::fs::read(&path).unwrap_or_default());
    }
    hasher.digest()
}

/// Reads and checks the files that `patterns` name. Adds to `watched` the patterns that they depend on.
pub(super) fn load(
    patterns: &[PathBuf],
    around: Surroundings<'_>,
    watched: &mut Vec<PathBuf>,
) -> Result<FromFiles, ScrapeSetupError> {
    let mut loaded = FromFiles::default();
    for pattern in patterns {
        watched.push(pattern.clone());
        let files = read(pattern)?;
        if files.is_empty() {
            let source = std::io::Error::new(std::io::ErrorKind::NotFound, "no file fits it");
            return Err(ScrapeSetupError::Read { path: pattern.clone(), source });
        }
        for file in files {
            loaded.take(&file, around, watched)?;
        }
    }
    Ok(loaded)
}

fn read(pattern: &Path) -> Result<Vec<File>, ScrapeSetupError> {
    let fail = |path: &Path, source| ScrapeSetupError::Read { path: path.to_owned(), source };
    let mut files = Vec::new();
    for path in glob::files(pattern).map_err(|error| fail(pattern, error))? {
        let size = std::fs::metadata(&path).map_err(|error| fail(&path, error))?.len();
        if size > MAX_BYTES {
            return Err(fail(&path, std::io::Error::other("it has more than 16 MiB")));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| fail(&path, error))?;
        files.push(File { path, text });
    }
    Ok(files)
}

impl FromFiles {
    fn take(
        &mut self,
        file: &File,
        around: Surroundings<'_>,
        watched: &mut Vec<PathBuf>,
    ) -> Result<(), ScrapeSetupError> {
        let form = self.form(file)?;
        let base = file.path.parent().unwrap_or(Path::new("")).to_owned();
        let mut globals = form.global.unwrap_or_default();
        globals.base.clone_from(&base);
        for (name, value) in std::mem::take(&mut globals.external_labels) {
            self.label(file, name, &value);
        }
        let around = Surroundings { base: &base, ..around };
        self.add(file, form.scrape_configs.unwrap_or_default(), &globals, around)?;
        for pattern in form.scrape_config_files.unwrap_or_default() {
            let pattern = base.join(pattern);
            for file in read(&pattern)? {
                let base = file.path.parent().unwrap_or(Path::new("")).to_owned();
                let form = self.form(&file)?;
                if form.global.is_some() || form.scrape_config_files.is_some() {
                    let reason = "a file of `scrape_config_files` has `scrape_configs` alone".to_owned();
                    let file = file.path.display().to_string();
                    return Err(ScrapeSetupError::File { file, line: 1, column: 1, reason });
                }
                let around = Surroundings { base: &base, ..around };
                self.add(&file, form.scrape_configs.unwrap_or_default(), &globals, around)?;
            }
            watched.push(pattern);
        }
        Ok(())
    }

    /// Takes an external label. Of a variable that there is not nothing stands in it, as in Prometheus, which is noted.
    fn label(&mut self, file: &File, name: String, value: &Spanned<String>) {
        let (expanded, missing) = expand(&value.value, |variable| std::env::var(variable).ok());
        self.warnings.extend(missing.into_iter().map(|variable| ScrapeWarning {
            file: file.path.display().to_string(),
            line: value.referenced.line(),
            column: value.referenced.column(),
            text: format!(
                "the external label `{name}`: the environment has no variable `{variable}`, or an empty one"
            ),
        }));
        self.external_labels.insert(name, expanded);
    }

    /// What a file says. What of it is passed over is noted.
    fn form(&mut self, file: &File) -> Result<FileForm, ScrapeSetupError> {
        let name = file.path.display().to_string();
        let form: FileForm = serde_saphyr::from_str(&file.text).map_err(|error| fault(&name, &error))?;
        self.warnings.extend(form.warnings(&name, &file.text));
        Ok(form)
    }

    fn add(
        &mut self,
        file: &File,
        configs: Vec<Spanned<ScrapeConfig>>,
        globals: &Globals,
        around: Surroundings<'_>,
    ) -> Result<(), ScrapeSetupError> {
        for config in configs {
            let Spanned { value: config, referenced: place, .. } = config;
            let fail = |reason: String| ScrapeSetupError::File {
                file: file.path.display().to_string(),
                line: place.line(),
                column: place.column(),
                reason: format!("the job `{}`: {reason}", config.job_name),
            };
            let ours = [
                ("every", config.every.is_some()),
                ("timeout", config.timeout.is_some()),
                ("targets", !config.targets.is_empty()),
                ("labels", !config.labels.is_empty()),
            ];
            if let Some((key, _)) = ours.into_iter().find(|(_, is_set)| *is_set) {
                return Err(fail(format!("unknown key `{key}`: it is for [[scrape]] alone")));
            }
            let job = Job::new(&config, globals, &around).map_err(fail)?;
            if self.jobs.iter().any(|other| other.name == job.name) {
                return Err(fail("there are two of this name: give each its own".to_owned()));
            }
            self.jobs.push(job);
        }
        Ok(())
    }
}
