//! Values of rows, as a search sees them: columns of a batch, without making records of its rows.

use std::time::Duration;

use arrow::array::{Array, AsArray, MapArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::{TimestampNanosecondType, UInt64Type};
use model::Timestamp;
use model::event::AuditCategory;
use search::{Datum, Level};

use crate::audits::category;
use crate::fields::{Holds, Source, is_labelled};

/// The values of one place in the rows of a batch. A column that the batch lacks is null everywhere.
pub(crate) enum Values<'a> {
    Nothing,
    Texts(&'a StringArray),
    Levels(&'a StringArray),
    Categories(&'a StringArray),
    Counts(&'a PrimitiveArray<UInt64Type>),
    Nanos(&'a PrimitiveArray<UInt64Type>),
    Times(&'a PrimitiveArray<TimestampNanosecondType>),
    Attributes(Attributes<'a>),
}

/// One attribute of each row.
pub(crate) struct Attributes<'a> {
    map: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
    key: &'a str,
    /// Whether a name is that of the attribute.
    is_it: fn(&str, &str) -> bool,
}

impl<'a> Values<'a> {
    pub(crate) fn of(rows: &'a RecordBatch, source: &'a Source) -> Self {
        Self::found(rows, source).unwrap_or(Self::Nothing)
    }

    fn found(rows: &'a RecordBatch, source: &'a Source) -> Option<Self> {
        let column = rows.column_by_name(source.column())?;
        Some(match source {
            Source::Column(_, Holds::Text) => Self::Texts(column.as_string_opt()?),
            Source::Column(_, Holds::Level) => Self::Levels(column.as_string_opt()?),
            Source::Column(_, Holds::Category) => Self::Categories(column.as_string_opt()?),
            Source::Column(_, Holds::Count) => Self::Counts(column.as_primitive_opt()?),
            Source::Column(_, Holds::Nanos) => Self::Nanos(column.as_primitive_opt()?),
            Source::Column(_, Holds::Time) => Self::Times(column.as_primitive_opt()?),
            Source::Attribute(_, key) | Source::Labelled(_, key) => {
                let is_it = if matches!(source, Source::Labelled(..)) { is_labelled } else { is_same };
                let map = column.as_map_opt()?;
                let (keys, values) = (map.keys().as_string_opt()?, map.values().as_string_opt()?);
                Self::Attributes(Attributes { map, keys, values, key, is_it })
            }
        })
    }

    pub(crate) fn get(&self, row: usize) -> Option<Datum<'a>> {
        match self {
            Self::Nothing => None,
            Self::Texts(texts) => texts.is_valid(row).then(|| texts.value(row).into()),
            Self::Levels(levels) => levels.is_valid(row).then(|| level(levels.value(row))),
            Self::Categories(kinds) => kinds.is_valid(row).then(|| category_named(kinds.value(row))),
            Self::Counts(counts) => counts.is_valid(row).then(|| Datum::Number(counts.value(row) as f64)),
            Self::Nanos(nanos) => {
                nanos.is_valid(row).then(|| Datum::Duration(Duration::from_nanos(nanos.value(row))))
            }
            Self::Times(times) => {
                times.is_valid(row).then(|| Datum::Time(Timestamp::from_nanos(times.value(row))))
            }
            Self::Attributes(attributes) => attributes.get(row).map(Datum::from),
        }
    }
}

/// The values of the first of some places that holds something, in each row.
pub(crate) struct First<'a>(Vec<Values<'a>>);

impl<'a> First<'a> {
    pub(crate) fn of(rows: &'a RecordBatch, sources: &'a [Source]) -> Self {
        Self(sources.iter().map(|source| Values::of(rows, source)).collect())
    }

    pub(crate) fn get(&self, row: usize) -> Option<Datum<'a>> {
        self.0.iter().find_map(|values| values.get(row))
    }
}

impl<'a> Attributes<'a> {
    /// Of several with one name the last, as whoever makes records of rows has it.
    fn get(&self, row: usize) -> Option<&'a str> {
        if self.map.is_null(row) {
            return None;
        }
        let offsets = self.map.value_offsets();
        let entry = (offsets[row] as usize..offsets[row + 1] as usize)
            .rev()
            .find(|entry| (self.is_it)(self.keys.value(*entry), self.key))?;
        self.values.is_valid(entry).then(|| self.values.value(entry))
    }
}

/// The category of a record by what kind of thing was done; a kind that nobody knows is a text.
fn category_named(kind: &str) -> Datum<'_> {
    kind.parse::<AuditCategory>().map_or_else(|_| kind.into(), |kind| category(kind).into())
}

fn is_same(name: &str, key: &str) -> bool {
    name == key
}

/// A level by its name; one that nobody knows is a text.
pub(crate) fn level(name: &str) -> Datum<'_> {
    Level::parse(name).map_or_else(|| name.into(), Datum::Level)
}
