//! Types that can be columns: how their values become Arrow arrays and come back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, MapBuilder,
    MapFieldNames, StringBuilder, TimestampNanosecondBuilder, UInt64Builder,
};
use arrow::datatypes::{
    DataType, Field, Fields, Float64Type, Int64Type, TimeUnit, TimestampNanosecondType, UInt64Type,
};
use model::Timestamp;
use model::event::{
    Attributes, AuditCategory, AuditOutcome, Capability, ComponentAction, ExitCause, Flaws, JobAction, Level,
    SpanKind, SpanLink, SpanOccurrence, SpanStatus, StageAction, StageStatus, WorkerAction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ColumnError;

/// A type that can be a column of a table.
pub(super) trait Column: Sized {
    /// Whether the column can hold nothing.
    const NULLABLE: bool = false;
    type Builder: ArrayBuilder;
    fn data_type() -> DataType;
    fn builder(capacity: usize) -> Self::Builder;
    /// A builder with room for so many values of about this size.
    fn builder_for(&self, capacity: usize) -> Self::Builder {
        Self::builder(capacity)
    }
    fn append(&self, builder: &mut Self::Builder);
    fn append_null(builder: &mut Self::Builder);
    /// Whether it is nothing, which a column that may hold nothing has as null.
    fn is_nothing(&self) -> bool {
        false
    }
    /// What a row has in a column that is not there.
    fn nothing() -> Option<Self> {
        None
    }
    /// About what it takes in its column, in bytes.
    fn size_bytes(&self) -> usize;
    /// The value in row `row` of `array`, which is of this type and not null there.
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError>;
}

macro_rules! primitive_column {
    ($type:ty, $builder:ty, $data_type:expr, $arrow:ty) => {
        impl Column for $type {
            type Builder = $builder;
            fn data_type() -> DataType {
                $data_type
            }
            fn builder(capacity: usize) -> $builder {
                <$builder>::with_capacity(capacity)
            }
            fn append(&self, builder: &mut $builder) {
                builder.append_value(*self);
            }
            fn append_null(builder: &mut $builder) {
                builder.append_null();
            }
            fn size_bytes(&self) -> usize {
                size_of::<Self>()
            }
            fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
                let array = array.as_primitive_opt::<$arrow>().ok_or(ColumnError::Unexpected { column })?;
                Ok(array.value(row))
            }
        }
    };
}

primitive_column!(u64, UInt64Builder, DataType::UInt64, UInt64Type);
primitive_column!(i64, Int64Builder, DataType::Int64, Int64Type);
primitive_column!(f64, Float64Builder, DataType::Float64, Float64Type);

impl Column for bool {
    type Builder = BooleanBuilder;
    fn data_type() -> DataType {
        DataType::Boolean
    }
    fn builder(capacity: usize) -> BooleanBuilder {
        BooleanBuilder::with_capacity(capacity)
    }
    fn append(&self, builder: &mut BooleanBuilder) {
        builder.append_value(*self);
    }
    fn append_null(builder: &mut BooleanBuilder) {
        builder.append_null();
    }
    fn size_bytes(&self) -> usize {
        size_of::<Self>()
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        Ok(array.as_boolean_opt().ok_or(ColumnError::Unexpected { column })?.value(row))
    }
}

impl Column for Timestamp {
    type Builder = TimestampNanosecondBuilder;
    fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
    }
    fn builder(capacity: usize) -> Self::Builder {
        TimestampNanosecondBuilder::with_capacity(capacity).with_data_type(Self::data_type())
    }
    fn append(&self, builder: &mut Self::Builder) {
        builder.append_value(self.as_nanos());
    }
    fn append_null(builder: &mut Self::Builder) {
        builder.append_null();
    }
    fn size_bytes(&self) -> usize {
        size_of::<Self>()
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        let array =
            array.as_primitive_opt::<TimestampNanosecondType>().ok_or(ColumnError::Unexpected { column })?;
        Ok(Self::from_nanos(array.value(row)))
    }
}

/// What says where a text is among those of its column.
const PLACE_BYTES: usize = size_of::<i32>();

/// The most room for texts that a column begins with, whatever its first text is like.
const MAX_ROOM: usize = 1 << 20;

/// Room for so many texts that are about as long as one of them. What was too much is given back in the end.
fn texts_room(bytes: usize, count: usize) -> usize {
    (bytes + bytes / 4).saturating_mul(count).min(MAX_ROOM)
}

fn read_text<'a>(array: &'a dyn Array, row: usize, column: &'static str) -> Result<&'a str, ColumnError> {
    Ok(array.as_string_opt::<i32>().ok_or(ColumnError::Unexpected { column })?.value(row))
}

