//! Records of logs as Loki has them: lines in streams, which are told apart by a few labels.
//!
//! The labels of streams are these and no others: columns of few values, never ids. All other facts of a record can be
//! asked for by filters of labels, under the names of their columns or of their attributes.

use model::TimeRange;
use model::event::{Level, LogEvent};
use search::logql::{LabelFilter, LineFilter, Lines, Matcher, Stage, TextTest};
use search::{CompareOp, Comparison, Test};
use store::{Cancel, FilterOp, Order, Predicate, Table, TelemetryStore, TextPattern};

use crate::audits::in_table;
use crate::compile::first_of;
use crate::fields::{Holds, Source, label};
use crate::read::read;
use crate::sets::Labels;
use crate::{Error, Kind, Selection};

/// The labels of streams.
pub const STREAM_LABELS: [&str; 6] =
    ["environment", "host", "level", "service_name", "service_namespace", "stage"];
/// The most lines of an answer.
pub const MAX_LINES: usize = 5_000;

/// The column that lines are in.
pub(crate) const LINE: &str = "message";

/// The labels of the stream that a record is in.
pub fn stream_of(log: &LogEvent) -> Labels {
    let origin = &log.origin;
    let values = [
        origin.environment.as_deref(),
        origin.host.as_deref(),
        log.level.map(Level::as_str),
        origin.service.as_deref(),
        origin.service_namespace.as_deref(),
        log.conventions.stage.as_deref(),
    ];
    let named = STREAM_LABELS.into_iter().zip(values);
    let there = named.filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    there.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The lines that a query means.
pub fn selected(lines: &Lines, range: TimeRange) -> Selection {
    Selection::new(Kind::Logs, range, |table| {
        let matchers = lines.matchers.iter().map(|one| matcher(table, one));
        let stages = lines.stages.iter().map(|stage| match stage {
            Stage::Line(filter) => line(table, filter),
            Stage::Label(filter) => labels(table, filter),
        });
        Predicate::All(matchers.chain(stages).collect())
    })
}

/// The first lines in an order, at most [`MAX_LINES`].
pub fn lines(
    store: &dyn TelemetryStore,
    selection: &Selection,
    order: Order,
    limit: usize,
    cancel: &Cancel,
) -> Result<Vec<LogEvent>, Error> {
    if selection.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let most = limit.min(MAX_LINES);
    read(store, |table| selection.scan(table, selection.range(), order, most, cancel))
}

fn negated(predicate: Predicate, is_negated: bool) -> Predicate {
    if is_negated { predicate.opposite() } else { predicate }
}

/// A label that is not there has the empty value.
fn matcher(table: Table, matcher: &Matcher) -> Predicate {
    let sources = in_table(table, label(&matcher.label));
    let (test, takes_nothing) = match &matcher.test {
        TextTest::Text(text) => (Test::Equals(text.clone()), text.is_empty()),
        TextTest::Pattern(pattern) => (Test::Matches(pattern.clone()), pattern.is_match("")),
    };
    let mut found = first_of(sources.clone(), &test);
    if takes_nothing {
        found = Predicate::Any(vec![found, first_of(sources, &Test::Exists).opposite()]);
    }
    negated(found, matcher.is_negated)
}

fn labels(table: Table, filter: &LabelFilter) -> Predicate {
    let each = |parts: &[LabelFilter]| parts.iter().map(|part| labels(table, part)).collect();
    match filter {
        LabelFilter::All(parts) => Predicate::All(each(parts)),
        LabelFilter::Any(parts) => Predicate::Any(each(parts)),
        LabelFilter::Text(text) => matcher(table, text),
        LabelFilter::Compare { label: name, comparison, value } => {
            let sources = in_table(table, label(name));
            let compared = |op| first_of(sources.clone(), &Test::Compare(op, value.clone()));
            match comparison {
                Comparison::Equal => compared(CompareOp::Equal),
                // What is no such value is not another one.
                Comparison::NotEqual => {
                    Predicate::Any(vec![compared(CompareOp::Less), compared(CompareOp::Greater)])
                }
                Comparison::Less => compared(CompareOp::Less),
                Comparison::AtMost => compared(CompareOp::AtMost),
                Comparison::Greater => compared(CompareOp::Greater),
                Comparison::AtLeast => compared(CompareOp::AtLeast),
            }
        }
    }
}

/// A record without a message is an empty line.
fn line(table: Table, filter: &LineFilter) -> Predicate {
    let has = |test: &TextTest| match test {
        TextTest::Text(text) if text.is_empty() => Predicate::everything(),
        TextTest::Text(text) => {
            of_line(table, &store::Test::Compare(FilterOp::Contains, text.as_str().into()))
        }
        TextTest::Pattern(pattern) => {
            let matches = store::Test::Matches(TextPattern::new(pattern.regex().clone(), []));
            let found = of_line(table, &matches);
            if pattern.is_match("") {
                let nothing = of_line(table, &store::Test::Exists).opposite();
                Predicate::Any(vec![found, nothing])
            } else {
                found
            }
        }
    };
    negated(Predicate::Any(filter.any.iter().map(has).collect()), filter.is_negated)
}

/// A condition on the line of a record: on the first column of the table that has one.
fn of_line(table: Table, test: &store::Test) -> Predicate {
    let mut nothing_before: Vec<Predicate> = Vec::new();
    let mut ways = Vec::new();
    for source in in_table(table, vec![Source::Column(LINE, Holds::Text)]) {
        let mut way = nothing_before.clone();
        way.push(Predicate::column(source.column(), test.clone()));
        ways.push(Predicate::All(way));
        nothing_before.push(Predicate::column(source.column(), store::Test::Exists).opposite());
    }
    Predicate::Any(ways)
}
