//! Patterns over a real store.

use model::event::{Event, Level, LogEvent};
use model::{TimeRange, Timestamp};
use store::Cancel;

use super::made_up::NOW;
use super::stored::Stored;
use crate::{Kind, Patterns, Search, id_of_log, patterns};

fn log(number: i64) -> LogEvent {
    LogEvent {
        level: Some(if number % 3 == 0 { Level::Warn } else { Level::Info }),
        message: (number != 7).then(|| format!("page {number} took {}ms", number * 13)),
        ..LogEvent::new(Timestamp::from_nanos(NOW.as_nanos() - 1_000 + number), Default::default())
    }
}

fn found(stored: &Stored, text: &str) -> Patterns {
    let search = Search::new(Kind::Logs, text, TimeRange::ALL, NOW).expect("a query");
    patterns(&*stored.store, &search, 10, &Cancel::never()).expect("patterns")
}

#[test]
fn patterns_are_those_of_what_a_search_finds_in_files_and_memory() {
    let logs: Vec<LogEvent> = (0..300).map(log).collect();
    let events: Vec<Event> = logs.iter().cloned().map(|log| Event::Log(Box::new(log))).collect();
    let stored = Stored::in_files_and_memory(&events);
    let all = found(&stored, "");
    assert_eq!((all.total, all.without, all.other, all.distinct), (300, 1, 0, 1));
    let [pages] = &all.items[..] else { panic!("one pattern: {all:?}") };
    assert_eq!((pages.template.as_str(), pages.count), ("page <num> took <num>", 299));
    assert_eq!((pages.first_seen, pages.last_seen), (logs[0].time, logs[299].time));
    assert_eq!(pages.levels, [(search::Level::Info, 199), (search::Level::Warn, 100)]);
    assert_eq!(pages.example.id, id_of_log(&logs[299]), "it is found by its id");
    assert_eq!(Some(&pages.example.message), logs[299].message.as_ref());

    let some = found(&stored, "level:warn page");
    assert_eq!((some.total, some.items[0].count), (100, 100));
    assert_eq!(found(&stored, "nothing"), Patterns { is_exact: true, ..Patterns::default() });
    assert_eq!(found(&stored, "time<2000-01-01").total, 0);
}
