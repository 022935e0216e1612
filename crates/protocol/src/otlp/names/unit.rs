//! Units: from the abbreviations of UCUM, which OpenTelemetry uses, to the words of Prometheus.

/// A unit in words, its part behind the slash apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UnitWords {
    /// `bytes`; empty where there is none, or it is a count of things.
    pub(super) main: String,
    /// `per_second`.
    pub(super) per: String,
}

/// What the unit of a metric is called in its metadata: `bytes_per_second`.
pub fn unit_name(unit: &str) -> String {
    let UnitWords { main, per } = words(unit);
    let (main, per) = (cleaned(&main), cleaned(&per));
    if main.is_empty() || per.is_empty() { main + &per } else { format!("{main}_{per}") }
}

/// The words of a unit. What stands in braces is a note (`{packet}`), and no unit.
pub(super) fn words(unit: &str) -> UnitWords {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let [main, per] = [main, per].map(|part| {
        let part = part.trim();
        if part.contains(['{', '}']) { "" } else { part }
    });
    let per = if per.is_empty() { String::new() } else { format!("per_{}", singular(per)) };
    UnitWords { main: plural(main).to_owned(), per }
}

/// A part of a name: letters and digits with single underscores between them. Nothing where only `per` is left.
pub(super) fn cleaned(words: &str) -> String {
    let is_separator = |char: char| !char.is_ascii_alphanumeric() && char != ':';
    let parts: Vec<&str> = words.split(is_separator).filter(|part| !part.is_empty()).collect();
    if parts == ["per"] { String::new() } else { parts.join("_") }
}

fn plural(unit: &str) -> &str {
    match unit {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tebibytes",
        // UCUM has the small letter; Prometheus knew only the capital one for long.
        "kBy" | "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "1" => "",
        "%" => "percent",
        other => other,
    }
}

fn singular(unit: &str) -> &str {
    match unit {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_words() {
        let cases = [
            ("s", "seconds"),
            ("By/s", "bytes_per_second"),
            ("1/s", "per_second"),
            ("{request}/s", "per_second"),
            ("{request}", ""),
            ("1", ""),
            ("", ""),
            (" ms ", "milliseconds"),
            ("m/m", "meters_per_minute"),
            ("mile/gallon", "mile_per_gallon"),
            ("a/b/c", "a_per_b_c"),
            ("/", ""),
            ("_x_", "x"),
        ];
        for (unit, expected) in cases {
            assert_eq!(unit_name(unit), expected, "{unit}");
        }
    }
}
