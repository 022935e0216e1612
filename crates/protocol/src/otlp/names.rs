//! Names of metrics and labels as Prometheus has them
//! (<https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>).
//!
//! Where the specification leaves something open, names are those that Prometheus gives to the same metric when it
//! takes OTLP itself, so that dashboards and rules work with either.

mod unit;

use std::borrow::Cow;

pub use unit::unit_name;

/// How names are translated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NameStrategy {
    /// To letters, digits and underscores, with suffixes for unit and kind. What Prometheus does unless it is told
    /// otherwise (`UnderscoreEscapingWithSuffixes`).
    #[default]
    Underscores,
    /// Not at all but for these suffixes (`NoUTF8EscapingWithSuffixes`).
    Utf8,
}

/// What of a metric's kind shows in its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamedKind {
    /// It only grows: `_total`.
    Counter,
    /// It goes up and down: `_ratio` where its unit is 1.
    Gauge,
    /// Any other.
    Other,
}

/// The name of a metric; nothing where no letter or digit is left of it.
pub fn metric_name(name: &str, unit: &str, kind: NamedKind, strategy: NameStrategy) -> Option<String> {
    let name = match strategy {
        NameStrategy::Underscores => underscored(name, unit, kind),
        NameStrategy::Utf8 => suffixed(name, unit, kind),
    };
    Some(name).filter(|name| !name.is_empty())
}

/// The suffix that follows from a metric's kind.
fn kind_suffix(unit: &str, kind: NamedKind) -> Option<&'static str> {
    match kind {
        NamedKind::Counter => Some("total"),
        // Many senders count things in the unit 1, so only gauges are taken for ratios.
        NamedKind::Gauge if unit == "1" => Some("ratio"),
        NamedKind::Gauge | NamedKind::Other => None,
    }
}

fn underscored(name: &str, unit: &str, kind: NamedKind) -> String {
    let is_separator = |char: char| !char.is_ascii_alphanumeric() && char != ':';
    let mut words: Vec<&str> = name.split(is_separator).filter(|word| !word.is_empty()).collect();
    let unit_words = unit::words(unit);
    let (main, per) = (unit::cleaned(&unit_words.main), unit::cleaned(&unit_words.per));
    for suffix in [&main, &per] {
        if !suffix.is_empty() && !words.contains(&suffix.as_str()) {
            words.push(suffix);
        }
    }
    if let Some(suffix) = kind_suffix(unit, kind) {
        words.retain(|word| *word != suffix);
        words.push(suffix);
    }
    let joined = words.join("_");
    if joined.starts_with(|first: char| first.is_ascii_digit()) { format!("_{joined}") } else { joined }
}

fn suffixed(name: &str, unit: &str, kind: NamedKind) -> String {
    let kind_suffix = kind_suffix(unit, kind);
    let unit = unit::words(unit);
    let mut stem = name;
    for suffix in [kind_suffix, Some(unit.per.as_str())].into_iter().flatten() {
        stem = without_suffix(stem, suffix);
    }
    let mut suffixed = stem.to_owned();
    if !unit.main.is_empty() && !stem.ends_with(unit.main.as_str()) {
        suffixed = format!("{suffixed}_{}", unit.main);
    }
    for suffix in [Some(unit.per.as_str()), kind_suffix].into_iter().flatten().filter(|text| !text.is_empty())
    {
        suffixed = format!("{suffixed}_{suffix}");
    }
    suffixed
}

/// A name without a suffix and the character before it, where something is left of it then.
fn without_suffix<'n>(name: &'n str, suffix: &str) -> &'n str {
    if suffix.is_empty() {
        return name;
    }
    let stem = name
        .strip_suffix(suffix)
        .and_then(|stem| stem.char_indices().next_back().map(|(end, _)| &stem[..end]));
    stem.filter(|stem| !stem.is_empty()).unwrap_or(name)
}

/// The name of the label that an attribute becomes; nothing where no letter or digit is left of it.
pub fn label_name(key: &str, strategy: NameStrategy) -> Option<Cow<'_, str>> {
    if key.is_empty() {
        return None;
    }
    if strategy == NameStrategy::Utf8 || is_plain(key) {
        return Some(Cow::Borrowed(key));
    }
    let reserved = key.strip_prefix("__").and_then(|key| key.strip_suffix("__"));
    let mut label = collapsed(reserved.unwrap_or(key));
    if reserved.is_some() {
        label = format!("__{label}__");
    } else if label.starts_with('_') {
        label.insert_str(0, "key");
    } else if label.starts_with(|first: char| first.is_ascii_digit()) {
        label.insert_str(0, "key_");
    }
    let has_more = label != "key_" && label.contains(|char: char| char.is_ascii_alphanumeric());
    has_more.then_some(Cow::Owned(label))
}