impl Column for String {
    type Builder = StringBuilder;
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn builder(capacity: usize) -> StringBuilder {
        StringBuilder::with_capacity(capacity, 0)
    }
    fn builder_for(&self, capacity: usize) -> StringBuilder {
        StringBuilder::with_capacity(capacity, texts_room(self.len(), capacity))
    }
    fn append(&self, builder: &mut StringBuilder) {
        builder.append_value(self);
    }
    fn append_null(builder: &mut StringBuilder) {
        builder.append_null();
    }
    fn size_bytes(&self) -> usize {
        PLACE_BYTES + self.len()
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        read_text(array, row, column).map(str::to_owned)
    }
}

/// An enum is kept as its text.
macro_rules! text_column {
    ($($type:ty),+) => {$(
        impl Column for $type {
            type Builder = StringBuilder;
            fn data_type() -> DataType {
                DataType::Utf8
            }
            fn builder(capacity: usize) -> StringBuilder {
                StringBuilder::with_capacity(capacity, capacity * 16)
            }
            fn append(&self, builder: &mut StringBuilder) {
                builder.append_value(self.as_str());
            }
            fn append_null(builder: &mut StringBuilder) {
                builder.append_null();
            }
            fn size_bytes(&self) -> usize {
                PLACE_BYTES + self.as_str().len()
            }
            fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
                let text = read_text(array, row, column)?;
                text.parse().map_err(|_| ColumnError::UnknownValue { column, value: text.to_owned() })
            }
        }
    )+};
}

text_column!(
    JobAction,
    StageAction,
    StageStatus,
    AuditCategory,
    AuditOutcome,
    ComponentAction,
    WorkerAction,
    Capability,
    ExitCause,
    Level,
    SpanKind,
    SpanStatus
);

/// What a row can have none of, one or several, all of it in one text: null where there is nothing.
pub(super) trait Written: Default {
    fn is_empty(&self) -> bool;
    fn write(&self) -> String;
    /// What a text says; nothing where this version does not understand it.
    fn understand(text: &str) -> Option<Self>;
    /// About the length of the text.
    fn text_bytes(&self) -> usize;
}

impl<T: Written> Column for T {
    const NULLABLE: bool = true;
    type Builder = StringBuilder;
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn builder(capacity: usize) -> StringBuilder {
        String::builder(capacity)
    }
    fn append(&self, builder: &mut StringBuilder) {
        if self.is_empty() {
            builder.append_null();
        } else {
            builder.append_value(self.write());
        }
    }
    fn append_null(builder: &mut StringBuilder) {
        builder.append_null();
    }
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
    fn nothing() -> Option<Self> {
        Some(Self::default())
    }
    fn size_bytes(&self) -> usize {
        PLACE_BYTES + if self.is_empty() { 0 } else { self.text_bytes() }
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        if array.is_null(row) {
            return Ok(Self::default());
        }
        let text = read_text(array, row, column)?;
        let shown = || text.chars().take(MAX_SHOWN).collect();
        Self::understand(text).ok_or_else(|| ColumnError::UnknownValue { column, value: shown() })
    }
}

