//! What the metadata of a file says of lifted attributes.

use arrow::datatypes::{DataType, Field, SchemaRef};
use parquet::file::metadata::KeyValue;
use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::{Column, Kind, Lifted, OfMap};

/// The key of it.
const KEY: &str = "watchkeeper.lifted";
const VERSION: u32 = 1;

/// Why what a file says of lifted attributes is not understood. A later version may have written it: that is no damage.
#[derive(Debug, thiserror::Error)]
#[error("what is said of attributes in columns of their own (`{key}`): {0}", key = KEY)]
pub(crate) struct NotUnderstood(String);

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    version: u32,
    columns: Vec<ToldColumn>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldColumn {
    column: String,
    map: String,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<Decimal>,
    whole: bool,
}

/// As it stands in the metadata; `None` when there is nothing to say.
pub(super) fn written<'c>(columns: impl Iterator<Item = &'c Column>) -> Option<KeyValue> {
    let columns: Vec<ToldColumn> = columns
        .map(|column| ToldColumn {
            column: column.name(),
            map: column.map.clone(),
            key: column.key.clone(),
            number: match column.kind {
                Kind::Text => None,
                Kind::Number(decimal) => Some(decimal),
            },
            whole: column.is_whole,
        })
        .collect();
    if columns.is_empty() {
        return None;
    }
    let text = serde_json::to_string(&Told { version: VERSION, columns });
    Some(KeyValue::new(KEY.to_owned(), text.expect("texts, numbers and truth values are JSON")))
}

/// What the metadata of a file with these columns says. Nothing is lifted in a file that says nothing of it.
pub(super) fn read(pairs: Option<&Vec<KeyValue>>, schema: &SchemaRef) -> Result<Lifted, NotUnderstood> {
    let mut pairs = pairs.into_iter().flatten();
    let Some(text) = pairs.find(|pair| pair.key == KEY).and_then(|pair| pair.value.as_deref()) else {
        return Ok(Lifted::default());
    };
    parsed(text, schema).map_err(NotUnderstood)
}

fn parsed(text: &str, schema: &SchemaRef) -> Result<Lifted, String> {
    let unreadable = |error: serde_json::Error| format!("it cannot be read: {error}");
    let Versioned { version } = serde_json::from_str(text).map_err(unreadable)?;
    if version != VERSION {
        return Err(format!("it is of version {version}; this program knows {VERSION}"));
    }
    let Told { mut columns, .. } = serde_json::from_str(text).map_err(unreadable)?;
    columns.sort_by(|a, b| (&a.map, &a.key).cmp(&(&b.map, &b.key)));
    let mut maps: Vec<OfMap> = Vec::new();
    for ToldColumn { column: name, map, key, number, whole } in columns {
        if number.is_some_and(|decimal| !decimal.is_known()) {
            return Err(format!("column `{name}` has numbers of a kind that is not known"));
        }
        let column = Column { map, key, kind: number.map_or(Kind::Text, Kind::Number), is_whole: whole };
        let data_type = |name: &str| schema.field_with_name(name).ok().map(Field::data_type);
        if data_type(&name) != Some(&column.data_type()) {
            return Err(format!("there is no column `{name}` of its kind"));
        }
        match maps.last_mut().filter(|map| map.name == column.map) {
            Some(map) if map.column(&column.key).is_some() => {
                return Err(format!("attribute `{}` is in two columns", column.key));
            }
            Some(map) => map.columns.push((name, column)),
            None => {
                let data_type = data_type(&column.map).filter(|data_type| is_map_of_texts(data_type));
                let data_type =
                    data_type.ok_or_else(|| format!("there is no column of attributes `{}`", column.map))?;
                let (map, data_type) = (column.map.clone(), data_type.clone());
                maps.push(OfMap { name: map, data_type, columns: vec![(name, column)] });
            }
        }
    }
    Ok(Lifted { maps })
}

/// Whether a column has attributes.
pub(super) fn is_map_of_texts(data_type: &DataType) -> bool {
    let DataType::Map(entries, _) = data_type else { return false };
    let DataType::Struct(fields) = entries.data_type() else { return false };
    fields.len() == 2 && fields.iter().all(|field| *field.data_type() == DataType::Utf8)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Schema;
    use store::Table;

    use super::*;

    /// The columns of a file of logs, and these of texts and numbers.
    fn schema(texts: &[&str], numbers: &[&str]) -> SchemaRef {
        let mut fields = store::schema(Table::Logs).fields().to_vec();
        fields.extend(texts.iter().map(|name| Arc::new(Field::new(*name, DataType::Utf8, true))));
        fields.extend(numbers.iter().map(|name| Arc::new(Field::new(*name, DataType::Int64, true))));
        Arc::new(Schema::new(fields))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let number = Decimal::of(&["1.5"]).expect("a number");
        let columns = [
            Column::new("attributes", "a \"b\".c\n", Kind::Text),
            Column { is_whole: false, ..Column::new("attributes", "ms", Kind::Number(number)) },
            Column::new("resource_attributes", "", Kind::Text),
        ];
        let pair = written(columns.iter()).expect("something");
        let schema = schema(&["attributes.a \"b\".c\n", "resource_attributes."], &["attributes.ms"]);
        let lifted = read(Some(&vec![pair]), &schema).expect("read");
        assert_eq!(lifted.columns().cloned().collect::<Vec<_>>(), columns);
        assert!(lifted.is_whole("attributes", "a \"b\".c\n") && !lifted.is_whole("attributes", "ms"));
        assert_eq!(written([].iter()), None);
        assert_eq!(read(None, &schema).expect("nothing"), Lifted::default());
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let schema = schema(&["attributes.a"], &["attributes.n"]);
        let one = |column: &str| format!(r#"{{"version":1,"columns":[{column}]}}"#);
        let text = r#"{"column":"attributes.a","map":"attributes","key":"a","whole":true}"#;
        assert!(parsed(&one(text), &schema).is_ok());
        let wrong = [
            String::new(),
            "{}".to_owned(),
            r#"{"version":2,"columns":[]}"#.to_owned(),
            r#"{"version":2,"more":1}"#.to_owned(),
            one(&format!("{text},{text}")),
            one(&text.replace("attributes.a", "attributes.b")),
            one(&text.replace("attributes.a", "attributes.n")),
            one(&text.replace("\"map\":\"attributes\"", "\"map\":\"message\"")),
            one(&text.replace("\"whole\":true", "\"whole\":true,\"more\":1")),
            one(
                r#"{"column":"attributes.n","map":"attributes","key":"n","number":{"scale":10,"least":0},"whole":true}"#,
            ),
            one(
                r#"{"column":"attributes.n","map":"attributes","key":"n","number":{"scale":1,"least":2},"whole":true}"#,
            ),
        ];
        for wrong in wrong {
            assert!(parsed(&wrong, &schema).is_err(), "{wrong}");
        }
        let later = parsed(r#"{"version":2,"more":1}"#, &schema).expect_err("another version");
        assert!(later.contains("version 2"), "{later}");
    }
}
