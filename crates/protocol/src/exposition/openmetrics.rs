//! OpenMetrics 1.0 as text (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
//!
//! It is read strictly, as its specification asks: single spaces, no other comments, and an end that is marked, so that
//! a body that was cut off is never taken for a whole one. Exemplars may stand at any sample, and counters may be of any
//! value: clients write both, and Prometheus takes them.

use model::MetricKind;
use model::labels::METRIC_NAME;

use super::labelset::LabelSet;
use super::line::{self, Line, Result, unescaped};
use super::text::normalize;
use super::{Exposition, ExpositionError, Options, number};

const END: &str = "# EOF";

/// Takes a body apart.
pub(super) fn decode(body: &[u8], options: &Options) -> Result<Exposition> {
    let mut shown = Exposition::default();
    let (mut labels, mut exemplar) = (LabelSet::default(), LabelSet::default());
    let mut family = Family::default();
    let mut last = 0;
    let mut lines = line::lines(body)?;
    while let Some(mut line) = lines.next() {
        last += 1;
        if line.rest() == END {
            return match lines.find(|line| !line.is_empty()) {
                Some(more) => Err(more.expected("nothing behind `# EOF`")),
                None => Ok(shown),
            };
        }
        if line.skip("# ") {
            describe(&mut line, &mut family, &mut shown)?;
            shown.check_size(options).map_err(|refused| line.refused(refused, options.max_bytes))?;
        } else if line.is_empty() {
            // The body ends here, or has an empty line, which is not allowed either.
            if lines.next().is_some() {
                return Err(line.expected("a sample, or `# TYPE`, `# HELP`, `# UNIT` or `# EOF`"));
            }
        } else {
            sample(&mut line, &family, (&mut labels, &mut exemplar), &mut shown, options)?;
        }
    }
    let found = "the end of the body, which may have been cut off".to_owned();
    Err(ExpositionError::Line { line: last, expected: format!("`{END}` as the last line"), found })
}

/// The family whose samples are read.
#[derive(Default)]
struct Family {
    name: String,
    kind: MetricKind,
}

fn describe(line: &mut Line<'_>, family: &mut Family, shown: &mut Exposition) -> Result<()> {
    let what = line.token();
    if !matches!(what, "HELP" | "TYPE" | "UNIT") || !line.skip(" ") {
        return Err(line.unfit("`# HELP`, `# TYPE`, `# UNIT` or `# EOF`", what));
    }
    let name = line.family()?;
    let may_be_empty = what != "TYPE";
    if !(line.skip(" ") || (may_be_empty && line.is_empty())) {
        return Err(line.expected("a space behind the name of the metric"));
    }
    match what {
        "HELP" => shown.describe(&name, None, Some(unescaped(line.rest())), None),
        "TYPE" => {
            let kind = MetricKind::from_name(line.rest()).filter(|_| line.rest() != "untyped");
            let kind = kind.ok_or_else(|| {
                line.expected("counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown")
            })?;
            *family = Family { name: name.clone().into_owned(), kind };
            shown.describe(&name, Some(kind), None, None);
        }
        _ => {
            let unit = line.rest();
            let stem = name.strip_suffix(unit).and_then(|stem| stem.strip_suffix('_'));
            if !unit.is_empty() && stem.is_none_or(str::is_empty) {
                return Err(line.unfit(format!("a unit that the name `{name}` ends with"), unit));
            }
            shown.describe(&name, None, None, Some(unit));
        }
    }
    Ok(())
}

fn sample<'a>(
    line: &mut Line<'a>,
    family: &Family,
    (labels, exemplar): (&mut LabelSet<'a>, &mut LabelSet<'a>),
    shown: &mut Exposition,
    options: &Options,
) -> Result<()> {
    line.series(labels)?;
    normalize(labels, family.kind);
    let part = family.part(labels);
    if !line.skip(" ") {
        return Err(line.expected("one space and a value"));
    }
    let token = line.token();
    let value = number::parse(token).ok_or_else(|| line.unfit("a number", token))?;
    if let Some(expected) = family.unfit_value(part, value) {
        return Err(line.unfit(expected, token));
    }
    let mut time_ms = None;
    if !line.is_empty() && !line.rest().starts_with(" #") {
        time_ms = Some(time(line)?);
    }
    let added = shown.push(labels, value, time_ms, options);
    added.map_err(|refused| line.refused(refused, options.max_bytes))?;
    if part == Part::Other && !family.name.is_empty() {
        shown.take_created(&family.name, family.kind);
    }
    if line.skip(" # ") {
        read_exemplar(line, exemplar, shown)?;
    }
    if line.is_empty() { Ok(()) } else { Err(line.expected("the end of the line")) }
}

/// A space, and a time in seconds.
fn time(line: &mut Line<'_>) -> Result<i64> {
    if !line.skip(" ") {
        return Err(line.expected("one space and a time in seconds"));
    }
    let token = line.token();
    number::seconds(token).ok_or_else(|| line.unfit("a time in seconds", token))
}

fn read_exemplar<'a>(line: &mut Line<'a>, labels: &mut LabelSet<'a>, shown: &mut Exposition) -> Result<()> {
    labels.clear();
    if !line.skip("{") {
        return Err(line.expected("the labels of an exemplar in braces"));
    }
    line.labels(labels, false)?;
    if !line.skip(" ") {
        return Err(line.expected("one space and the value of an exemplar"));
    }
    let token = line.token();
    let value = number::parse(token).ok_or_else(|| line.unfit("a number", token))?;
    let time_ms = if line.is_empty() { None } else { Some(time(line)?) };
    shown.push_exemplar(labels, value, time_ms);
    Ok(())
}

/// What stands behind the name of the family in the name of a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Nothing,
    Info,
    Other,
}

impl Family {
    fn part(&self, labels: &mut LabelSet<'_>) -> Part {
        let name = labels.value_mut(METRIC_NAME);
        match name.as_deref().and_then(|name| name.strip_prefix(self.name.as_str())) {
            _ if self.name.is_empty() => Part::Other,
            Some("") => Part::Nothing,
            Some("_info") => Part::Info,
            _ => Part::Other,
        }
    }

    /// What a value should have been, when it cannot be one of this family.
    fn unfit_value(&self, part: Part, value: f64) -> Option<&'static str> {
        match (self.kind, part) {
            (MetricKind::Info, Part::Info) if value != 1.0 => Some("1, for it is an info"),
            (MetricKind::StateSet, Part::Nothing) if value != 0.0 && value != 1.0 => {
                Some("0 or 1, for it is a state")
            }
            _ => None,
        }
    }
}
