//! `WATCHKEEPER_SECTION__KEY`: settings from the environment.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::load::ConfigError;
use super::{keys, schema};

const PREFIX: &str = "WATCHKEEPER_";

/// The variables that name settings: those with the prefix and a double underscore.
fn is_setting(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains("__"))
}

/// Sets what the environment sets in `table`, and reads the whole as `T`. A variable that does not
/// fit is named in the error.
pub(super) fn apply<T>(
    root: &Json,
    table: &mut toml::Table,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Serialize + JsonSchema + Default,
{
    let mut variables: Vec<(String, String)> =
        environment.into_iter().filter(|(name, _)| is_setting(name)).collect();
    variables.sort();
    for (name, text) in variables {
        let path: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
        set(root, table, &path, &text).map_err(|what| ConfigError::one(format!("{name}: {what}")))?;
        read::<T>(table).map_err(|what| ConfigError::one(format!("{name}: {what}")))?;
    }
    read(table).map_err(ConfigError::one)
}

fn read<T: DeserializeOwned>(table: &toml::Table) -> Result<T, String> {
    table.clone().try_into().map_err(|error: toml::de::Error| error.message().trim().to_owned())
}

/// Sets one key. On the way, tables are made where there are none, and a number is an index.
fn set(root: &Json, table: &mut toml::Table, path: &[String], text: &str) -> Result<(), String> {
    let (last, parents) = path.split_last().ok_or("names no key")?;
    let mut node = root;
    let mut at = table;
    let mut steps = parents.iter().peekable();
    while let Some(step) = steps.next() {
        node = known(root, node, step)?;
        let entry = at.entry(step.clone()).or_insert_with(|| match schema::Shape::of(root, node).items() {
            Some(_) => toml::Value::Array(Vec::new()),
            None => toml::Value::Table(toml::Table::new()),
        });
        at = match entry {
            toml::Value::Table(inner) => inner,
            toml::Value::Array(items) => {
                let index = steps.next().and_then(|step| step.parse::<usize>().ok());
                let index = index.filter(|index| *index <= items.len()).ok_or_else(|| {
                    format!(
                        "`{step}` is a list: write {}__0__…, counting from 0 without gaps",
                        step.to_uppercase()
                    )
                })?;
                if index == items.len() {
                    items.push(toml::Value::Table(toml::Table::new()));
                }
                node = schema::Shape::of(root, node).items().ok_or("is not a list of tables")?;
                items[index].as_table_mut().ok_or("is not a list of tables")?
            }
            _ => return Err(format!("`{step}` is not a section")),
        };
    }
    if let Some(base) = last.strip_suffix("_file") {
        let shape = schema::Shape::of(root, node);
        if matches!(shape.child(last), schema::Child::Unknown)
            && matches!(shape.child(base), schema::Child::Known(_))
        {
            let secret =
                std::fs::read_to_string(text).map_err(|error| format!("cannot read {text}: {error}"))?;
            at.insert(base.to_owned(), toml::Value::String(secret.trim_end_matches(['\r', '\n']).to_owned()));
            return Ok(());
        }
    }
    let node = known(root, node, last)?;
    at.insert(last.clone(), value(root, node, text)?);
    Ok(())
}

fn known<'a>(root: &'a Json, node: &'a Json, name: &str) -> Result<&'a Json, String> {
    let shape = schema::Shape::of(root, node);
    match shape.child(name) {
        schema::Child::Known(child) => Ok(child),
        schema::Child::Free => Ok(&Json::Null),
        schema::Child::Unknown => Err(match keys::nearest(name, &shape.names()) {
            Some(nearest) => format!("unknown key `{name}`; did you mean `{nearest}`?"),
            None => format!("unknown key `{name}`; `watchkeeper config default` lists all keys"),
        }),
    }
}

/// A text where a text may stand; else a TOML value; a list may also be written with commas.
fn value(root: &Json, node: &Json, text: &str) -> Result<toml::Value, String> {
    let shape = schema::Shape::of(root, node);
    if shape.takes_text() {
        return Ok(toml::Value::String(text.to_owned()));
    }
    let as_toml = toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"));
    match as_toml {
        Some(value) => Ok(value),
        None if shape.items().is_some() => Ok(toml::Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| item.to_owned().into())
                .collect(),
        )),
        None => Ok(toml::Value::String(text.to_owned())),
    }
}
