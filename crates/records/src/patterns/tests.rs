use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

/// Messages, one a second, taken in the given order.
fn clustered(messages: &[&str], order: &[usize], bounds: (usize, usize), most: usize) -> Patterns {
    let mut clusters = Clusters::new(bounds.0, bounds.1);
    for &place in order {
        let id = || place as u64;
        let level = Some(if place.is_multiple_of(2) { Level::Info } else { Level::Error });
        clusters.total += 1;
        clusters.add(&Counted { time: at(place as i64), level, message: messages[place], id: &id });
    }
    clusters.finish(most)
}

fn shown(patterns: &Patterns) -> Vec<(&str, u64)> {
    patterns.items.iter().map(|pattern| (pattern.template.as_str(), pattern.count)).collect()
}

const MESSAGES: [&str; 8] = [
    "page 1 of doc-17 done by alice",
    "page 2 of doc-18 done by bob",
    "retry 1 in 500ms",
    "page 3 of doc-19 done by carol",
    "retry 2 in 1.5s",
    "connection refused",
    "page 4 of doc-20 done by alice",
    "retry 3 in 2s",
];

#[test]
fn what_a_pattern_has_is_that_of_its_records() {
    let all: Vec<usize> = (0..MESSAGES.len()).collect();
    let found = clustered(&MESSAGES, &all, (100, 100), 10);
    let expected =
        [("page <num> of doc-<num> done by <*>", 4), ("retry <num> in <num>", 3), ("connection refused", 1)];
    assert_eq!(shown(&found), expected);
    let retries = &found.items[1];
    assert_eq!((retries.first_seen, retries.last_seen), (at(2), at(7)));
    assert_eq!(retries.levels, [(Level::Info, 2), (Level::Error, 1)]);
    let example = Example { time: at(7), id: 7, message: "retry 3 in 2s".into() };
    assert_eq!(retries.example, example);
    assert_eq!((found.distinct, found.other, found.total, found.is_exact), (3, 0, 8, true));
}

#[test]
fn the_order_in_which_records_come_changes_nothing() {
    let all: Vec<usize> = (0..MESSAGES.len()).collect();
    let first = clustered(&MESSAGES, &all, (100, 100), 10);
    for turn in 1..MESSAGES.len() {
        let mut order = all.clone();
        order.rotate_left(turn);
        assert_eq!(clustered(&MESSAGES, &order, (100, 100), 10), first, "{order:?}");
        order.reverse();
        assert_eq!(clustered(&MESSAGES, &order, (100, 100), 10), first, "{order:?}");
    }
}

#[test]
fn forms_that_are_handed_on_early_lose_no_record() {
    let all: Vec<usize> = (0..MESSAGES.len()).collect();
    let found = clustered(&MESSAGES, &all, (2, 100), 10);
    assert_eq!(found.items.iter().map(|pattern| pattern.count).sum::<u64>(), 8);
    assert_eq!(shown(&found)[1], ("retry <num> in <num>", 3));
}

#[test]
fn records_beyond_the_templates_that_are_told_apart_or_shown_are_counted_together() {
    let all: Vec<usize> = (0..MESSAGES.len()).collect();
    let few = clustered(&MESSAGES, &all, (100, 1), 10);
    assert_eq!((few.items.len(), few.distinct, few.is_exact), (1, 1, false));
    assert_eq!(few.items[0].count + few.other, few.total);
    let one = clustered(&MESSAGES, &all, (100, 100), 1);
    assert_eq!((one.items.len(), one.distinct, one.other, one.is_exact), (1, 3, 4, true));
}

#[test]
fn the_example_of_a_long_message_is_its_beginning() {
    let long = "ö".repeat(MAX_EXAMPLE_BYTES);
    let found = clustered(&[long.as_str()], &[0], (100, 100), 10);
    assert_eq!(found.items[0].example.message, "ö".repeat(MAX_EXAMPLE_BYTES / 2));
}
