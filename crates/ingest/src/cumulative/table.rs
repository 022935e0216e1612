//! The sums of all series, what they were before the calls that are on their way to the disk, and the memory of both.
//!
//! While calls are in flight a series has a list of what it was before each of them, the oldest first. When one is
//! stored, nothing goes back to before it any more: its sum holds what all calls before it have added. When one fails,
//! the series goes back, unless another has built on it: that one carries the difference then, and only when it fails,
//! too, the series goes back to before both.

use std::collections::HashMap;

use model::Timestamp;

use super::series::Series;
use super::{Bounds, Refusal};

/// How often it is looked at the most which series have been idle for too long.
const SWEEP_INTERVAL_MS: u64 = 10_000;

/// The sums of all series.
pub(super) struct Table {
    bounds: Bounds,
    /// By the hash of their labels. A series that has ended is not here.
    series: HashMap<u128, Series>,
    /// Only of series with a call in flight: the last one of each list is.
    before: HashMap<u128, Vec<Before>>,
    /// Memory of histograms in `series`.
    series_bytes: usize,
    /// Memory of histograms in `before`.
    before_bytes: usize,
    swept_ms: i64,
    last_ticket: u64,
}

/// What a series was before a call.
struct Before {
    ticket: u64,
    /// The call was not stored, and a later one carries what it added.
    has_failed: bool,
    was: Option<Series>,
}

impl Table {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            series: HashMap::new(),
            before: HashMap::new(),
            series_bytes: 0,
            before_bytes: 0,
            swept_ms: 0,
            last_ticket: 0,
        }
    }

    /// The number of a new call.
    pub(super) fn ticket(&mut self) -> u64 {
        self.last_ticket += 1;
        self.last_ticket
    }

    /// What a series is now.
    pub(super) fn get(&self, key: u128) -> Option<&Series> {
        self.series.get(&key)
    }

    /// Whether a call may make this of a series.
    pub(super) fn check_room(&self, ticket: u64, key: u128, next: Option<&Series>) -> Result<(), Refusal> {
        let now = self.series.get(&key);
        if now.is_none() && next.is_some() && self.series.len() >= self.bounds.max_series {
            return Err(Refusal::OverLimit);
        }
        let [now, next] = [now, next].map(bytes_of);
        if next > now && self.series_bytes - now + next > self.bounds.histogram_bytes {
            return Err(Refusal::OverMemory);
        }
        let is_kept = now > 0 && !self.has_changed(ticket, key);
        if is_kept && self.before_bytes + now > self.bounds.histogram_bytes {
            return Err(Refusal::Later("sums that are on their way to the disk for other requests"));
        }
        Ok(())
    }

    /// Makes something else of a series, or ends it. Whether it is the call's first change of the series: then it has
    /// to be settled.
    pub(super) fn change(&mut self, ticket: u64, key: u128, next: Option<Series>) -> bool {
        let was = self.put(key, next);
        if self.has_changed(ticket, key) {
            return false;
        }
        self.before_bytes += bytes_of(was.as_ref());
        self.before.entry(key).or_default().push(Before { ticket, has_failed: false, was });
        true
    }

    /// Ends a call for a series that it has changed: its sum is stored, or is not.
    pub(super) fn settle(&mut self, ticket: u64, key: u128, stored: bool) {
        // A later call may have been stored meanwhile: then there is nothing to go back to.
        let Some(calls) = self.before.get_mut(&key) else { return };
        let Some(place) = calls.iter().position(|call| call.ticket == ticket) else { return };
        let ended: Vec<Before> = if stored {
            calls.drain(..=place).collect()
        } else {
            calls[place].has_failed = true;
            let in_flight = calls.iter().rposition(|call| !call.has_failed).map_or(0, |last| last + 1);
            calls.drain(in_flight..).collect()
        };
        if calls.is_empty() {
            self.before.remove(&key);
        }
        self.before_bytes -= ended.iter().map(|call| bytes_of(call.was.as_ref())).sum::<usize>();
        if !stored && let Some(first) = ended.into_iter().next() {
            self.put(key, first.was);
        }
    }

    /// Whether what a series is now is on its way to the disk for another call.
    pub(super) fn is_in_flight(&self, ticket: u64, key: u128) -> bool {
        self.last_call(key).is_some_and(|last| last.ticket != ticket)
    }

    fn has_changed(&self, ticket: u64, key: u128) -> bool {
        self.last_call(key).is_some_and(|last| last.ticket == ticket)
    }

    fn last_call(&self, key: u128) -> Option<&Before> {
        self.before.get(&key)?.last()
    }

    /// Forgets series that have been idle for too long. Goes over all of them, but not more often than every ten
    /// seconds.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let now_ms = now.as_millis();
        if self.swept_ms.abs_diff(now_ms) < SWEEP_INTERVAL_MS {
            return;
        }
        self.swept_ms = now_ms;
        let oldest_ms = now.before(self.bounds.idle).as_millis();
        let is_idle =
            |key: &u128, series: &Series| !series.is_heard_since(oldest_ms) && !self.before.contains_key(key);
        let idle: Vec<u128> =
            self.series.iter().filter(|(key, series)| is_idle(key, series)).map(|(key, _)| *key).collect();
        for key in idle {
            self.put(key, None);
        }
    }

    /// Puts a series in the place of what it was, which is given back: the one place where memory of sums is charged
    /// and discharged.
    fn put(&mut self, key: u128, series: Option<Series>) -> Option<Series> {
        self.series_bytes += bytes_of(series.as_ref());
        let was = match series {
            Some(series) => self.series.insert(key, series),
            None => self.series.remove(&key),
        };
        self.series_bytes -= bytes_of(was.as_ref());
        was
    }

    /// How many series there are, and the memory of their histograms: of the sums, and of what they were before.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize, usize) {
        (self.series.len(), self.series_bytes, self.before_bytes)
    }
}

fn bytes_of(series: Option<&Series>) -> usize {
    series.map_or(0, Series::bytes)
}
