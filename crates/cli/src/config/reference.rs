//! The configuration written down: as a commented file, and as a page of the documentation.
//!
//! Both are made from the types: descriptions from their documentation, defaults from their values.

use std::fmt::Write;

use serde_json::Value as Json;

use super::load::schema_of;
use super::schema::Shape;
use super::settings::Settings;

/// One section with its keys, of which there is at least one.
struct Section {
    /// Its name, with dots; empty for keys that stand before every section.
    name: String,
    /// How many of it there may be.
    place: Place,
    about: String,
    keys: Vec<Key>,
}

/// How a section is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `[name]`
    Once,
    /// `[[name]]`: there may be several, or none.
    Listed,
    /// `[name]` inside of one that is listed.
    WithinListed,
}

struct Key {
    name: String,
    kind: String,
    about: String,
    /// As TOML; `None` when the key has no default.
    default: Option<String>,
    required: bool,
}

/// A file that sets every key to its default, as comments.
pub(crate) fn default_file() -> String {
    let mut text = String::from(
        "# The configuration of Watchkeeper, with every key at its default.\n\
         # Environment variables override it: WATCHKEEPER_SERVER__LISTEN=0.0.0.0:7654. Flags override both.\n\
         # A text can also be read from a file: password_file = \"/run/secrets/redis\".\n",
    );
    for section in sections() {
        text.push('\n');
        comment(&mut text, &section.about);
        match (section.name.as_str(), section.place) {
            ("", _) => {}
            (name, Place::Once) => writeln_to(&mut text, format_args!("[{name}]")),
            (name, Place::Listed) => writeln_to(&mut text, format_args!("#[[{name}]]")),
            (name, Place::WithinListed) => writeln_to(&mut text, format_args!("#[{name}]")),
        }
        for key in &section.keys {
            comment(&mut text, &key.about);
            let value = key.default.as_deref().unwrap_or("…");
            let note = if key.required { "  # required" } else { "" };
            writeln_to(&mut text, format_args!("#{} = {value}{note}", key.name));
        }
    }
    text
}

/// The page `docs/configuration.md`.
pub(crate) fn reference_page() -> String {
    let mut text = String::from(INTRODUCTION);
    for section in sections() {
        let title = match (section.name.as_str(), section.place) {
            ("", _) => "Before all sections".to_owned(),
            (name, Place::Listed) => format!("`[[{name}]]`"),
            (name, Place::Once | Place::WithinListed) => format!("`[{name}]`"),
        };
        writeln_to(&mut text, format_args!("\n## {title}"));
        if !section.about.is_empty() {
            writeln_to(&mut text, format_args!("\n{}", cell(&section.about)));
        }
        text.push_str("\n| key | type | default | meaning |\n|---|---|---|---|\n");
        for key in &section.keys {
            let default = match &key.default {
                Some(value) => format!("`{}`", cell(value)),
                None if key.required => "required".to_owned(),
                None => "not set".to_owned(),
            };
            let about = cell(&key.about);
            writeln_to(
                &mut text,
                format_args!("| `{}` | {} | {default} | {about} |", key.name, cell(&key.kind)),
            );
        }
    }
    text
}

const INTRODUCTION: &str = "# Configuration

<!-- Made by `watchkeeper config reference`; a test compares. Change the documentation of the types instead. -->

Watchkeeper needs no configuration. What differs from the defaults stands in one TOML file: the one named by
`--config`, else `./watchkeeper.toml`, else `/etc/watchkeeper/watchkeeper.toml`.

- Environment variables override the file: `WATCHKEEPER_SECTION__KEY`, as in `WATCHKEEPER_SERVER__LISTEN=0.0.0.0:7654`.
  Entries of lists count from 0: `WATCHKEEPER_REDIS__0__URL`. Lists of texts may be written with commas.
- Flags override both: `--listen`, `--data-dir` (or `WATCHKEEPER_DATA_DIR`).
- Durations are written as `15s`, `1h30m`, `7d`; sizes as `64MiB`, `10GB`.
- A secret can stand in a file of its own: for every text `key` there is `key_file`, the path to a file that holds it.
- A key that is not known is an error, with the line and the nearest known key.

`watchkeeper config check` says whether a configuration can be used, rule files, queue mappings and scrape jobs included.
`watchkeeper config show` prints the effective values, secrets masked. `watchkeeper config default` prints a file with
every key.
";

/// All sections in the order of the types.
fn sections() -> Vec<Section> {
    let root = schema_of::<Settings>();
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    let mut sections = Vec::new();
    gather(&root, &root, "", Place::Once, String::new(), Some(&defaults), &mut sections);
    sections
}

fn gather(
    root: &Json,
    node: &Json,
    name: &str,
    section_place: Place,
    about: String,
    defaults: Option<&Json>,
    into: &mut Vec<Section>,
) {
    let shape = Shape::of(root, node);
    let index = into.len();
    into.push(Section { name: name.to_owned(), place: section_place, about, keys: Vec::new() });
    let mut keys = Vec::new();
    // Sorted: the order of a schema depends on how its maps were built.
    let properties: std::collections::BTreeMap<_, _> = shape.properties().collect();
    for (key, child) in properties {
        let path = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        let inner = Shape::of(root, child);
        let default = defaults.and_then(|defaults| defaults.get(key)).or_else(|| child.get("default"));
        let about = description(root, child);
        let of_tables = inner.items().filter(|items| Shape::of(root, items).properties().next().is_some());
        if let Some(items) = of_tables {
            gather(root, items, &path, Place::Listed, about, None, into);
        } else if inner.properties().next().is_some() {
            let within = if section_place == Place::Once { Place::Once } else { Place::WithinListed };
            gather(root, child, &path, within, about, default, into);
        } else {
            let default = default.filter(|value| !value.is_null()).map(toml_text);
            let kind = kind(root, &inner);
            keys.push(Key { name: key.clone(), kind, about, default, required: shape.requires(key) });
        }
    }
    let section = &mut into[index];
    section.keys = keys;
    if section.keys.is_empty() {
        into.remove(index);
    }
}

/// What may stand at a key.
fn kind(root: &Json, shape: &Shape<'_>) -> String {
    match shape.items() {
        Some(items) => format!("list of {}", Shape::of(root, items).type_name()),
        None if shape.values().is_some() => "table by name".to_owned(),
        None => shape.type_name(),
    }
}

fn description(root: &Json, node: &Json) -> String {
    let own = node.get("description").and_then(Json::as_str);
    let of_target = || {
        let target = node.get("$ref")?.as_str()?.strip_prefix('#')?;
        root.pointer(target)?.get("description")?.as_str()
    };
    own.or_else(of_target).unwrap_or_default().to_owned()
}

fn toml_text(value: &Json) -> String {
    match toml::Value::try_from(value) {
        Ok(value) => value.to_string(),
        Err(_) => value.to_string(),
    }
}

/// A text of several lines in one.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn comment(text: &mut String, about: &str) {
    for line in about.lines() {
        writeln_to(text, format_args!("# {line}"));
    }
}

fn writeln_to(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = text.write_fmt(line);
    text.push('\n');
}
