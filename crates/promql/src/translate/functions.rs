//! The functions of PromQL, and what arguments they take.

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Vector,
    Range,
    Text,
}

/// The arguments of a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    pub(super) arguments: &'static [Kind],
    /// How many must be there.
    pub(super) least: usize,
    /// How many may be there; all further ones are as the last.
    pub(super) most: usize,
}

impl Signature {
    pub(super) fn kind(&self, place: usize) -> Option<Kind> {
        self.arguments.get(place).or(self.arguments.last()).copied()
    }
}

/// The signature of a function; nothing when there is none of that name.
pub(super) fn signature(name: &str) -> Option<Signature> {
    use Kind::{Range, Scalar, Text, Vector};
    let (arguments, optional): (&'static [Kind], usize) = match name {
        "time" | "pi" | "start" | "end" | "step" | "range" => (&[], 0),
        "abs" | "absent" | "acos" | "acosh" | "asin" | "asinh" | "atan" | "atanh" | "ceil" | "cos"
        | "cosh" | "deg" | "exp" | "floor" | "histogram_avg" | "histogram_count" | "histogram_stddev"
        | "histogram_stdvar" | "histogram_sum" | "ln" | "log10" | "log2" | "rad" | "scalar" | "sgn"
        | "sin" | "sinh" | "sort" | "sort_desc" | "sqrt" | "start_timestamp" | "tan" | "tanh"
        | "timestamp" => (&[Vector], 0),
        "day_of_month" | "day_of_week" | "day_of_year" | "days_in_month" | "hour" | "minute" | "month"
        | "year" => (&[Vector], 1),
        "absent_over_time"
        | "avg_over_time"
        | "changes"
        | "count_over_time"
        | "delta"
        | "deriv"
        | "first_over_time"
        | "idelta"
        | "increase"
        | "irate"
        | "last_over_time"
        | "mad_over_time"
        | "max_over_time"
        | "min_over_time"
        | "present_over_time"
        | "rate"
        | "resets"
        | "stddev_over_time"
        | "stdvar_over_time"
        | "sum_over_time"
        | "ts_of_first_over_time"
        | "ts_of_last_over_time"
        | "ts_of_max_over_time"
        | "ts_of_min_over_time" => (&[Range], 0),
        "clamp" => (&[Vector, Scalar, Scalar], 0),
        "clamp_max" | "clamp_min" => (&[Vector, Scalar], 0),
        "double_exponential_smoothing" | "holt_winters" => (&[Range, Scalar, Scalar], 0),
        "histogram_fraction" => (&[Scalar, Scalar, Vector], 0),
        "histogram_quantile" => (&[Scalar, Vector], 0),
        "histogram_quantiles" => (&[Vector, Text, Scalar], 10),
        "info" => (&[Vector, Vector], 1),
        "label_join" => (&[Vector, Text, Text, Text], usize::MAX),
        "label_replace" => (&[Vector, Text, Text, Text, Text], 0),
        "max_of" | "min_of" => (&[Scalar, Scalar], 0),
        "predict_linear" => (&[Range, Scalar], 0),
        "quantile_over_time" => (&[Scalar, Range], 0),
        "round" => (&[Vector, Scalar], 1),
        "sort_by_label" | "sort_by_label_desc" => (&[Vector, Text], usize::MAX),
        "vector" => (&[Scalar], 0),
        _ => return None,
    };
    // The last kind is the one that may be left out, or come again.
    let least = if optional == 0 { arguments.len() } else { arguments.len() - 1 };
    let most = if optional == 0 { arguments.len() } else { least.saturating_add(optional) };
    // Of quantiles there is one at least.
    let least = if name == "histogram_quantiles" { arguments.len() } else { least };
    Some(Signature { arguments, least, most })
}

/// Whether Prometheus has the function behind a flag.
pub(super) fn is_experimental(name: &str) -> bool {
    matches!(
        name,
        "double_exponential_smoothing"
            | "end"
            | "first_over_time"
            | "histogram_quantiles"
            | "holt_winters"
            | "info"
            | "mad_over_time"
            | "max_of"
            | "min_of"
            | "range"
            | "sort_by_label"
            | "sort_by_label_desc"
            | "start"
            | "start_timestamp"
            | "step"
            | "ts_of_first_over_time"
            | "ts_of_last_over_time"
            | "ts_of_max_over_time"
            | "ts_of_min_over_time"
    )
}

impl Kind {
    /// As Prometheus calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "vector",
            Self::Range => "matrix",
            Self::Text => "string",
        }
    }
}

/// What a function takes and gives, as Prometheus describes it: types of arguments, how many more there may be
/// (negative when without end), and the type of the result.
pub(crate) fn described(name: &str) -> Option<(Vec<&'static str>, i64, &'static str)> {
    let signature = signature(name)?;
    let arguments = signature.arguments.iter().map(|kind| kind.name()).collect();
    let more = match signature.most {
        usize::MAX => -1,
        most => most.saturating_sub(signature.least) as i64,
    };
    let result = match name {
        "time" | "pi" | "start" | "end" | "step" | "range" | "scalar" | "max_of" | "min_of" => Kind::Scalar,
        _ => Kind::Vector,
    };
    Some((arguments, more, result.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Query, ValueKind};

    const NAMES: &str = "abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes clamp \
        clamp_max clamp_min cos cosh count_over_time day_of_month day_of_week day_of_year days_in_month deg delta deriv \
        double_exponential_smoothing end exp first_over_time floor histogram_avg histogram_count histogram_fraction \
        histogram_quantile histogram_quantiles histogram_stddev histogram_stdvar histogram_sum holt_winters hour idelta \
        increase info irate label_join label_replace last_over_time ln log10 log2 mad_over_time max_of max_over_time \
        min_of min_over_time minute month pi predict_linear present_over_time quantile_over_time rad range rate resets \
        round scalar sgn sin sinh sort sort_by_label sort_by_label_desc sort_desc sqrt start start_timestamp stddev_over_time \
        stdvar_over_time step sum_over_time tan tanh time timestamp ts_of_first_over_time ts_of_last_over_time \
        ts_of_max_over_time ts_of_min_over_time vector year";

    #[test]
    fn every_function_that_has_a_signature_has_a_plan() {
        for name in NAMES.split_whitespace() {
            let signature = signature(name).unwrap_or_else(|| panic!("{name} has no signature"));
            let arguments: Vec<&str> = (0..signature.least)
                .filter_map(|place| signature.kind(place))
                .map(|kind| match kind {
                    Kind::Scalar => "1",
                    Kind::Vector => "a",
                    Kind::Range => "a[5m]",
                    Kind::Text => "\"b\"",
                })
                .collect();
            let text = format!("{name}({})", arguments.join(", "));
            let query = Query::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let scalar = described(name).is_some_and(|(_, _, result)| result == "scalar");
            assert_eq!(query.kind(), if scalar { ValueKind::Scalar } else { ValueKind::Vector }, "{text}");
        }
    }
}
