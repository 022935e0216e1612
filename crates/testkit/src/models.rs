//! Models of JSON: which fields a value has to have, and of which types.
//!
//! A file of models names each field's type: `int`, `float`, `str`, `bool`, `datetime`, `uuid`, `dict`,
//! another model, `[…]` for a list of one of these, and `…?` for one that may be null.

use std::collections::BTreeMap;

use serde_json::Value;

/// Models by name.
#[derive(Debug)]
pub struct Models(BTreeMap<String, BTreeMap<String, String>>);

impl Models {
    /// Reads a file of models.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(Self)
    }

    /// What a value lacks to be of a type, or has too much; empty when it fits.
    pub fn faults(&self, kind: &str, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(kind, value, kind, &mut faults);
        faults
    }

    fn check(&self, kind: &str, value: &Value, place: &str, faults: &mut Vec<String>) {
        if let Some(kind) = kind.strip_suffix('?') {
            if !value.is_null() {
                self.check(kind, value, place, faults);
            }
            return;
        }
        if let Some(kind) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
            match value.as_array() {
                Some(items) => items.iter().for_each(|item| self.check(kind, item, place, faults)),
                None => faults.push(format!("{place} is no list: {value}")),
            }
            return;
        }
        if let Some(model) = self.0.get(kind) {
            return self.check_fields(model, value, place, faults);
        }
        let text = value.as_str();
        let fits = match kind {
            "int" => value.is_u64() || value.is_i64(),
            "float" => value.is_number(),
            "str" => text.is_some(),
            "bool" => value.is_boolean(),
            "dict" => value.is_object(),
            "datetime" => text.is_some_and(is_time),
            "uuid" => text.is_some_and(is_uuid),
            _ => false,
        };
        if !fits {
            faults.push(format!("{place} is no {kind}: {value}"));
        }
    }

    fn check_fields(
        &self,
        model: &BTreeMap<String, String>,
        value: &Value,
        place: &str,
        faults: &mut Vec<String>,
    ) {
        let Some(fields) = value.as_object() else {
            faults.push(format!("{place} is no object: {value}"));
            return;
        };
        for (name, kind) in model {
            match fields.get(name) {
                Some(value) => self.check(kind, value, &format!("{place}.{name}"), faults),
                None => faults.push(format!("{place} lacks {name}")),
            }
        }
        let unknown = fields.keys().filter(|name| !model.contains_key(*name));
        faults.extend(unknown.map(|name| format!("{place} has {name} too much")));
    }
}

/// Whether it is a time as `datetime.fromisoformat` takes it.
fn is_time(text: &str) -> bool {
    let (date, time) = text.split_at_checked(10).unwrap_or_default();
    let digits = |text: &str, at: &[usize]| at.iter().all(|at| text.as_bytes()[*at].is_ascii_digit());
    date.len() == 10
        && digits(date, &[0, 1, 2, 3, 5, 6, 8, 9])
        && time.len() >= 9
        && time.starts_with('T')
        && time.ends_with('Z')
        && digits(time, &[1, 2, 4, 5, 7, 8])
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_does_not_fit_a_model_is_found() {
        let text = r#"{"A": {"n": "int", "x": "float", "t": "datetime?", "b": "[B]"}, "B": {"id": "uuid"}}"#;
        let models = Models::parse(text).expect("models");
        let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let fits = [
            json!({"n": 1, "x": 0.5, "t": null, "b": []}),
            json!({"n": 1, "x": 2, "t": "2025-08-01T21:30:00.5Z", "b": [{"id": uuid}]}),
        ];
        for value in fits {
            assert_eq!(models.faults("A", &value), Vec::<String>::new(), "{value}");
        }
        let faulty = [
            (json!({"n": 1.5, "x": 0.5, "t": null, "b": []}), "A.n is no int"),
            (json!({"n": 1, "x": "0.5", "t": null, "b": []}), "A.x is no float"),
            (json!({"n": 1, "x": 0.5, "t": "yesterday", "b": []}), "A.t is no datetime"),
            (json!({"n": 1, "x": 0.5, "t": null, "b": [{"id": "7"}]}), "A.b.id is no uuid"),
            (json!({"n": 1, "x": 0.5, "t": null}), "A lacks b"),
            (json!({"n": 1, "x": 0.5, "t": null, "b": [], "c": 1}), "A has c too much"),
            (json!([]), "A is no object"),
        ];
        for (value, fault) in faulty {
            let found = models.faults("A", &value);
            assert!(found.len() == 1 && found[0].starts_with(fault), "{value}: {found:?}");
        }
    }
}
