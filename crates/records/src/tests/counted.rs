//! Pages and counts over a real store.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use model::event::{Event, Level, LogEvent, Origin};
use model::{TimeRange, Timestamp};
use store::{Cancel, Order};

use super::made_up::{NOW, logs};
use super::stored::Stored;
use crate::{Context, Cursor, Facet, Kind, Page, Search, around, facets, histogram, id_of_log};

fn search(text: &str) -> Search {
    let hour = TimeRange::new(Timestamp::from_nanos(NOW.as_nanos() - 3_600_000_000_000), NOW);
    Search::new(Kind::Logs, text, hour, NOW).expect("a query")
}

fn all_pages(stored: &Stored, search: &Search, order: Order, limit: usize) -> Vec<LogEvent> {
    let mut all = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = crate::logs(&*stored.store, search, &Page { limit, order, after }, &Cancel::never());
        let page = page.expect("a page");
        assert!(page.items.len() <= limit && (page.next.is_none() || !page.items.is_empty()));
        all.extend(page.items);
        // As a client does it.
        match page.next.map(|next| next.to_string().parse()) {
            Some(next) => after = Some(next.expect("it survives being written")),
            None => return all,
        }
    }
}

fn ids(logs: &[LogEvent]) -> Vec<&str> {
    logs.iter().map(|log| log.event_id.as_deref().expect("an id")).collect()
}

#[test]
fn pages_have_every_record_once_and_in_order_also_where_many_are_of_one_time() {
    let mut events = logs(300);
    for event in &mut events[100..180] {
        let Event::Log(log) = event else { panic!("a log") };
        log.time = Timestamp::from_nanos(NOW.as_nanos() - 1_000_000_000);
    }
    let stored = Stored::in_files_and_memory(&events);
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let whole = all_pages(&stored, &search("-nothing"), order, 1_000);
        assert_eq!(whole.len(), 300);
        for limit in [1, 7, 100] {
            let paged = all_pages(&stored, &search("-nothing"), order, limit);
            assert_eq!(ids(&paged), ids(&whole), "{order:?} by {limit}");
        }
    }
    let narrow = search("level>=warn -retry");
    let by_seven = all_pages(&stored, &narrow, Order::NewestFirst, 7);
    assert_eq!(ids(&by_seven), ids(&all_pages(&stored, &narrow, Order::NewestFirst, 1_000)));
    assert!(all_pages(&stored, &search("time<2020-01-01"), Order::NewestFirst, 7).is_empty());
}

#[test]
fn records_that_come_between_two_pages_make_none_come_twice() {
    let at = |id: String, time: i64| {
        let log = LogEvent::new(Timestamp::from_nanos(NOW.as_nanos() - time), Arc::default());
        Event::Log(Box::new(LogEvent { event_id: Some(id), ..log }))
    };
    let stored = Stored::new();
    stored.take(&(0..10).map(|number| at(format!("a{number}"), 5)).collect::<Vec<_>>());
    let page = |after| {
        let page = Page { limit: 4, order: Order::NewestFirst, after };
        crate::logs(&*stored.store, &search(""), &page, &Cancel::never()).expect("a page")
    };
    let first = page(None);
    assert_eq!(ids(&first.items), ["a9", "a8", "a7", "a6"]);
    stored.take(&[at("late".into(), 5), at("new".into(), 0)]);
    assert_eq!(ids(&page(first.next).items), ["a5", "a4", "a3", "a2"]);
}

#[test]
fn counts_over_time_and_by_value_are_those_of_the_records() {
    let events = logs(300);
    let stored = Stored::in_files_and_memory(&events);
    for text in ["-nothing", "retry OR timed", "http.response.status_code:*", "attempts>2", "time<2020-01-01"]
    {
        let search = search(text);
        let found = all_pages(&stored, &search, Order::OldestFirst, 1_000);
        let level = Facet::named(Kind::Logs, "level").expect("a column");
        let counted = histogram(
            &*stored.store,
            &search,
            Some(&level),
            NonZeroU32::new(10).expect("ten"),
            &Cancel::never(),
        );
        let counted = counted.expect("counts");
        assert_eq!(counted.total, found.len() as u64, "{text}");
        let mut expected: BTreeMap<(Option<&str>, usize), u64> = BTreeMap::new();
        for log in &found {
            let behind = (log.time.as_nanos() - counted.start.as_nanos()) as u64 / counted.step_nanos;
            *expected.entry((log.level.map(Level::as_str), behind as usize)).or_default() += 1;
        }
        let mut got = BTreeMap::new();
        for series in &counted.series {
            assert_eq!(series.counts.len(), counted.buckets);
            for (bucket, count) in series.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                got.insert((series.value.as_deref(), bucket), *count);
            }
        }
        assert_eq!(got, expected, "{text}");
        assert_eq!(counted.others.iter().sum::<u64>(), 0);

        let fields =
            ["service", "http.response.status_code"].map(|name| Facet::named(Kind::Logs, name).expect("it"));
        let values = facets(&*stored.store, &search, &fields, 2, &Cancel::never()).expect("counts");
        let mut services: BTreeMap<Option<String>, u64> = BTreeMap::new();
        for log in &found {
            *services.entry(log.origin.service.clone()).or_default() += 1;
        }
        let shown: u64 = values[0].values.iter().map(|value| value.count).sum();
        assert_eq!(shown + values[0].others, found.len() as u64, "{text}");
        for value in &values[0].values {
            assert_eq!(services.get(&value.value), Some(&value.count), "{text}");
        }
        assert!(values[0].values.len() <= 2 && values[1].is_exact && values[1].name == fields[1].name());
        let most = services.values().max().copied();
        assert_eq!(values[0].values.first().map(|value| value.count), most);
    }
}

