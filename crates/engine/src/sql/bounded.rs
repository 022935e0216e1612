//! Functions that make longer texts of shorter ones, within bounds: they ask nobody for memory, and what they make can
//! be made of again.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::compute::kernels::concat_elements::concat_elements_utf8;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The most bytes that one text may have that was made here.
const MAX_TEXT_BYTES: usize = 64 << 10;
/// The most bytes that the texts of a batch may have that are made here.
const MAX_BATCH_BYTES: usize = 256 << 20;
/// How much longer a time can be than the pattern that it is written by.
const TIME_GROWTH: usize = 16;
/// How much longer a text can be of which each character becomes another: `upper('ΐ')` has three times the bytes, and
/// a letter can become one of four.
const MAPPED_GROWTH: usize = 4;

/// How long a function's texts can become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Growth {
    /// As long as its arguments together, and the first of them between each two.
    Joined,
    /// Its first argument, each byte of which can become the third.
    Replaced,
    /// A pattern, its last argument, filled in.
    Written,
    /// Its first argument, each character of which becomes another. What does not become longer may stay as it is.
    Mapped,
    /// Not longer than its arguments; but its second argument, a pattern, is constant.
    Pattern,
}

/// The function, within bounds if it needs any.
pub(super) fn bounded(function: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    let growth = match function.name() {
        "concat" | "concat_ws" => Growth::Joined,
        "replace" | "regexp_replace" => Growth::Replaced,
        "to_char" => Growth::Written,
        "initcap" | "lower" | "translate" | "upper" => Growth::Mapped,
        "regexp_like" | "regexp_count" | "regexp_instr" => Growth::Pattern,
        _ => return function,
    };
    Arc::new(ScalarUDF::new_from_impl(Bounded { inner: function, growth }))
}

/// `||`
pub(super) fn joined() -> ScalarUDF {
    ScalarUDF::new_from_impl(Bounded {
        inner: Arc::new(ScalarUDF::new_from_impl(Join::new())),
        growth: Growth::Joined,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
}

impl Bounded {
    /// The most that the texts can take which are to be made.
    fn most_bytes(&self, args: &ScalarFunctionArgs) -> Result<usize> {
        let rows = args.number_rows.max(1);
        let name = self.inner.name();
        Ok(match self.growth {
            Growth::Joined => {
                let all: usize = args.args.iter().map(|arg| bytes(arg, rows)).fold(0, usize::saturating_add);
                let between = args.args.first().map_or(0, |first| bytes(first, rows));
                all.saturating_add(between.saturating_mul(args.args.len()))
            }
            Growth::Replaced => {
                if name.starts_with("regexp") && !is_constant(args.args.get(1)) {
                    return exec_err!("the pattern of {name} must be constant");
                }
                let [text, _, by, ..] = &*args.args else { return Ok(0) };
                let ColumnarValue::Scalar(by) = by else {
                    return exec_err!("what {name} puts in must be constant");
                };
                let by = text_of(by).map_or(0, str::len);
                bytes(text, rows).saturating_add(rows).saturating_mul(by.saturating_add(1))
            }
            Growth::Written => {
                args.args.last().map_or(0, |pattern| bytes(pattern, rows).saturating_mul(TIME_GROWTH))
            }
            Growth::Mapped => {
                let growth = if args.args.iter().all(is_ascii) { 1 } else { MAPPED_GROWTH };
                args.args.first().map_or(0, |text| bytes(text, rows).saturating_mul(growth))
            }
            Growth::Pattern => {
                if !is_constant(args.args.get(1)) {
                    return exec_err!("the pattern of {name} must be constant");
                }
                0
            }
        })
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.most_bytes(&args)? > MAX_BATCH_BYTES {
            return Err(too_long(self.name()));
        }
        let most = match self.growth {
            Growth::Mapped => args.args.first().map_or(0, longest).max(MAX_TEXT_BYTES),
            _ => MAX_TEXT_BYTES,
        };
        let made = self.inner.invoke_with_args(args)?;
        if longest(&made) > most && self.growth != Growth::Pattern {
            return Err(too_long(self.name()));
        }
        Ok(made)
    }
}

fn too_long(name: &str) -> DataFusionError {
    let most = MAX_TEXT_BYTES >> 10;
    DataFusionError::Execution(format!(
        "`{name}` would make texts that are too long: no text that is made may have more than {most} KiB; cut what it is made of with left()"
    ))
}

fn is_constant(arg: Option<&ColumnarValue>) -> bool {
    matches!(arg, Some(ColumnarValue::Scalar(_)))
}

fn text_of(value: &ScalarValue) -> Option<&str> {
    match value {
        ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => {
            text.as_deref()
        }
        _ => None,
    }
}

/// The bytes of a value in so many rows.
fn bytes(value: &ColumnarValue, rows: usize) -> usize {
    match value {
        ColumnarValue::Scalar(value) => text_of(value).map_or(32, str::len).saturating_mul(rows),
        ColumnarValue::Array(values) => values.to_data().get_slice_memory_size().unwrap_or(usize::MAX),
    }
}

/// Whether no character of the texts has more than a byte.
fn is_ascii(value: &ColumnarValue) -> bool {
    match value {
        ColumnarValue::Scalar(value) => text_of(value).is_none_or(str::is_ascii),
        ColumnarValue::Array(texts) => match texts.data_type() {
            DataType::Utf8 => texts.as_string::<i32>().is_ascii(),
            DataType::LargeUtf8 => texts.as_string::<i64>().is_ascii(),
            DataType::Utf8View => texts.as_string_view().is_ascii(),
            _ => false,
        },
    }
}

/// The bytes of the longest text.
fn longest(value: &ColumnarValue) -> usize {
    let texts = match value {
        ColumnarValue::Scalar(text) => return text_of(text).map_or(0, str::len),
        ColumnarValue::Array(texts) => texts,
    };
    let lengths = |offsets: &mut dyn Iterator<Item = usize>| offsets.max().unwrap_or(0);
    match texts.data_type() {
        DataType::Utf8 => lengths(&mut texts.as_string::<i32>().offsets().lengths()),
        DataType::LargeUtf8 => lengths(&mut texts.as_string::<i64>().offsets().lengths()),
        DataType::Utf8View => lengths(&mut texts.as_string_view().lengths().map(|length| length as usize)),
        _ => 0,
    }
}

/// Two texts, one behind the other; nothing if either is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Join {
    signature: Signature,
}

impl Join {
    fn new() -> Self {
        Self { signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Join {
    fn name(&self) -> &'static str {
        "||"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let texts = args.args.into_iter().map(|arg| Ok(cast(&arg.into_array(rows)?, &DataType::Utf8)?));
        let texts = texts.collect::<Result<Vec<_>>>()?;
        let [left, right] = &*texts else { return exec_err!("|| joins two texts") };
        let joined: ArrayRef =
            Arc::new(concat_elements_utf8(left.as_string::<i32>(), right.as_string::<i32>())?);
        if is_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&joined, 0)?));
        }
        Ok(ColumnarValue::Array(joined))
    }
}
