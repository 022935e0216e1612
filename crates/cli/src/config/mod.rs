//! The configuration: one TOML file, overridden by the environment, overridden by flags.
//!
//! Each crate owns the type of its section; here they are put together, read with errors that say
//! where, shown without secrets, and written down as reference.

mod environment;
mod keys;
mod load;
mod mask;
mod reference;
mod schema;
mod settings;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub(crate) use load::ConfigError;
pub(crate) use reference::{default_file, reference_page};
pub(crate) use settings::{Log, LogFormat, Settings};

/// Settings, and where they came from.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The effective settings.
    pub(crate) settings: Settings,
    /// The file that was read, if there was one.
    pub(crate) file: Option<PathBuf>,
}

impl Loaded {
    /// The folder that paths to rule files start at: that of the configuration, else the present one.
    pub(crate) fn base(&self) -> &Path {
        match self.file.as_deref().and_then(Path::parent) {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }
}

/// Reads the configuration: the file that is named, or the first of the usual places that is there.
pub(crate) fn read(named: Option<&Path>) -> Result<Loaded, ConfigError> {
    let file = load::find(named);
    let text = match &file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| ConfigError::one(format!("cannot read {}: {error}", path.display())))?,
        None => String::new(),
    };
    let source = file.as_deref().map(|path| load::Source { path, text: &text });
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let settings: Settings = load::load(source, environment)?;
    settings.check()?;
    Ok(Loaded { settings, file })
}

/// The configuration that is found where nobody has named one, when we may not read it.
pub(crate) fn hidden() -> Option<std::path::PathBuf> {
    let refused = |error: std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
    load::find(None).filter(|path| std::fs::File::open(path).is_err_and(refused))
}

/// The effective settings as TOML, secrets masked: what is kept for another time than others by itself is said, too.
pub(crate) fn shown(settings: &Settings) -> Result<toml::Table, toml::ser::Error> {
    let mut settings = settings.clone();
    settings.store.retention_overrides.tables = settings.store.tables_kept_otherwise();
    let mut table = toml::Table::try_from(settings)?;
    mask::mask(&mut table);
    Ok(table)
}

/// Every secret in the settings.
pub(crate) fn secrets(settings: &Settings) -> Result<Vec<String>, toml::ser::Error> {
    Ok(mask::secrets(&toml::Table::try_from(settings)?))
}
