//! What a search finds, counted while rows go by: over time, and by the values of fields and attributes. Memory is
//! bounded by how many values are told apart; the rest are counted together.

use std::collections::HashMap;
use std::num::NonZeroU32;

use arrow::array::RecordBatch;
use model::{TimeRange, Timestamp};
use search::{Datum, Target};
use store::{Cancel, Table, TelemetryStore};

use crate::audits::{columns_in, in_table};
use crate::fields::{Holds, Source, Sources, places};
use crate::values::{First, Values};
use crate::{Error, Kind, Search};

/// The most buckets of a histogram.
pub const MAX_BUCKETS: u32 = 1_000;
/// The most fields that are counted by their values at once.
pub const MAX_FACETS: usize = 16;
/// The most values of a field in an answer.
pub const MAX_VALUES: usize = 1_000;
/// The most values that a histogram tells apart.
const MAX_SERIES: usize = 32;
/// The most values of a field that are told apart while they are counted, and their bytes.
const MAX_DISTINCT: usize = 10_000;
const MAX_DISTINCT_BYTES: usize = 1 << 20;

/// So many values are few.
const FEW: usize = 8;

/// The longest name of a field, in bytes, as searches have it.
const MAX_NAME_BYTES: usize = 256;

/// A field or attribute by whose values records are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    name: String,
    /// Of these places the first that holds something.
    sources: Sources,
}

impl Facet {
    /// The field or attribute that a search names so, whether or not any record has it; `None` when it is one of times
    /// or durations, of which almost each record has another, or when nothing can have that name.
    pub fn named(kind: Kind, name: &str) -> Option<Self> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return None;
        }
        let target = kind.schema().target(name);
        if let Target::Field { kind: search::Kind::Duration | search::Kind::Time, .. } = target {
            return None;
        }
        let sources = places(kind, &target).into_iter().flatten().collect();
        Some(Self { name: name.to_owned(), sources })
    }

    fn sources_in(&self, table: Table) -> Sources {
        in_table(table, self.sources.clone())
    }

    /// As a search names it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// How many have one value; those that have none have `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The value.
    pub value: Option<String>,
    /// How many have it.
    pub count: u64,
}

/// Values of one field, those that most have first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetCounts {
    /// As a search names it.
    pub name: String,
    /// The values.
    pub values: Vec<Counted>,
    /// How many values there are, of those that were told apart.
    pub distinct: u64,
    /// How many records have values that are not among these.
    pub others: u64,
    /// Whether all values were told apart. If not, what comes last in the list may lack some of its records.
    pub is_exact: bool,
}

/// Records over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Where the first bucket begins.
    pub start: Timestamp,
    /// How long each is, in nanoseconds.
    pub step_nanos: u64,
    /// How many there are.
    pub buckets: usize,
    /// A count for each bucket, for each value; those with the most records first.
    pub series: Vec<Series>,
    /// Counts of records with values beyond those that are told apart.
    pub others: Vec<u64>,
    /// All of them.
    pub total: u64,
}

/// Records of one value over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The value; of those that have none `None`.
    pub value: Option<String>,
    /// A count for each bucket.
    pub counts: Vec<u64>,
}

/// What a search finds by the values of some fields, `most` of each.
pub fn facets(
    store: &dyn TelemetryStore,
    search: &Search,
    facets: &[Facet],
    most: usize,
    cancel: &Cancel,
) -> Result<Vec<FacetCounts>, Error> {
    let facets = &facets[..facets.len().min(MAX_FACETS)];
    let mut tallies: Vec<Tally> = facets.iter().map(|_| Tally::new(MAX_DISTINCT)).collect();
    if !search.is_empty() && !facets.is_empty() {
        // The time is always there, also where none of the fields can be.
        let of_facets = facets.iter().flat_map(|facet| facet.sources.iter().cloned());
        let sources: Sources = of_facets.chain([Source::Column("time", Holds::Time)]).collect();
        let columns = |table| columns_in(table, sources.iter().cloned());
        let mut add = |table, rows: &RecordBatch| {
            for (facet, tally) in facets.iter().zip(&mut tallies) {
                let sources = facet.sources_in(table);
                let values = First::of(rows, &sources);
                (0..rows.num_rows()).for_each(|row| tally.add(values.get(row)));
            }
            Ok(())
        };
        search.selection().each(store, columns, cancel, &mut add)?;
    }
    let counted = facets.iter().zip(tallies);
    Ok(counted.map(|(facet, tally)| tally.finish(facet.name.clone(), most.min(MAX_VALUES))).collect())
}

/// What a search finds over its range, which has two ends, in about so many buckets, by the values of a field.
pub fn histogram(
    store: &dyn TelemetryStore,
    search: &Search,
    by: Option<&Facet>,
    buckets: NonZeroU32,
    cancel: &Cancel,
) -> Result<Histogram, Error> {
    let mut counts = Counts::new(search.range(), buckets);
    if !search.is_empty() {
        let own = by.map(|by| by.sources.clone()).unwrap_or_default();
        let sources: Sources = own.into_iter().chain([Source::Column("time", Holds::Time)]).collect();
        let columns = |table| columns_in(table, sources.iter().cloned());
        let mut add = |table, rows: &RecordBatch| {
            counts.add(rows, by.map(|by| by.sources_in(table)).as_deref());
            Ok(())
        };
        search.selection().each(store, columns, cancel, &mut add)?;
    }
    Ok(counts.finish())
}

