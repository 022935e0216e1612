//! From a file and the environment to typed settings, with errors that say where.
//!
//! Knows no setting by name: it works on whatever type it is given, along that type's JSON schema.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::{environment, keys, schema};

/// What is wrong with a configuration: all of it that can be found at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// One line for each fault: `file:line: what, and what to do`.
    pub faults: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.faults.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    pub(crate) fn one(fault: impl Into<String>) -> Self {
        Self { faults: vec![fault.into()] }
    }
}

/// A file that was read.
pub(crate) struct Source<'a> {
    /// Its name, for messages and for `*_file` keys beside it.
    pub path: &'a Path,
    /// What it holds.
    pub text: &'a str,
}

impl Source<'_> {
    fn fault(&self, offset: usize, what: impl fmt::Display) -> String {
        let line = self.text[..offset.min(self.text.len())].matches('\n').count() + 1;
        format!("{}:{line}: {what}", self.path.display())
    }

    fn toml_fault(&self, error: &toml::de::Error) -> ConfigError {
        let what = error.message().trim();
        ConfigError::one(match error.span() {
            Some(Range { start, .. }) => self.fault(start, what),
            None => format!("{}: {what}", self.path.display()),
        })
    }
}

/// Settings of type `T`: the defaults, overridden by the file, overridden by the environment.
pub(crate) fn load<T>(
    file: Option<Source<'_>>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Serialize + JsonSchema + Default,
{
    let root = schema_of::<T>();
    let mut table = toml::Table::new();
    if let Some(source) = file {
        let mut document = DeTable::parse(source.text).map_err(|error| source.toml_fault(&error))?;
        resolve_secret_files(&root, &root, document.get_mut(), &source)?;
        let unknown = keys::unknown(&root, document.get_ref());
        if !unknown.is_empty() {
            return Err(unknown_keys(&source, unknown));
        }
        check_types::<T>(&document, &source)?;
        table = <toml::Table as serde::Deserialize>::deserialize(Deserializer::from(document))
            .map_err(|error| source.toml_fault(&error))?;
    }
    environment::apply::<T>(&root, &mut table, environment)
}

fn check_types<T: DeserializeOwned>(
    document: &Spanned<DeTable<'_>>,
    source: &Source<'_>,
) -> Result<(), ConfigError> {
    let reads = |document: Spanned<DeTable<'_>>| T::deserialize(Deserializer::from(document));
    let Err(error) = reads(document.clone()) else { return Ok(()) };
    // Where a section is made of parts, the error only says which section. The key without which all
    // is well is the culprit then; of the two places the later one is the more exact.
    let mut places = Vec::new();
    leaves(document.get_ref(), &mut Vec::new(), &mut places);
    let culprit = places.into_iter().find(|(path, _)| {
        let mut without = document.clone();
        remove(without.get_mut(), path);
        reads(without).is_ok()
    });
    Err(match culprit {
        Some((path, offset)) if error.span().is_none_or(|span| span.start < offset) => ConfigError::one(
            source.fault(offset, format!("`{}`: {}", path.join("."), error.message().trim())),
        ),
        _ => source.toml_fault(&error),
    })
}

fn leaves(table: &DeTable<'_>, path: &mut Vec<String>, into: &mut Vec<(Vec<String>, usize)>) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => leaves(inner, path, into),
            _ => into.push((path.clone(), key.span().start)),
        }
        path.pop();
    }
}

fn remove(table: &mut DeTable<'_>, path: &[String]) {
    let Some((first, rest)) = path.split_first() else { return };
    let key = Spanned::new(0..0, first.clone().into());
    if rest.is_empty() {
        table.remove(&key);
    } else if let Some(DeValue::Table(inner)) = table.get_mut(&key).map(Spanned::get_mut) {
        remove(inner, rest);
    }
}

/// The JSON schema of `T`.
pub(crate) fn schema_of<T: JsonSchema>() -> Json {
    Json::from(schemars::schema_for!(T))
}

fn unknown_keys(source: &Source<'_>, mut unknown: Vec<keys::UnknownKey>) -> ConfigError {
    unknown.sort_by_key(|key| key.offset);
    let faults = unknown.into_iter().map(|key| {
        let hint = match key.nearest {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None => "; `watchkeeper config default` lists all keys".to_owned(),
        };
        source.fault(key.offset, format!("unknown key `{}`{hint}", key.path))
    });
    ConfigError { faults: faults.collect() }
}

/// Replaces each `x_file = "path"` by `x = "what the file holds"`, where `x` is a known text and
/// `x_file` is not a key of its own.
fn resolve_secret_files(
    root: &Json,
    node: &Json,
    table: &mut DeTable<'_>,
    source: &Source<'_>,
) -> Result<(), ConfigError> {
    let shape = schema::Shape::of(root, node);
    let mut secrets = Vec::new();
    for (key, value) in table.iter_mut() {
        let name: &str = key.get_ref();
        match (shape.child(name), value.get_mut()) {
            (schema::Child::Known(child), DeValue::Table(inner)) => {
                resolve_secret_files(root, child, inner, source)?;
            }
            (schema::Child::Known(child), DeValue::Array(items)) => {
                let Some(item_schema) = schema::Shape::of(root, child).items() else { continue };
                for item in items.iter_mut() {
                    if let DeValue::Table(inner) = item.get_mut() {
                        resolve_secret_files(root, item_schema, inner, source)?;
                    }
                }
            }
            (schema::Child::Unknown, DeValue::String(path)) => {
                if let Some(base) = secret_base(&shape, root, name) {
                    let secret = read_secret(Path::new(path.as_ref()))
                        .map_err(|what| ConfigError::one(source.fault(value.span().start, what)))?;
                    secrets.push((key.clone(), base, value.span(), secret));
                }
            }
            _ => {}
        }
    }
    for (key, base, span, secret) in secrets {
        table.remove(&key);
        let base_key = Spanned::new(key.span(), base.clone().into());
        if table.contains_key(&base_key) {
            let what = format!("`{base}` and `{base}_file` are both set; keep one");
            return Err(ConfigError::one(source.fault(span.start, what)));
        }
        table.insert(base_key, Spanned::new(span, DeValue::String(secret.into())));
    }
    Ok(())
}

fn secret_base(shape: &schema::Shape<'_>, root: &Json, name: &str) -> Option<String> {
    let base = name.strip_suffix("_file")?;
    match shape.child(base) {
        schema::Child::Known(child) if schema::Shape::of(root, child).takes_text() => Some(base.to_owned()),
        _ => None,
    }
}

/// The largest file that can be a secret.
const MAX_SECRET_BYTES: usize = 64 << 10;

fn read_secret(path: &Path) -> Result<String, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if text.len() > MAX_SECRET_BYTES {
        return Err(format!("{} is too large to be a secret", path.display()));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Where the configuration is looked for when none is named.
pub(crate) const USUAL_PLACES: [&str; 2] = ["watchkeeper.toml", "/etc/watchkeeper/watchkeeper.toml"];

/// The file to read: the one named, or the first of the usual places that is there.
pub(crate) fn find(named: Option<&Path>) -> Option<PathBuf> {
    match named {
        Some(path) => Some(path.to_owned()),
        None => USUAL_PLACES.iter().map(PathBuf::from).find(|path| path.exists()),
    }
}
