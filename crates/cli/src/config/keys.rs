//! Unknown keys: where they stand, and which known key was probably meant.
//!
//! The file is walked along the JSON schema of the settings, so that every wrong key is found at
//! once and with its line; serde alone would stop at the first.

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::schema;

/// A key of the file that no setting has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnknownKey {
    /// The offset of the key in the file, in bytes.
    pub offset: usize,
    /// The whole key, with dots.
    pub path: String,
    /// The known key that looks most like it.
    pub nearest: Option<String>,
}

/// All keys of `table` that `schema` does not know.
pub(super) fn unknown(root: &Json, table: &DeTable<'_>) -> Vec<UnknownKey> {
    let mut found = Vec::new();
    walk_table(root, root, table, "", &mut found);
    found
}

fn walk_table(root: &Json, node: &Json, table: &DeTable<'_>, path: &str, found: &mut Vec<UnknownKey>) {
    let shape = schema::Shape::of(root, node);
    for (key, value) in table {
        let name: &str = key.get_ref();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match shape.child(name) {
            schema::Child::Known(child) => walk_value(root, child, value, &path, found),
            schema::Child::Free => {}
            schema::Child::Unknown => {
                let offset = key.span().start;
                found.push(UnknownKey { offset, path, nearest: nearest(name, &shape.names()) });
            }
        }
    }
}

fn walk_value(
    root: &Json,
    node: &Json,
    value: &Spanned<DeValue<'_>>,
    path: &str,
    found: &mut Vec<UnknownKey>,
) {
    match value.get_ref() {
        DeValue::Table(table) => walk_table(root, node, table, path, found),
        DeValue::Array(items) => {
            if let Some(item_schema) = schema::Shape::of(root, node).items() {
                for item in items {
                    walk_value(root, item_schema, item, path, found);
                }
            }
        }
        _ => {}
    }
}

/// How alike two names are, 0 to 1. The first measure sees shared beginnings, the second swapped
/// letters in short names.
fn likeness(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b).max(strsim::normalized_damerau_levenshtein(a, b))
}

/// The known name that is close enough to be what was meant.
pub(super) fn nearest(name: &str, known: &[String]) -> Option<String> {
    known
        .iter()
        .map(|candidate| (likeness(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.65)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Json {
        json!({
            "properties": {
                "server": { "$ref": "#/$defs/Server" },
                "redis": { "type": "array", "items": { "$ref": "#/$defs/Redis" } },
                "channels": { "type": "object", "additionalProperties": { "$ref": "#/$defs/Redis" } },
                "headers": { "type": "object", "additionalProperties": { "type": "string" } },
                "limit": { "anyOf": [{ "$ref": "#/$defs/Server" }, { "type": "null" }] }
            },
            "additionalProperties": false,
            "$defs": {
                "Server": { "properties": { "listen": {}, "request_timeout": {} }, "additionalProperties": false },
                "Redis": { "properties": { "url": {} }, "additionalProperties": false }
            }
        })
    }

    #[test]
    fn every_unknown_key_is_found_where_it_stands_with_the_nearest_known_one() {
        let text = "[server]\nlisten = \"x\"\nrequest_timout = 1\n[[redis]]\nurl = \"a\"\n[[redis]]\nulr = \"b\"\n\
                    [channels.mail]\nurrl = 1\n[headers]\nanything = \"goes\"\n[limit]\nlissten = 1\n[zebra]\n";
        let table = DeTable::parse(text).expect("TOML");
        let mut found: Vec<(usize, String, Option<String>)> = unknown(&schema(), table.get_ref())
            .into_iter()
            .map(|key| (text[..key.offset].matches('\n').count() + 1, key.path, key.nearest))
            .collect();
        found.sort();
        let expect =
            |line, path: &str, nearest: Option<&str>| (line, path.to_owned(), nearest.map(str::to_owned));
        assert_eq!(
            found,
            [
                expect(3, "server.request_timout", Some("request_timeout")),
                expect(7, "redis.ulr", Some("url")),
                expect(9, "channels.mail.urrl", Some("url")),
                expect(13, "limit.lissten", Some("listen")),
                expect(14, "zebra", None),
            ]
        );
    }
}
