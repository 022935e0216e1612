//! From a query to what the store is asked: a predicate that every record satisfies that the query finds, and no other.
//!
//! A record that lacks a value satisfies no test of it, in the language and in the store alike, so that the opposite
//! of what is exact is exact too.

use std::ops::Bound;
use std::sync::Arc;

use model::event::AuditCategory;
use regex::RegexBuilder;
use search::limits::MAX_COMPILED_BYTES;
use search::{CompareOp, Datum, Filter, Glob, Level, Part, Target, Term, Test, Value};
use store::{FilterOp, OwnTest, Phrase, Predicate, Scalar, Table, TextPattern};

use crate::Kind;
use crate::audits::{category, in_table};
use crate::fields::{Holds, Source, places};
use crate::rest::Rest;

/// What the store is asked of a table.
pub(crate) fn predicate(kind: Kind, table: Table, filter: &Filter) -> Predicate {
    let all = |parts: &[Filter]| parts.iter().map(|part| predicate(kind, table, part)).collect();
    match filter {
        Filter::All => Predicate::everything(),
        Filter::And(parts) => Predicate::All(all(parts)),
        Filter::Or(parts) => Predicate::Any(all(parts)),
        Filter::Not(part) => predicate(kind, table, part).opposite(),
        Filter::Term(term) => {
            let values = places(kind, &term.target).into_iter();
            Predicate::Any(values.map(|sources| first_of(in_table(table, sources), &term.test)).collect())
        }
    }
}

/// A test of the first of some places that holds something.
pub(crate) fn first_of(sources: Vec<Source>, test: &Test) -> Predicate {
    let mut nothing_before = Vec::new();
    let mut ways = Vec::with_capacity(sources.len());
    for source in sources {
        let mut way: Vec<Predicate> = nothing_before.clone();
        way.push(of_value(&source, test));
        ways.push(Predicate::All(way));
        nothing_before.push(exists(&source).opposite());
    }
    Predicate::Any(ways)
}

/// A test of one value.
fn of_value(source: &Source, test: &Test) -> Predicate {
    conditions(source, test)
        .unwrap_or_else(|| Predicate::All(vec![exists(source), own_test(source, test.clone())]))
}

fn exists(source: &Source) -> Predicate {
    asked(source, store::Test::Exists).unwrap_or_else(|| own_test(source, Test::Exists))
}

fn own_test(source: &Source, test: Test) -> Predicate {
    Predicate::Own(OwnTest(Arc::new(Rest::new(source.clone(), test))))
}

/// A condition of the store; it has none for attributes whose names it does not know.
fn asked(source: &Source, test: store::Test) -> Option<Predicate> {
    match source {
        Source::Column(column, _) => Some(Predicate::column(column, test)),
        Source::Attribute(map, key) => Some(Predicate::attribute(map, key.as_str(), test)),
        Source::Labelled(..) => None,
    }
}

/// Conditions of the store that say the same; `None` when there are none.
fn conditions(source: &Source, test: &Test) -> Option<Predicate> {
    let holds = match source {
        Source::Column(_, holds) => *holds,
        Source::Attribute(..) | Source::Labelled(..) => Holds::Text,
    };
    if holds == Holds::Level {
        // There are six of them.
        let levels = Level::ALL.into_iter().filter(|level| test.holds(&Datum::Level(*level)));
        let equal = |level: Level| asked(source, store::Test::equal(level.name()));
        return levels.map(equal).collect::<Option<Vec<_>>>().map(Predicate::Any);
    }
    if holds == Holds::Category {
        // There are three of them.
        let kinds = AuditCategory::ALL.iter().filter(|kind| test.holds(&category(**kind).into()));
        let equal = |kind: &AuditCategory| asked(source, store::Test::equal(kind.as_str()));
        return kinds.map(equal).collect::<Option<Vec<_>>>().map(Predicate::Any);
    }
    match test {
        Test::Exists => asked(source, store::Test::Exists),
        Test::Compare(op, value) => asked(source, compared(holds, *op, value)?),
        Test::Between(low, high) => between(source, holds, low, high),
        Test::Words(_) | Test::Equals(_) | Test::Like(_) | Test::Matches(_) if holds != Holds::Text => None,
        Test::Equals(text) => asked(source, store::Test::equal(text.as_str())),
        Test::Words(tests) => {
            let tests = tests.iter().map(word).collect::<Option<Vec<_>>>()?;
            asked(source, store::Test::Words(Phrase::new(tests)))
        }
        Test::Matches(pattern) => {
            let pattern = TextPattern::new(pattern.regex().clone(), []);
            asked(source, store::Test::Matches(pattern))
        }
        Test::Like(glob) => {
            let mut tests = beginning(glob);
            tests.push(store::Test::Matches(pattern(glob, certain(test))?));
            let all = tests.into_iter().map(|test| asked(source, test));
            all.collect::<Option<Vec<_>>>().map(Predicate::All)
        }
    }
}