/// Whether a key is the name of a label already.
fn is_plain(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !key.contains("__")
}

/// A text in which each run of characters that are no letters and digits is one underscore.
fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len() + "key_".len());
    for char in text.chars() {
        if char.is_ascii_alphanumeric() {
            collapsed.push(char);
        } else if !collapsed.ends_with('_') {
            collapsed.push('_');
        }
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;
    use NamedKind::{Counter, Gauge, Other};

    #[test]
    fn names_of_metrics_are_those_that_prometheus_gives_them() {
        let cases = [
            (("http.server.request.duration", "s", Other), "http_server_request_duration_seconds"),
            (("system.io", "By", Counter), "system_io_bytes_total"),
            (("system.network.dropped", "{packet}", Counter), "system_network_dropped_total"),
            (("system.memory.utilization", "1", Gauge), "system_memory_utilization_ratio"),
            (("requests.total.count", "1", Counter), "requests_count_total"),
            (("cpu_usage_ratio", "1", Gauge), "cpu_usage_ratio"),
            (("jobs", "1", Other), "jobs"),
            (("throughput", "By/s", Gauge), "throughput_bytes_per_second"),
            (("requests", "1/s", Gauge), "requests_per_second"),
            (("cost", "By/{custom}", Gauge), "cost_bytes"),
            (("took", "ms", Gauge), "took_milliseconds"),
            (("took_seconds", "s", Gauge), "took_seconds"),
            (("took_seconds_max", "s", Gauge), "took_seconds_max"),
            (("2xx", "", Counter), "_2xx_total"),
            (("(lambda).function.executions(#)", "", Gauge), "lambda_function_executions"),
            (("a__b", "unit__of__it", Gauge), "a_b_unit_of_it"),
            (("a", "foo/bar@", Gauge), "a_foo_per_bar"),
            (("a", "foo@/@", Gauge), "a_foo"),
            (("a:b", "%", Gauge), "a:b_percent"),
            (("größe", "", Gauge), "gr_e"),
        ];
        for ((name, unit, kind), expected) in cases {
            let translated = metric_name(name, unit, kind, NameStrategy::Underscores);
            assert_eq!(translated.as_deref(), Some(expected), "{name} in {unit}");
        }
        assert_eq!(metric_name("@#$%", "", Gauge, NameStrategy::Underscores), None);
        assert_eq!(metric_name("", "", Other, NameStrategy::Utf8), None);
    }

    #[test]
    fn names_in_utf_8_get_suffixes_and_nothing_else() {
        let cases = [
            (("http.server.request.duration", "s", Other), "http.server.request.duration_seconds"),
            (("requêsts", "1/s", Counter), "requêsts_per_second_total"),
            (("cpu_seconds_total", "s", Counter), "cpu_seconds_total"),
            (("cpu.ratio", "1", Gauge), "cpu_ratio"),
            (("@#$%", "", Counter), "@#$%_total"),
            (("total", "", Counter), "total_total"),
            (("étotal", "", Counter), "étotal_total"),
        ];
        for ((name, unit, kind), expected) in cases {
            let translated = metric_name(name, unit, kind, NameStrategy::Utf8);
            assert_eq!(translated.as_deref(), Some(expected), "{name} in {unit}");
        }
    }

    #[test]
    fn names_of_labels_have_letters_digits_and_single_underscores() {
        let cases = [
            ("http.request.method", Some("http_request_method")),
            ("method", Some("method")),
            ("label:with!!many", Some("label_with_many")),
            ("a__b", Some("a_b")),
            ("2xx", Some("key_2xx")),
            ("_hidden", Some("key_hidden")),
            ("__name__", Some("__name__")),
            ("__a.b__", Some("__a_b__")),
            ("ends.", Some("ends_")),
            ("", None),
            ("_", None),
            ("____", None),
            ("ようこそ", None),
        ];
        for (key, expected) in cases {
            assert_eq!(label_name(key, NameStrategy::Underscores).as_deref(), expected, "{key}");
        }
        assert_eq!(label_name("ようこそ", NameStrategy::Utf8).as_deref(), Some("ようこそ"));
        assert_eq!(label_name("", NameStrategy::Utf8), None);
    }
}
