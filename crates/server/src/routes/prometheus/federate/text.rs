//! Samples in the text format 0.0.4, as federation has them.

use std::fmt::Write as _;

use promql::write_value;
use protocol::exposition::FamilyValue;

use super::super::escaping::is_plain;
use super::FederatedSeries;

/// Writes series that are sorted by name. Histograms are left out: the format does not have them.
pub(super) fn write(series: &[FederatedSeries]) -> String {
    let mut text = String::new();
    let mut family = "";
    for FederatedSeries { name, metric, .. } in series {
        let FamilyValue::Number(value) = &metric.value else { continue };
        let is_plain = is_plain(name);
        if name != family {
            family = name;
            text.push_str("# TYPE ");
            if is_plain {
                text.push_str(name);
            } else {
                quoted(name, &mut text);
            }
            text.push_str(" untyped\n");
        }
        text.push_str(if is_plain { name } else { "" });
        text.push('{');
        let mut separator = "";
        if !is_plain {
            quoted(name, &mut text);
            separator = ",";
        }
        for (label, value) in &metric.labels {
            text.push_str(separator);
            separator = ",";
            pair(label, value, &mut text);
        }
        text.push_str("} ");
        write_value(*value, &mut text);
        // Writing to a string cannot fail.
        _ = writeln!(text, " {}", metric.time_ms);
    }
    text
}

fn pair(label: &str, value: &str, text: &mut String) {
    if is_plain(label) && !label.contains(':') {
        text.push_str(label);
    } else {
        quoted(label, text);
    }
    text.push('=');
    quoted(value, text);
}

fn quoted(value: &str, text: &mut String) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            letter => text.push(letter),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::{Histogram, Histograms, Labels, Sample};

    use super::super::super::escaping::Escaping;
    use super::super::series::sorted;
    use super::*;

    fn written(all: &[(Labels, f64)], escaping: Escaping, external: &[(&str, &str)]) -> String {
        let samples =
            all.iter().map(|(labels, value)| (labels.clone(), Sample { time_ms: 1500, value: *value }));
        let external: BTreeMap<_, _> =
            external.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        write(&sorted(samples.collect(), &Histograms::default(), escaping, &external))
    }

    #[test]
    fn families_have_a_type_and_names_of_any_kind_are_written() {
        let all = [
            (Labels::metric("a", &[("instance", "x:1"), ("job", "q\"\\\n")]), 1.5),
            (Labels::metric("a", &[("job", "z")]), f64::INFINITY),
            (Labels::metric("b.c", &[("d.e", "1")]), f64::NAN),
            (Labels::metric("job:c:sum", &[]), -0.0),
            (Labels::from_pairs([("nameless", "1")]), 1.0),
        ];
        let expected = "# TYPE a untyped\n\
            a{instance=\"x:1\",job=\"q\\\"\\\\\\n\"} 1.5 1500\n\
            a{job=\"z\",instance=\"\"} +Inf 1500\n\
            # TYPE \"b.c\" untyped\n\
            {\"b.c\",\"d.e\"=\"1\",instance=\"\"} NaN 1500\n\
            # TYPE job:c:sum untyped\n\
            job:c:sum{instance=\"\"} -0 1500\n";
        assert_eq!(written(&all, Escaping::AllowUtf8, &[]), expected);
    }

    #[test]
    fn names_that_become_the_same_are_one_family() {
        let all = [
            (Labels::metric("b.c", &[("job", "1")]), 1.0),
            (Labels::metric("b_b", &[]), 2.0),
            (Labels::metric("b_c", &[("job.name", "2")]), 3.0),
        ];
        let expected = "# TYPE b_b untyped\nb_b{instance=\"\"} 2 1500\n# TYPE b_c untyped\n\
            b_c{job=\"1\",instance=\"\"} 1 1500\nb_c{job_name=\"2\",instance=\"\"} 3 1500\n";
        assert_eq!(written(&all, Escaping::Underscores, &[]), expected);
    }

    #[test]
    fn a_series_has_the_external_labels_that_it_has_not_itself() {
        let all = [(Labels::metric("a", &[("site", "own")]), 2.0)];
        let text = written(&all, Escaping::AllowUtf8, &[("replica", "1"), ("site", "x")]);
        assert_eq!(text, "# TYPE a untyped\na{site=\"own\",replica=\"1\",instance=\"\"} 2 1500\n");
        let text = written(&all, Escaping::AllowUtf8, &[("instance", "i")]);
        assert_eq!(text, "# TYPE a untyped\na{site=\"own\",instance=\"i\"} 2 1500\n");
    }

    #[test]
    fn histograms_are_left_out() {
        let mut histograms = Histograms::default();
        let value = histograms.push(&Histogram::default());
        let samples = [(Labels::metric("a", &[]), Sample { time_ms: 1, value })].into_iter().collect();
        assert_eq!(write(&sorted(samples, &histograms, Escaping::AllowUtf8, &BTreeMap::new())), "");
    }
}
