//! Frequent attributes in columns of their own: "lifted" ones. Whoever asks for one of them reads a small column, and not
//! the whole map that it is an entry of.
//!
//! When a file is begun, it is decided which attributes are lifted ([`choose`]). What rows have of them is taken out of
//! their maps as they are written ([`split`]), and put back as they are read ([`remake`]). A value that would not come
//! back as it was stays in its map, so nothing depends on what was decided. The file's metadata says what is where
//! ([`told`]); `docs/format/event-file.md` has it to the byte.
//!
//! Nothing but this module, the conditions of a scan and [`super::values`] knows of them: rows that leave a file have their
//! maps again, or attributes that were asked for by their names.
//! Start reading at [`Lifted`].

mod choose;
mod decimal;
mod remake;
mod split;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::is_not_null;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Field as ArrowField};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use store::{Condition, Entries, Field, FilterOp, Predicate, Scalar, Table, Test};

use decimal::Decimal;
pub(crate) use split::Lifting;
pub(crate) use told::NotUnderstood;

/// An attribute that has a column of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// The column that has the maps.
    map: String,
    /// The attribute's name.
    key: String,
    kind: Kind,
    /// Whether all values of the file are in it; if not, the maps have some.
    is_whole: bool,
}

/// What a column has for texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The texts.
    Text,
    /// Numbers that they are made of.
    Number(Decimal),
}

impl Column {
    fn new(map: &str, key: &str, kind: Kind) -> Self {
        Self { map: map.to_owned(), key: key.to_owned(), kind, is_whole: true }
    }

    /// What it is called in the file. No column of a table has a point in its name.
    fn name(&self) -> String {
        format!("{}.{}", self.map, self.key)
    }

    fn field(&self) -> ArrowField {
        ArrowField::new(self.name(), self.data_type(), true)
    }

    fn data_type(&self) -> DataType {
        match self.kind {
            Kind::Text => DataType::Utf8,
            Kind::Number(_) => DataType::Int64,
        }
    }

    /// The bytes that an entry of a map has beside what the column has of it.
    fn bytes_beside(&self) -> u64 {
        let of_value = match self.kind {
            Kind::Text => 0,
            Kind::Number(_) => decimal::MAX_BYTES,
        };
        (self.key.len() + of_value) as u64
    }
}

/// The attributes that are lifted in a file of these rows.
pub(crate) fn of_rows<'r>(table: Table, rows: impl IntoIterator<Item = &'r RecordBatch>) -> Vec<Column> {
    choose::of_rows(table, &rows.into_iter().collect::<Vec<_>>())
}

/// The attributes that are lifted in a file of the rows of others: of each, how many rows it has and what is lifted in
/// it. `first` are the rows that come first.
pub(crate) fn of_files(table: Table, files: &[(u64, Lifted)], first: &RecordBatch) -> Vec<Column> {
    choose::of_files(table, files, first)
}

/// What is lifted in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lifted {
    maps: Vec<OfMap>,
}

/// What is lifted of one map.
#[derive(Clone, Debug, PartialEq)]
struct OfMap {
    name: String,
    /// The type of the column that has the maps.
    data_type: DataType,
    /// In the order of their keys, each with its name.
    columns: Vec<(String, Column)>,
}

impl OfMap {
    fn column(&self, key: &str) -> Option<&(String, Column)> {
        let place = self.columns.binary_search_by(|(_, column)| column.key.as_str().cmp(key)).ok()?;
        self.columns.get(place)
    }
}

impl Lifted {
    /// What the metadata of a file says.
    pub(crate) fn of(footer: &ArrowReaderMetadata) -> Result<Self, NotUnderstood> {
        told::read(footer.metadata().file_metadata().key_value_metadata(), footer.schema())
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn memory_size(&self) -> usize {
        let of_column = |column: &Column| size_of::<(String, Column)>() + column.name().len() * 3;
        size_of::<Self>()
            + self.maps.len() * size_of::<OfMap>()
            + self.columns().map(of_column).sum::<usize>()
    }

    fn map(&self, name: &str) -> Option<&OfMap> {
        self.maps.iter().find(|map| map.name == name)
    }

    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.maps.iter().flat_map(|map| map.columns.iter().map(|(_, column)| column))
    }