fn word(test: &search::WordTest) -> Option<store::WordTest> {
    Some(match test {
        search::WordTest::Is(word) => store::WordTest::Is(word.clone()),
        search::WordTest::Like(glob) => store::WordTest::Like(pattern(glob, Vec::new())?),
    })
}

fn pattern(glob: &Glob, certain: Vec<String>) -> Option<TextPattern> {
    // It was compiled within the same bound when the query was read.
    let regex = RegexBuilder::new(&glob.to_regex()).size_limit(MAX_COMPILED_BYTES).build().ok()?;
    let parts = glob.parts().iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Any | Part::One => None,
    });
    Some(TextPattern::new(regex, certain).with_parts(parts))
}

/// Words that every text has that satisfies the test.
fn certain(test: &Test) -> Vec<String> {
    let term = Filter::Term(Term { target: Target::Any, test: test.clone() });
    term.needs().words().into_iter().map(str::to_owned).collect()
}

/// Between which texts everything lies that begins as the glob does, so that bounds of columns tell of it.
fn beginning(glob: &Glob) -> Vec<store::Test> {
    let (prefix, _) = glob.prefix();
    let mut tests = Vec::new();
    if prefix.is_empty() {
        return tests;
    }
    tests.push(store::Test::Compare(FilterOp::AtLeast, prefix.into()));
    let (rest, last) = prefix.split_at(prefix.len() - prefix.chars().next_back().map_or(0, char::len_utf8));
    // What comes right behind all that begin so, where that is a character of ASCII too.
    if let [last] = last.as_bytes()
        && *last < 0x7f
    {
        let behind = format!("{rest}{}", char::from(*last + 1));
        tests.push(store::Test::Compare(FilterOp::Less, behind.into()));
    }
    tests
}

const fn operator(op: CompareOp) -> FilterOp {
    match op {
        CompareOp::Equal => FilterOp::Equal,
        CompareOp::Less => FilterOp::Less,
        CompareOp::AtMost => FilterOp::AtMost,
        CompareOp::Greater => FilterOp::Greater,
        CompareOp::AtLeast => FilterOp::AtLeast,
    }
}

/// A comparison of what a column holds with a value of the same kind.
fn compared(holds: Holds, op: CompareOp, value: &Value) -> Option<store::Test> {
    let scalar = match (holds, value) {
        (Holds::Text, Value::Text(text)) => Scalar::Text(text.clone()),
        (Holds::Count, Value::Number(number)) => Scalar::Number(*number),
        (Holds::Nanos, Value::Duration(duration)) => Scalar::Count(u64::try_from(duration.as_nanos()).ok()?),
        (Holds::Time, Value::Time(time)) => Scalar::Time(*time),
        _ => return None,
    };
    Some(store::Test::Compare(operator(op), scalar))
}

fn between(source: &Source, holds: Holds, low: &Bound<Value>, high: &Bound<Value>) -> Option<Predicate> {
    let mut all = vec![exists(source)];
    let ends = [(low, CompareOp::AtLeast, CompareOp::Greater), (high, CompareOp::AtMost, CompareOp::Less)];
    for (end, included, excluded) in ends {
        let (op, value) = match end {
            Bound::Unbounded => continue,
            Bound::Included(value) => (included, value),
            Bound::Excluded(value) => (excluded, value),
        };
        all.push(asked(source, compared(holds, op, value)?)?);
    }
    Some(Predicate::All(all))
}
