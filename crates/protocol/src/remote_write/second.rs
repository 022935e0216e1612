//! Remote write 2.0 (`io.prometheus.write.v2.Request`): texts stand in the request once, and series refer to them.
//! Field numbers are those of <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/>.

use super::exemplar::LabelsOf;
use super::series::{MAX_LABELS, SeriesReader, started_sample};
use super::symbols::{MAX_SYMBOLS, Symbols, each_reference};
use super::{Decoded, RemoteWriteError, metadata};
use crate::Budget;
use crate::wire::{Fields, Malformed, Value};

/// Takes a message apart.
pub(super) fn read(plain: &[u8], limit: usize, budget: &Budget) -> Result<Decoded, RemoteWriteError> {
    let symbols = symbols(plain)?;
    let mut decoded = Decoded::default();
    let mut series = SeriesReader::default();
    let mut references = Vec::new();
    let mut index = 0;
    for field in Fields::of(plain) {
        if let (5, Value::Bytes(message)) = field.map_err(RemoteWriteError::Protobuf)? {
            let said = read_series(message, &symbols, &mut series, &mut references)
                .map_err(RemoteWriteError::Protobuf)?;
            let is_taken = decoded
                .take(&mut series, index, LabelsOf::Symbols(&symbols))
                .map_err(RemoteWriteError::Protobuf)?;
            if let Some(said) = said.filter(|_| is_taken) {
                let name = series.labels().metric_name();
                let said = metadata::second(said, name, &symbols).map_err(RemoteWriteError::Protobuf)?;
                decoded.take_metadata(said);
            }
            index += 1;
            decoded.check_size(limit, budget)?;
        }
    }
    Ok(decoded)
}

/// Symbols may stand behind the series that refer to them.
fn symbols(plain: &[u8]) -> Result<Symbols<'_>, RemoteWriteError> {
    let mut symbols = Symbols::default();
    for field in Fields::of(plain) {
        match field.map_err(RemoteWriteError::Protobuf)? {
            (4, Value::Bytes(text)) if symbols.put(text) => {}
            (4, Value::Bytes(_)) => {
                let text = format!("it has more than {MAX_SYMBOLS} symbols: send fewer series at once");
                return Err(RemoteWriteError::Symbols(text));
            }
            (number @ 4..=5, Value::Number(_) | Value::Eight(_) | Value::Four(_)) => {
                return Err(RemoteWriteError::Protobuf(Malformed::Type(number)));
            }
            _ => {}
        }
    }
    if !symbols.begin_with_nothing() {
        return Err(RemoteWriteError::Symbols("its first symbol is not the empty text".to_owned()));
    }
    Ok(symbols)
}

/// Takes a `TimeSeries` apart, but for its metadata, which is given back as it was sent.
fn read_series<'a>(
    message: &'a [u8],
    symbols: &Symbols<'a>,
    series: &mut SeriesReader<'a>,
    references: &mut Vec<u64>,
) -> Result<Option<&'a [u8]>, Malformed> {
    series.begin();
    references.clear();
    let mut metadata = None;
    for field in Fields::of(message) {
        match field? {
            (1, value) => each_reference(value, 1, |reference| {
                // One pair more than are taken is enough to see that there are too many.
                if references.len() < 2 * (MAX_LABELS + 1) {
                    references.push(reference);
                }
            })?,
            (2, Value::Bytes(one)) => {
                let (sample, start_ms) = started_sample(one)?;
                series.put_started(sample, start_ms);
            }
            (3, Value::Bytes(histogram)) => series.put_histogram(histogram),
            (4, Value::Bytes(exemplar)) => series.put_exemplar(exemplar),
            (5, Value::Bytes(message)) => metadata = Some(message),
            // Of all its samples, as senders of the first drafts of the protocol say it.
            (6, Value::Number(start_ms)) => series.put_start(start_ms.cast_signed()),
            (number @ 2..=6, _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    match symbols.pairs(references) {
        Ok(pairs) => pairs.into_iter().for_each(|pair| series.put_label(pair)),
        Err(reason) => series.put_unreadable(reason),
    }
    Ok(metadata)
}
