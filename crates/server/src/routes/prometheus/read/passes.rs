//! Series in the order of their labels, as a stream of chunks has to have them, in bounded memory.
//!
//! The store gives series in an order of its own. One pass over all that match keeps the first ones, packed, as many as
//! there is room for, and passes over the others; the next pass keeps those that come behind. Nearly all answers take
//! one pass.

use std::collections::BTreeMap;

use axum::body::Bytes;
use model::{Labels, Sample};
use promql::{Cancel, Error, Limits};
use protocol::remote_read;
use store::{SelectRequest, SeriesBuffer, TelemetryStore};

use super::{External, Selection};
use crate::chunks::CHUNK_BYTES;

/// Bytes of packed series that one pass keeps.
const ROOM: usize = 32 << 20;
/// What a series takes beside its labels and its packed samples.
const SERIES_BYTES: usize = 128;

/// What is left to be read for a request.
pub(super) struct Rest {
    selections: Vec<Selection>,
    external: External,
    /// Which of them is read.
    place: usize,
    /// The last series of it that was read.
    after: Option<Place>,
    /// How many samples it and those behind it may read.
    samples: u64,
    room: usize,
}

/// Where a series stands: its labels with those from outside, and without. Two series may have the same with them.
type Place = (Labels, Labels);

/// What a pass has brought.
pub(super) struct Pass {
    /// Frames, in pieces to be sent.
    pub(super) pieces: Vec<Bytes>,
    /// What is left, if anything is.
    pub(super) rest: Option<Rest>,
}

impl Rest {
    pub(super) fn of(selections: Vec<Selection>, external: External, limits: &Limits) -> Self {
        Self { selections, external, place: 0, after: None, samples: limits.max_samples, room: ROOM }
    }

    /// Reads on.
    pub(super) fn pass(
        mut self,
        store: &dyn TelemetryStore,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Pass, Error> {
        let Some(selection) = self.selections.get(self.place) else {
            return Ok(Pass { pieces: Vec::new(), rest: None });
        };
        let request = SelectRequest {
            matchers: selection.matchers.clone(),
            range: selection.range,
            values: None,
            max_samples: self.samples,
            cancel: cancel.clone(),
        };
        let mut cursor = store.select(&request)?;
        let mut first = First { kept: BTreeMap::new(), bytes: 0, room: self.room, is_cut: false };
        let (mut buffer, mut series, mut samples) = (SeriesBuffer::default(), 0, 0);
        while cursor.next_series(&mut buffer)? {
            if cancel.is_cancelled() {
                return Err(Error::Canceled);
            }
            series += 1;
            samples += buffer.times_ms.len() as u64;
            if series > limits.max_series {
                return Err(Error::LimitReached(format!(
                    "the answer has more than {} series (promql.max_series); add matchers",
                    limits.max_series
                )));
            }
            let place = (self.external.added_to(&buffer.labels), buffer.labels.clone());
            if self.after.as_ref().is_some_and(|after| place <= *after) || !first.takes(&place) {
                continue;
            }
            let times = buffer.times_ms.iter().zip(&buffer.values);
            let samples_of = times.map(|(time_ms, value)| Sample { time_ms: *time_ms, value: *value });
            let mut frames = Vec::new();
            remote_read::put_series(
                self.place,
                place.0.as_ref(),
                samples_of,
                &buffer.histograms,
                &mut frames,
            );
            frames.shrink_to_fit();
            first.put(place, frames);
        }
        let last = first.last().cloned();
        let is_cut = first.is_cut;
        let pieces = first.into_pieces();
        if is_cut {
            self.after = last;
        } else {
            self.after = None;
            self.place += 1;
            self.samples = self.samples.saturating_sub(samples);
        }
        let is_left = self.place < self.selections.len();
        Ok(Pass { pieces, rest: is_left.then_some(self) })
    }
}

/// The first series of all, packed.
struct First {
    kept: BTreeMap<Place, Vec<u8>>,
    bytes: usize,
    room: usize,
    /// Whether others come behind them, for which there was no room.
    is_cut: bool,
}

impl First {
    /// Whether a series is among the first ones, as far as these are known.
    fn takes(&self, place: &Place) -> bool {
        !self.is_cut || self.last().is_none_or(|last| place < last)
    }

    /// Adds a series, and forgets the last ones where there is no room for them. One has room however large it is.
    fn put(&mut self, place: Place, frames: Vec<u8>) {
        self.bytes += bytes(&place, &frames);
        self.kept.insert(place, frames);
        while self.bytes > self.room
            && self.kept.len() > 1
            && let Some((place, frames)) = self.kept.pop_last()
        {
            self.bytes -= bytes(&place, &frames);
            self.is_cut = true;
        }
    }

    fn last(&self) -> Option<&Place> {
        self.kept.last_key_value().map(|(place, _)| place)
    }

    /// Their frames, many small ones in one piece.
    fn into_pieces(mut self) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        let mut piece = Vec::new();
        while let Some((_, mut frames)) = self.kept.pop_first() {
            if piece.is_empty() {
                piece = frames;
            } else {
                piece.append(&mut frames);
            }
            if piece.len() >= CHUNK_BYTES {
                pieces.push(std::mem::take(&mut piece).into());
            }
        }
        if !piece.is_empty() {
            pieces.push(piece.into());
        }
        pieces
    }
}

fn bytes(place: &Place, frames: &[u8]) -> usize {
    // Without external labels both are one.
    SERIES_BYTES + place.0.as_ref().as_bytes().len() + place.1.as_ref().as_bytes().len() + frames.len()
}

#[cfg(test)]
mod tests;
