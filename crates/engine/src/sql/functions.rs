//! The functions that statements may call.
//!
//! Each is named here: what DataFusion has beside them, or adds some day, is not there unless somebody looked at it.
//! Left out is what makes large values of small ones (`repeat`, `lpad`, `array_agg`, `string_agg`, casts to types by
//! their names), what can take hours over one batch (`levenshtein`), and what tells of the process (`version`).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::functions::{core, datetime, math, regex, string, unicode};
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    WindowUDF,
};
use datafusion::{functions_aggregate, functions_window};
use memchr::memmem::Finder;

use super::bounded;
use crate::events::condition::has_words;
use crate::query::pushdown::HAS_WORDS;

const SCALAR: &[&str] = &[
    // Values.
    "coalesce",
    "greatest",
    "least",
    "nullif",
    "nvl",
    "nvl2",
    "get_field",
    "arrow_typeof",
    // Times.
    "current_date",
    "current_time",
    "date_bin",
    "date_part",
    "date_trunc",
    "from_unixtime",
    "make_date",
    "now",
    "to_char",
    "to_date",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
    // Numbers.
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "degrees",
    "exp",
    "factorial",
    "floor",
    "gcd",
    "isnan",
    "iszero",
    "lcm",
    "ln",
    "log",
    "log10",
    "log2",
    "nanvl",
    "pi",
    "power",
    "radians",
    "random",
    "round",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
    // Texts.
    "ascii",
    "bit_length",
    "btrim",
    "character_length",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "ends_with",
    "initcap",
    "left",
    "lower",
    "ltrim",
    "octet_length",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "to_hex",
    "translate",
    "upper",
    // Regular expressions.
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_replace",
];

const AGGREGATE: &[&str] = &[
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "median",
    "min",
    "nth_value",
    "percentile_cont",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
];

/// Functions of a row.
pub(super) fn scalar() -> Vec<Arc<ScalarUDF>> {
    let all = [
        core::functions(),
        datetime::functions(),
        math::functions(),
        regex::functions(),
        string::functions(),
        unicode::functions(),
    ];
    let known = all.into_iter().flatten().filter(|function| SCALAR.contains(&function.name()));
    let own = Arc::new(ScalarUDF::new_from_impl(HasWords::new()));
    known.map(bounded::bounded).chain([own]).collect()
}

/// Functions of the rows of a group.
pub(super) fn aggregate() -> Vec<Arc<AggregateUDF>> {
    let all = functions_aggregate::all_default_aggregate_functions();
    all.into_iter().filter(|function| AGGREGATE.contains(&function.name())).collect()
}

/// Functions over windows: all that there are, which look at their rows and make no others.
pub(super) fn window() -> Vec<Arc<WindowUDF>> {
    functions_window::all_default_window_functions()
}

/// `has_words(text, words)`: whether the words stand in the text as whole words, case told apart. Where the words are
/// constant and the text a column, files are passed over that do not have them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct HasWords {
    signature: Signature,
}

impl HasWords {
    fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for HasWords {
    fn name(&self) -> &'static str {
        HAS_WORDS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let Ok([texts, words]) = <[_; 2]>::try_from(args.args) else {
            return exec_err!("{HAS_WORDS} takes a text and words");
        };
        let (texts, words) = (utf8(texts, rows)?, utf8(words, rows)?);
        let (texts, words) = (texts.as_string::<i32>(), words.as_string::<i32>());
        let found: BooleanArray = texts
            .iter()
            .zip(words)
            .map(|(text, words)| Some(has_words(text?.as_bytes(), &Finder::new(words?))))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

fn utf8(value: ColumnarValue, rows: usize) -> Result<ArrayRef> {
    Ok(cast(&value.into_array(rows)?, &DataType::Utf8)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_that_is_named_is_there() {
        let scalar: Vec<String> = scalar().iter().map(|function| function.name().to_owned()).collect();
        for name in SCALAR.iter().chain([&HAS_WORDS]) {
            assert!(scalar.iter().any(|known| known == name), "{name}");
        }
        let aggregate: Vec<String> = aggregate().iter().map(|function| function.name().to_owned()).collect();
        for name in AGGREGATE {
            assert!(aggregate.iter().any(|known| known == name), "{name}");
        }
    }
}