/// Values with a place for each, as many as are told apart.
struct Told {
    places: HashMap<String, usize>,
    /// In the order of their places.
    values: Vec<String>,
    bytes: usize,
    most: usize,
    /// The place of the last one that was looked up: neighbours are often alike.
    last: usize,
}

impl Told {
    fn new(most: usize) -> Self {
        Self { places: HashMap::new(), values: Vec::new(), bytes: 0, most, last: 0 }
    }

    /// The place of a value; `None` when it is not told apart from others.
    fn place(&mut self, value: &str) -> Option<usize> {
        if self.values.get(self.last).is_some_and(|last| last == value) {
            return Some(self.last);
        }
        // Of a few, as levels are, one is sooner found by looking at each.
        let known = match self.values.len() {
            ..=FEW => self.values.iter().position(|known| known == value),
            _ => self.places.get(value).copied(),
        };
        if let Some(place) = known {
            self.last = place;
            return known;
        }
        let bytes = self.bytes + value.len();
        if self.values.len() >= self.most || bytes > MAX_DISTINCT_BYTES {
            return None;
        }
        self.bytes = bytes;
        self.last = self.values.len();
        self.places.insert(value.to_owned(), self.last);
        self.values.push(value.to_owned());
        Some(self.last)
    }

    /// The values in the order of their places.
    fn into_values(self) -> Vec<String> {
        self.values
    }
}

/// Counts of the values of one field in the making.
struct Tally {
    told: Told,
    counts: Vec<u64>,
    without: u64,
    beyond: u64,
}

impl Tally {
    fn new(most: usize) -> Self {
        Self { told: Told::new(most), counts: Vec::new(), without: 0, beyond: 0 }
    }

    fn add(&mut self, value: Option<Datum<'_>>) {
        let Some(value) = value else {
            self.without += 1;
            return;
        };
        match self.told.place(&value.text()) {
            Some(place) if place < self.counts.len() => self.counts[place] += 1,
            Some(_) => self.counts.push(1),
            None => self.beyond += 1,
        }
    }

    fn finish(self, name: String, most: usize) -> FacetCounts {
        let Self { told, counts, without, beyond } = self;
        let counted = |(value, count)| Counted { value: Some(value), count };
        let mut values: Vec<Counted> = told.into_values().into_iter().zip(counts).map(counted).collect();
        let distinct = values.len() as u64;
        values.extend((without > 0).then_some(Counted { value: None, count: without }));
        values.sort_by(|a, b| (b.count, &a.value).cmp(&(a.count, &b.value)));
        let cut = values.split_off(values.len().min(most));
        let others = beyond + cut.iter().map(|counted| counted.count).sum::<u64>();
        FacetCounts { name, values, distinct, others, is_exact: beyond == 0 }
    }
}

/// How long after `start` a time is. Two times may lie farther apart than the nanoseconds of an `i64` reach.
fn nanos_between(start: i64, time: Timestamp) -> i128 {
    i128::from(time.as_nanos()) - i128::from(start)
}

/// Counts over time in the making.
struct Counts {
    start: i64,
    step: u64,
    buckets: usize,
    told: Told,
    told_counts: Vec<Vec<u64>>,
    without: Option<Vec<u64>>,
    others: Vec<u64>,
    total: u64,
}

impl Counts {
    fn new(range: TimeRange, buckets: NonZeroU32) -> Self {
        let buckets = u64::from(buckets.get().min(MAX_BUCKETS));
        let length = nanos_between(range.start.as_nanos(), range.end).saturating_add(1).max(1);
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let step = length.div_ceil(buckets).max(1);
        let buckets = usize::try_from(length.div_ceil(step)).unwrap_or(1);
        Self {
            start: range.start.as_nanos(),
            step,
            buckets,
            told: Told::new(MAX_SERIES),
            told_counts: Vec::new(),
            without: None,
            others: vec![0; buckets],
            total: 0,
        }
    }

    fn bucket(&self, time: Timestamp) -> Option<usize> {
        let behind = u64::try_from(nanos_between(self.start, time)).ok()?;
        usize::try_from(behind / self.step).ok().filter(|bucket| *bucket < self.buckets)
    }

    /// Adds rows, by the values of what lies in these places.
    fn add(&mut self, rows: &RecordBatch, by: Option<&[Source]>) {
        let at = Source::Column("time", Holds::Time);
        let times = Values::of(rows, &at);
        let values = by.map(|by| First::of(rows, by));
        for row in 0..rows.num_rows() {
            let Some(Datum::Time(time)) = times.get(row) else { continue };
            let Some(bucket) = self.bucket(time) else { continue };
            self.total += 1;
            let value = values.as_ref().and_then(|values| values.get(row));
            self.series_of(value)[bucket] += 1;
        }
    }

