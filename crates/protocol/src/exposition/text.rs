//! Prometheus' text format 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use model::MetricKind;

use super::labelset::LabelSet;
use super::line::{self, Line, Result, unescaped};
use super::{Exposition, Options, number};

/// Takes a body apart.
pub(super) fn decode(body: &[u8], options: &Options) -> Result<Exposition> {
    let mut shown = Exposition::default();
    let mut labels = LabelSet::default();
    // Of the family that was named last: exporters write the samples of a family below it.
    let mut kind = MetricKind::Unknown;
    for mut line in line::lines(body)? {
        line.skip_blanks();
        match line.next_byte() {
            None | Some(b'\r') if line.rest().trim_end_matches('\r').is_empty() => {}
            Some(b'#') => {
                line.skip("#");
                kind = comment(&mut line, &mut shown)?.unwrap_or(kind);
                shown.check_size(options).map_err(|refused| line.refused(refused, options.max_bytes))?;
            }
            _ => sample(&mut line, kind, &mut labels, &mut shown, options)?,
        }
    }
    Ok(shown)
}

/// A line that describes a family, or says nothing. Gives the kind, if it says one.
fn comment(line: &mut Line<'_>, shown: &mut Exposition) -> Result<Option<MetricKind>> {
    line.skip_blanks();
    match line.token() {
        "HELP" => {
            line.skip_blanks();
            let name = line.family()?;
            line.skip_blanks();
            shown.describe(&name, None, Some(unescaped(line.rest())), None);
            Ok(None)
        }
        "TYPE" => {
            line.skip_blanks();
            let name = line.family()?;
            line.skip_blanks();
            let kind = kind(line)?;
            shown.describe(&name, Some(kind), None, None);
            Ok(Some(kind))
        }
        _ => Ok(None),
    }
}

fn kind(line: &Line<'_>) -> Result<MetricKind> {
    MetricKind::from_name(line.rest().trim_end())
        .ok_or_else(|| line.expected("counter, gauge, histogram, summary or untyped"))
}

fn sample<'a>(
    line: &mut Line<'a>,
    kind: MetricKind,
    labels: &mut LabelSet<'a>,
    shown: &mut Exposition,
    options: &Options,
) -> Result<()> {
    line.series(labels)?;
    normalize(labels, kind);
    line.skip_blanks();
    let token = line.token();
    let token = token.trim_end_matches('\r');
    let value = number::parse(token).ok_or_else(|| line.unfit("a number", token))?;
    let mut time_ms = None;
    if line.skip_blanks() && !line.rest().trim_end().is_empty() {
        let token = line.token().trim_end_matches('\r');
        let time = token.parse().map_err(|_| line.unfit("a time in milliseconds", token))?;
        time_ms = Some(time);
    }
    if !line.rest().trim_end().is_empty() {
        return Err(line.expected("the end of the line"));
    }
    shown.push(labels, value, time_ms, options).map_err(|refused| line.refused(refused, options.max_bytes))
}

/// Writes the bounds of buckets and the quantiles of summaries in their one form.
pub(super) fn normalize(labels: &mut LabelSet<'_>, kind: MetricKind) {
    let name = match kind {
        MetricKind::Histogram | MetricKind::GaugeHistogram => "le",
        MetricKind::Summary => "quantile",
        _ => return,
    };
    if let Some(value) = labels.value_mut(name)
        && let Some(normalized) = number::normalized(value)
    {
        *value = normalized.into();
    }
}