    /// About how many bytes the maps of a row group take beside what is in these columns of it, once that is put back into
    /// them: each value has its name again, and each number is a text.
    pub(crate) fn bytes_beside(&self, group: &RowGroupMetaData, columns: &ProjectionMask) -> i64 {
        let leaves = group.columns().iter().enumerate().filter(|(leaf, _)| columns.leaf_included(*leaf));
        let bytes = leaves.filter_map(|(_, chunk)| {
            let [name] = chunk.column_path().parts() else { return None };
            let mut lifted = self.maps.iter().flat_map(|map| &map.columns);
            let (_, column) = lifted.find(|(known, _)| known == name)?;
            Some(values_of(chunk).saturating_mul(column.bytes_beside()))
        });
        i64::try_from(bytes.fold(0, u64::saturating_add)).unwrap_or(i64::MAX)
    }

    /// The columns of the file that have what is wanted of a column of the table.
    pub(crate) fn columns_of<'a>(&'a self, column: &'a str, entries: &Entries) -> Vec<&'a str> {
        let keys = entries.of(column).map(|keys| keys.iter().map(String::as_str).collect::<BTreeSet<&str>>());
        self.columns_with(column, keys.as_ref())
    }

    fn columns_with<'a>(&'a self, column: &'a str, keys: Option<&BTreeSet<&str>>) -> Vec<&'a str> {
        let Some(map) = self.map(column) else { return vec![column] };
        let is_wanted = |column: &Column| keys.is_none_or(|keys| keys.contains(column.key.as_str()));
        let lifted = map.columns.iter().filter(|(_, column)| is_wanted(column));
        let names = lifted.map(|(name, _)| name.as_str());
        let is_in_columns = |key: &&str| map.column(key).is_some_and(|(_, column)| column.is_whole);
        let needs_map = keys.is_none_or(|keys| !keys.iter().all(is_in_columns));
        names.chain(needs_map.then_some(column)).collect()
    }

    /// The columns of the file in which a predicate looks.
    pub(crate) fn columns_of_predicate<'a>(&'a self, predicate: &'a Predicate) -> BTreeSet<&'a str> {
        let mut columns = BTreeSet::new();
        self.gather_columns(predicate, &mut columns);
        columns
    }