#[test]
fn a_record_stands_among_those_of_its_source() {
    let stored = Stored::new();
    let log = |number: i64, service: &str, time: i64| {
        let origin = Origin { service: Some(service.to_owned()), ..Origin::default() };
        let log = LogEvent::new(Timestamp::from_nanos(NOW.as_nanos() + time), Arc::new(origin));
        LogEvent { event_id: Some(format!("{service}{number}")), ..log }
    };
    // Every second record is of another service, and three of the first are of one time.
    let times = [0, 1, 2, 5, 5, 5, 6, 7, 8];
    let logs: Vec<LogEvent> = (0..9)
        .flat_map(|number| {
            [log(number, "a", times[number as usize]), log(number, "b", times[number as usize])]
        })
        .collect();
    let events: Vec<Event> = logs.iter().cloned().map(|log| Event::Log(Box::new(log))).collect();
    stored.take(&events[..10]);
    stored.to_file();
    stored.take(&events[10..]);
    let context = Context { service: Some("a".to_owned()), ..Context::default() };
    let shown = |number: usize, id: bool, before, after| {
        let middle = &logs[number * 2];
        let id = id.then(|| id_of_log(middle));
        let found = around(&*stored.store, &context, (middle.time, id), (before, after), &Cancel::never());
        let found = found.expect("records").expect("the one in the middle");
        (ids(&found.items).join(" "), found.place)
    };
    assert_eq!(shown(2, true, 1, 1), ("a1 a2 a3".into(), Some(1)));
    assert_eq!(shown(0, true, 5, 2), ("a0 a1 a2".into(), Some(0)));
    assert_eq!(shown(8, true, 2, 5), ("a6 a7 a8".into(), Some(2)));
    for (number, expected) in [(3, "a2 a3 a4"), (4, "a3 a4 a5"), (5, "a4 a5 a6")] {
        assert_eq!(shown(number, true, 1, 1), (expected.into(), Some(1)));
    }
    // The last one of its time, and nothing around it.
    assert_eq!(shown(3, false, 0, 0), ("a5".into(), Some(0)));
    assert_eq!(shown(3, true, 0, 0), ("a3".into(), Some(0)));
    // Nothing is of that time, or has that id.
    let around_it = |time: i64, id| {
        let time = Timestamp::from_nanos(NOW.as_nanos() + time);
        around(&*stored.store, &context, (time, id), (2, 1), &Cancel::never()).expect("an answer")
    };
    let between = around_it(3, None).expect("records");
    assert_eq!((ids(&between.items).join(" "), between.place), ("a1 a2 a3".into(), None));
    for time in [0, 3, 5, 99] {
        assert!(around_it(time, Some(5)).is_none(), "{time}");
    }
}

#[test]
fn a_record_is_found_among_thousands_of_its_time_with_what_stands_around_it() {
    let stored = Stored::new();
    let log = |time: i64, id: String| {
        let log = LogEvent::new(Timestamp::from_nanos(NOW.as_nanos() + time), Arc::default());
        LogEvent { event_id: Some(id), ..log }
    };
    let many: Vec<LogEvent> = (0..2_500).map(|number| log(5, format!("b{number}"))).collect();
    let rest = [log(4, "before".to_owned()), log(6, "later".to_owned())];
    let events: Vec<Event> = many.iter().chain(&rest).cloned().map(|log| Event::Log(Box::new(log))).collect();
    stored.take(&events[..1_000]);
    stored.to_file();
    stored.take(&events[1_000..]);
    for (number, expected, place) in [
        (1_250, "b1248 b1249 b1250 b1251", 2),
        (0, "before b0 b1", 1),
        (1, "before b0 b1 b2", 2),
        (2_499, "b2497 b2498 b2499 later", 2),
    ] {
        let middle = (many[number].time, Some(id_of_log(&many[number])));
        let found = around(&*stored.store, &Context::default(), middle, (2, 1), &Cancel::never());
        let found = found.expect("records").expect("the one in the middle");
        assert_eq!((ids(&found.items).join(" "), found.place), (expected.to_owned(), Some(place)));
    }
    let nobody = (many[0].time, Some(5));
    let found = around(&*stored.store, &Context::default(), nobody, (2, 1), &Cancel::never());
    assert!(found.expect("an answer").is_none());
}