/// What is wrong, as names.
impl Written for Flaws {
    fn is_empty(&self) -> bool {
        Self::is_empty(*self)
    }
    fn write(&self) -> String {
        self.to_string()
    }
    fn understand(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn text_bytes(&self) -> usize {
        self.iter().map(|flaw| flaw.as_str().len() + 1).sum()
    }
}

/// What a row can have several of, as JSON: only whoever shows the row reads it.
pub(super) trait Listed: Serialize + DeserializeOwned {
    /// About the length of its JSON.
    fn json_bytes(&self) -> usize;
}

impl<T: Listed> Written for Vec<T> {
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
    fn write(&self) -> String {
        serde_json::to_string(self).expect("texts, times and numbers are JSON")
    }
    fn understand(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
    fn text_bytes(&self) -> usize {
        self.iter().map(T::json_bytes).sum()
    }
}

/// What the JSON of an item has beside texts: the names of its fields, times, counts.
const ITEM_BYTES: usize = 128;
/// What it has beside an attribute's texts: quotes, a colon, a comma.
const ENTRY_BYTES: usize = 6;

fn json_bytes(attributes: &Attributes) -> usize {
    attributes.iter().map(|(key, value)| key.len() + value.len() + ENTRY_BYTES).sum()
}

impl Listed for SpanOccurrence {
    fn json_bytes(&self) -> usize {
        ITEM_BYTES + self.name.len() + json_bytes(&self.attributes)
    }
}

impl Listed for SpanLink {
    fn json_bytes(&self) -> usize {
        let ids = [&self.trace_id, &self.span_id, &self.trace_state];
        let texts: usize = ids.into_iter().flatten().map(String::len).sum();
        ITEM_BYTES + texts + json_bytes(&self.attributes)
    }
}

/// The most characters of a value in an error.
const MAX_SHOWN: usize = 100;

fn map_builder(
    keys: StringBuilder,
    values: StringBuilder,
    capacity: usize,
) -> MapBuilder<StringBuilder, StringBuilder> {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    MapBuilder::with_capacity(Some(names), keys, values, capacity)
}

impl Column for Attributes {
    type Builder = MapBuilder<StringBuilder, StringBuilder>;
    fn data_type() -> DataType {
        let entries = Fields::from(vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Utf8, true),
        ]);
        DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
    }
    fn builder(capacity: usize) -> Self::Builder {
        map_builder(StringBuilder::new(), StringBuilder::new(), capacity)
    }
    fn builder_for(&self, capacity: usize) -> Self::Builder {
        let entries = self.len().saturating_mul(capacity).min(MAX_ROOM);
        let texts = |bytes| StringBuilder::with_capacity(entries, texts_room(bytes, capacity));
        let keys = texts(self.keys().map(String::len).sum());
        let values = texts(self.values().map(String::len).sum());
        map_builder(keys, values, capacity)
    }
    fn append(&self, builder: &mut Self::Builder) {
        for (key, value) in self {
            builder.keys().append_value(key);
            builder.values().append_value(value);
        }
        builder.append(true).expect("as many keys as values were appended just above");
    }
    fn append_null(builder: &mut Self::Builder) {
        builder.append(false).expect("no key and no value is as many keys as values");
    }
    fn size_bytes(&self) -> usize {
        PLACE_BYTES + self.iter().map(|(key, value)| key.size_bytes() + value.size_bytes()).sum::<usize>()
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        let entries = array.as_map_opt().ok_or(ColumnError::Unexpected { column })?.value(row);
        let mut read = Vec::with_capacity(entries.len());
        for entry in 0..entries.len() {
            let key = read_text(entries.column(0), entry, column)?;
            read.push((key.to_owned(), read_text(entries.column(1), entry, column)?.to_owned()));
        }
        Ok(read.into())
    }
}

impl<T: Column> Column for Option<T> {
    const NULLABLE: bool = true;
    type Builder = T::Builder;
    fn data_type() -> DataType {
        T::data_type()
    }
    fn builder(capacity: usize) -> T::Builder {
        T::builder(capacity)
    }
    fn builder_for(&self, capacity: usize) -> T::Builder {
        self.as_ref().map_or_else(|| T::builder(capacity), |value| value.builder_for(capacity))
    }
    fn append(&self, builder: &mut T::Builder) {
        match self {
            Some(value) => value.append(builder),
            None => T::append_null(builder),
        }
    }
    fn append_null(builder: &mut T::Builder) {
        T::append_null(builder);
    }
    fn is_nothing(&self) -> bool {
        self.is_none()
    }
    fn nothing() -> Option<Self> {
        Some(None)
    }
    fn size_bytes(&self) -> usize {
        self.as_ref().map_or(PLACE_BYTES, T::size_bytes)
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        if array.is_null(row) { Ok(None) } else { T::read(array, row, column).map(Some) }
    }
}

/// A column that is being gathered. One in which there is nothing, as most are, costs a count.
pub(super) struct Gathered<T: Column> {
    capacity: usize,
    /// How many rows have nothing, as long as all do.
    nothing: usize,
    builder: Option<T::Builder>,
}

impl<T: Column> Gathered<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, nothing: 0, builder: None }
    }

    pub(super) fn append(&mut self, value: &T) {
        if let Some(builder) = &mut self.builder {
            value.append(builder);
        } else if value.is_nothing() {
            self.nothing += 1;
        } else {
            let builder = self.builder.insert(value.builder_for(self.capacity));
            (0..self.nothing).for_each(|_| T::append_null(builder));
            value.append(builder);
        }
    }

    /// The column; `None` when there is nothing in it.
    pub(super) fn finish(self) -> Option<ArrayRef> {
        let builder = if T::NULLABLE { self.builder } else { self.builder.or_else(|| Some(T::builder(0))) };
        builder.map(|mut builder| {
            let mut column = builder.finish();
            column.shrink_to_fit();
            column
        })
    }
}