    fn gather_columns<'a>(&'a self, predicate: &'a Predicate, into: &mut BTreeSet<&'a str>) {
        match predicate {
            Predicate::All(parts) | Predicate::Any(parts) => {
                parts.iter().for_each(|part| self.gather_columns(part, into));
            }
            Predicate::Not(part) => self.gather_columns(part, into),
            Predicate::Is(Condition { field: Field::Column(column), .. }) => {
                into.insert(column);
            }
            Predicate::Is(Condition { field: Field::Attribute { map, key }, .. }) => {
                into.extend(self.columns_with(map, Some(&BTreeSet::from([key.as_str()]))));
            }
            Predicate::Own(test) => {
                for column in test.0.columns() {
                    let key = test.0.attribute(column).map(|key| BTreeSet::from([key]));
                    into.extend(self.columns_with(column, key.as_ref()));
                }
            }
        }
    }

    /// A condition as one on a column of the file, where there is one that means the same; or else as it is.
    pub(crate) fn in_columns(&self, condition: &Condition) -> Predicate {
        let same = || Predicate::Is(condition.clone());
        let Field::Attribute { map, key } = &condition.field else { return same() };
        let Some((name, column)) = self.map(map).and_then(|map| map.column(key)) else { return same() };
        if !column.is_whole {
            return same();
        }
        let is = |test: Test| Predicate::Is(Condition { field: Field::Column(name.clone().into()), test });
        match (column.kind, &condition.test) {
            (Kind::Text, test) => is(test.clone()),
            (Kind::Number(_), Test::Exists) => is(Test::Exists),
            // A text of which no number becomes the same text is none of those that are there.
            (
                Kind::Number(decimal),
                Test::Compare(op @ (FilterOp::Equal | FilterOp::NotEqual), Scalar::Text(text)),
            ) => {
                match (decimal.parsed(text), op) {
                    // It is a float, too: `Decimal` has no others.
                    (Some(number), op) => is(Test::Compare(*op, Scalar::Number(number as f64))),
                    (None, FilterOp::NotEqual) => is(Test::Exists),
                    (None, _) => Predicate::nothing(),
                }
            }
            // Texts have another order than numbers.
            (Kind::Number(_), _) => same(),
        }
    }

    /// What rows of the file have for an attribute in a column of its own, as texts; `None` when it has none. Where the
    /// column has none of a row, the map may have it: see [`Self::is_whole`].
    pub(crate) fn values(
        &self,
        rows: &RecordBatch,
        map: &str,
        key: &str,
    ) -> Result<Option<ArrayRef>, ArrowError> {
        let Some((name, column)) = self.map(map).and_then(|map| map.column(key)) else { return Ok(None) };
        // A column that has nothing in these rows was not read.
        let Some(values) = rows.column_by_name(name) else { return Ok(None) };
        remake::texts(column.kind, values).map(Some)
    }

    /// What rows of the file have for an attribute in a column of its own, as the numbers of this type that are read of
    /// its texts; `None` where it has none, or where there are texts of which others or none would be read.
    pub(crate) fn numbers(
        &self,
        rows: &RecordBatch,
        map: &str,
        key: &str,
        number: &DataType,
    ) -> Result<Option<ArrayRef>, ArrowError> {
        let Some((name, column)) = self.map(map).and_then(|map| map.column(key)) else { return Ok(None) };
        let Kind::Number(decimal) = column.kind else { return Ok(None) };
        let Some(values) = rows.column_by_name(name) else { return Ok(None) };
        let values = remake::numbers_of(values)?;
        Ok(match number {
            DataType::Float64 => decimal.floats(values).map(|floats| Arc::new(floats) as ArrayRef),
            DataType::Int64 if decimal.is_whole() => Some(Arc::new(values.clone())),
            _ => None,
        })
    }

    /// The columns of the file that have what is wanted of an attribute.
    pub(crate) fn columns_of_value<'a>(&'a self, map: &'a str, key: &str) -> Vec<&'a str> {
        self.columns_with(map, Some(&BTreeSet::from([key])))
    }

    /// Whether all values of an attribute are in a column of its own.
    pub(crate) fn is_whole(&self, map: &str, key: &str) -> bool {
        self.map(map).and_then(|map| map.column(key)).is_some_and(|(_, column)| column.is_whole)
    }

    /// Rows of the file with their maps instead of the columns that rows have of them, those maps that `is_wanted`.
    pub(crate) fn remade(
        &self,
        rows: RecordBatch,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<RecordBatch, ArrowError> {
        self.maps.iter().filter(|map| is_wanted(&map.name)).try_fold(rows, remake::of_map)
    }
}

/// The values of an attribute that has a column of its own and is in maps, too: of a row that the column has none of, what
/// the map has.
pub(crate) fn either(lifted: &ArrayRef, of_maps: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    zip(&is_not_null(lifted)?, lifted, of_maps)
}

/// How many rows of a row group have something in a column that is no list.
fn values_of(chunk: &ColumnChunkMetaData) -> u64 {
    let nulls = chunk.statistics().and_then(Statistics::null_count_opt).unwrap_or(0);
    u64::try_from(chunk.num_values()).unwrap_or(0).saturating_sub(nulls)
}

fn missing(column: &str) -> ArrowError {
    ArrowError::SchemaError(format!("there is no column `{column}`"))
}

#[cfg(test)]
mod tests;