    fn series_of(&mut self, value: Option<Datum<'_>>) -> &mut Vec<u64> {
        let zeros = || vec![0; self.buckets];
        let Some(value) = value else { return self.without.get_or_insert_with(zeros) };
        match self.told.place(&value.text()) {
            Some(place) => {
                if place >= self.told_counts.len() {
                    self.told_counts.push(zeros());
                }
                &mut self.told_counts[place]
            }
            None => &mut self.others,
        }
    }

    fn finish(self) -> Histogram {
        let named = self.told.into_values().into_iter().zip(self.told_counts);
        let named = named.map(|(value, counts)| Series { value: Some(value), counts });
        let nameless = self.without.map(|counts| Series { value: None, counts });
        let mut series: Vec<Series> = named.chain(nameless).collect();
        series.sort_by_cached_key(|series| {
            (std::cmp::Reverse(series.counts.iter().sum::<u64>()), series.value.clone())
        });
        Histogram {
            start: Timestamp::from_nanos(self.start),
            step_nanos: self.step,
            buckets: self.buckets,
            series,
            others: self.others,
            total: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(start: i64, end: i64) -> TimeRange {
        TimeRange::new(Timestamp::from_nanos(start), Timestamp::from_nanos(end))
    }

    #[test]
    fn buckets_cover_a_range_of_any_length_and_are_no_more_than_asked_for() {
        let cases =
            [(0, 99, 10, 10, 10), (0, 99, 7, 15, 7), (5, 5, 10, 1, 1), (0, 2, 10, 1, 3), (9, 5, 3, 1, 1)];
        for (start, end, wanted, step, buckets) in cases {
            let counts = Counts::new(nanos(start, end), NonZeroU32::new(wanted).expect("some"));
            assert_eq!((counts.step, counts.buckets), (step, buckets), "{start}..{end} in {wanted}");
            assert!(start > end || counts.bucket(Timestamp::from_nanos(end)) == Some(buckets - 1));
            assert_eq!(counts.bucket(Timestamp::from_nanos(start - 1)), None);
        }
        let all = Counts::new(TimeRange::ALL, NonZeroU32::MAX);
        assert!(all.buckets <= MAX_BUCKETS as usize);
    }

    #[test]
    fn a_range_that_begins_centuries_before_its_records_has_them_in_its_last_buckets() {
        let now = 1_754_083_800_000_000_000;
        for start in [-8_000_000_000_000_000_000, i64::MIN] {
            let counts = Counts::new(nanos(start, now), NonZeroU32::new(10).expect("some"));
            assert_eq!(counts.buckets, 10, "{start}");
            assert_eq!(counts.bucket(Timestamp::from_nanos(now)), Some(9), "{start}");
            assert_eq!(counts.bucket(Timestamp::from_nanos(start)), Some(0), "{start}");
        }
        let all = Counts::new(TimeRange::ALL, NonZeroU32::new(4).expect("some"));
        let buckets = [i64::MIN, -1, 0, i64::MAX].map(|time| all.bucket(Timestamp::from_nanos(time)));
        assert_eq!(buckets, [Some(0), Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn values_beyond_those_that_are_told_apart_are_counted_together() {
        let mut tally = Tally::new(2);
        for value in ["a", "b", "b", "c", "a", "a", "d"] {
            tally.add(Some(value.into()));
        }
        tally.add(None);
        let counts = tally.finish("x".into(), 10);
        let values: Vec<_> =
            counts.values.iter().map(|counted| (counted.value.as_deref(), counted.count)).collect();
        assert_eq!(values, [(Some("a"), 3), (Some("b"), 2), (None, 1)]);
        assert_eq!((counts.others, counts.distinct, counts.is_exact), (2, 2, false));
        let mut long = Told::new(10);
        assert_eq!(long.place(&"x".repeat(MAX_DISTINCT_BYTES)), Some(0));
        assert_eq!((long.place("y"), long.place("")), (None, Some(1)));
    }

    #[test]
    fn fields_and_attributes_are_counted_and_times_and_durations_are_not() {
        let names = ["level", "service", "svc", "host", "tenant", "http.response.status_code", "process.pid"];
        let of_attributes =
            ["colour", "attributes.colour", "resource.k8s.pod.name", "category", "k8s.io/name"];
        for name in names.into_iter().chain(of_attributes) {
            let facet = Facet::named(Kind::Logs, name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(facet.name(), name);
        }
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for name in ["time", "timestamp", "observed_time", "duration", "attributes.duration", "", &long] {
            assert_eq!(Facet::named(Kind::Logs, name), None, "{name}");
        }
        assert_eq!(Facet::named(Kind::Spans, "duration"), None);
        assert_eq!(Facet::named(Kind::Spans, "duration_ns"), None);
        assert!(Facet::named(Kind::Spans, "kind").is_some());
    }
}
