//! Processes that ended in a way that somebody should know of: the newest of them, for people who ask
//! what crashed.

use std::collections::BTreeMap;

use model::Timestamp;
use model::event::{ExitCause, ExitEvent};
use parking_lot::RwLock;

use crate::{Listing, Page};

/// Which exits are wanted; all that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitFilter {
    /// What ended the process.
    pub cause: Option<ExitCause>,
    /// The host.
    pub host: Option<String>,
    /// The group of processes.
    pub group: Option<String>,
    /// The unit of the service manager.
    pub unit: Option<String>,
    /// Text in its name, command or message.
    pub text: Option<String>,
    /// Not before this time.
    pub since: Option<Timestamp>,
}

impl ExitFilter {
    fn admits(&self, exit: &ExitEvent) -> bool {
        let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        let has_text = |wanted: &str| {
            let texts = [Some(&exit.name), exit.command.as_ref(), exit.message.as_ref()];
            texts.into_iter().flatten().any(|text| text.contains(wanted))
        };
        self.cause.is_none_or(|cause| cause == exit.cause)
            && is(&self.host, &exit.host)
            && is(&self.group, &exit.group)
            && is(&self.unit, &exit.unit)
            && self.text.as_deref().is_none_or(has_text)
            && self.since.is_none_or(|since| exit.time >= since)
    }
}

/// The newest exits.
#[derive(Debug)]
pub struct Exits {
    /// By time, then by id: an event that is folded twice has one place.
    exits: RwLock<BTreeMap<(Timestamp, String), ExitEvent>>,
    max: usize,
}

impl Exits {
    pub(crate) fn new(max: usize) -> Self {
        Self { exits: RwLock::default(), max }
    }

    /// Takes note of an exit. The oldest one too many is forgotten here; it stays in the store.
    pub(crate) fn fold(&self, exit: &ExitEvent) {
        let mut exits = self.exits.write();
        exits.insert((exit.time, exit.event_id.clone()), exit.clone());
        while exits.len() > self.max {
            exits.pop_first();
        }
    }

    /// The exits that `filter` admits, newest first.
    pub fn list(&self, filter: &ExitFilter, page: Page) -> Listing<ExitEvent> {
        let exits = self.exits.read();
        let found: Vec<&ExitEvent> = exits.values().rev().filter(|exit| filter.admits(exit)).collect();
        Listing::take(found.into_iter(), page, ExitEvent::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::exit;

    fn ids(listing: &Listing<ExitEvent>) -> Vec<&str> {
        listing.items.iter().map(|exit| exit.event_id.as_str()).collect()
    }

    #[test]
    fn the_newest_exits_come_first_and_one_folded_twice_is_there_once() {
        let exits = Exits::new(10);
        for (id, seconds) in [("b", 2), ("a", 1), ("c", 3), ("b", 2)] {
            exits.fold(&exit(id, seconds, ExitCause::Signal));
        }
        let all = exits.list(&ExitFilter::default(), Page::default());
        assert_eq!(ids(&all), ["c", "b", "a"]);
        let second = exits.list(&ExitFilter::default(), Page { offset: 1, limit: 1 });
        assert_eq!((ids(&second), second.total), (vec!["b"], 3));
    }

    #[test]
    fn one_too_many_takes_the_place_of_the_oldest() {
        let exits = Exits::new(2);
        for (id, seconds) in [("new", 9), ("newer", 10), ("old", 1)] {
            exits.fold(&exit(id, seconds, ExitCause::Exit));
        }
        assert_eq!(ids(&exits.list(&ExitFilter::default(), Page::default())), ["newer", "new"]);
    }

    #[test]
    fn every_condition_of_a_filter_must_hold() {
        let exits = Exits::new(10);
        exits.fold(&exit("signal", 1, ExitCause::Signal));
        let killed = ExitEvent {
            host: Some("a".into()),
            group: Some("workers".into()),
            unit: Some("w.service".into()),
            command: Some("python worker.py --queue ocr".into()),
            ..exit("oom", 5, ExitCause::OomKill)
        };
        exits.fold(&killed);
        let whole = ExitFilter {
            cause: Some(ExitCause::OomKill),
            host: Some("a".into()),
            group: Some("workers".into()),
            unit: Some("w.service".into()),
            text: Some("--queue ocr".into()),
            since: Some(killed.time),
        };
        let count = |filter: &ExitFilter| exits.list(filter, Page::default()).total;
        assert_eq!(count(&whole), 1);
        for wrong in [
            ExitFilter { cause: Some(ExitCause::Exit), ..whole.clone() },
            ExitFilter { host: Some("b".into()), ..whole.clone() },
            ExitFilter { group: Some("other".into()), ..whole.clone() },
            ExitFilter { unit: Some("x.service".into()), ..whole.clone() },
            ExitFilter { text: Some("--queue llm".into()), ..whole.clone() },
            ExitFilter { since: Some(Timestamp::from_millis(killed.time.as_millis() + 1)), ..whole.clone() },
        ] {
            assert_eq!(count(&wrong), 0, "{wrong:?}");
        }
    }
}
