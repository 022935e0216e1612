//! Histograms out of their encoding, and what their neighbours tell of resets.

use std::sync::Arc;

use model::histogram::{NO_HISTOGRAM, ResetHint, histogram_place, histogram_value};
use model::{Histogram, Histograms, STALE_NAN, is_stale};
use store::SeriesBuffer;

use crate::Error;

/// Decodes the histograms that values stand for; from then on values say the places of the decoded ones.
pub(super) fn decode(values: &mut [f64], encoded: &Histograms) -> Result<Vec<Arc<Histogram>>, Error> {
    let mut decoded: Vec<Arc<Histogram>> = Vec::new();
    if encoded.is_empty() {
        return Ok(decoded);
    }
    let mut last: Option<(u32, f64)> = None;
    for value in values {
        let Some(place) = histogram_place(*value) else { continue };
        // The same one comes at many steps, one after the other.
        if let Some((_, known)) = last.filter(|(known, _)| *known == place) {
            *value = known;
            continue;
        }
        *value = match encoded.of(*value) {
            // One that is not there, and one that says that the series has ended.
            _ if value.to_bits() == NO_HISTOGRAM.to_bits() => STALE_NAN,
            Some(Ok(histogram)) if is_stale(histogram.sum) => STALE_NAN,
            Some(Ok(histogram)) => {
                decoded.push(Arc::new(histogram));
                histogram_value((decoded.len() - 1) as u32)
            }
            _ => {
                return Err(Error::Execution("a native histogram that was stored cannot be read".to_owned()));
            }
        };
        last = Some((place, *value));
    }
    Ok(decoded)
}

/// Decodes all histograms of a series.
pub(super) fn decode_series(
    buffer: &mut SeriesBuffer,
    finds_resets: bool,
) -> Result<Vec<Arc<Histogram>>, Error> {
    let mut decoded = decode(&mut buffer.values, &buffer.histograms)?;
    if finds_resets {
        find_resets(&buffer.values, &mut decoded);
    }
    Ok(decoded)
}

/// Finds out of each histogram that follows another whether counters began again, where that is not known.
fn find_resets(values: &[f64], histograms: &mut [Arc<Histogram>]) {
    for pair in values.windows(2) {
        let [Some(before), Some(place)] = [pair[0], pair[1]].map(histogram_place) else { continue };
        let (Some(before), Some(now)) = (histograms.get(before as usize), histograms.get(place as usize))
        else {
            continue;
        };
        if now.reset == ResetHint::Unknown {
            let reset = if now.is_reset_since(before) { ResetHint::Reset } else { ResetHint::NotReset };
            Arc::make_mut(&mut histograms[place as usize]).reset = reset;
        }
    }
}

/// Forgets what is known of resets of the histograms of a subquery: between its steps lie others that it does not see.
pub(super) fn forget_resets(histograms: &mut [Arc<Histogram>]) {
    let known = |histogram: &Histogram| matches!(histogram.reset, ResetHint::Reset | ResetHint::NotReset);
    for histogram in histograms.iter_mut().filter(|histogram| known(histogram)) {
        Arc::make_mut(histogram).reset = ResetHint::Unknown;
    }
}
