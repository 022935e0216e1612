use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;

use super::*;

type Pairs = Vec<(String, String)>;
type Map = BTreeMap<String, String>;

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[derive(Clone, Debug)]
enum Step {
    Insert(String, String),
    InsertNew(String, String),
    Enter(String, String),
    Change(String, String),
    ChangeAll(String),
    Remove(String),
    PopLast,
    Retain(String),
    Extend(Pairs),
    Clear,
}

impl Step {
    /// Does it to both, and tells what each of them answers.
    fn take(self, ours: &mut Attributes, map: &mut Map) -> (Option<String>, Option<String>) {
        match self {
            Self::Insert(name, value) => (ours.insert(name.clone(), value.clone()), map.insert(name, value)),
            Self::InsertNew(name, value) => {
                let before = map.get(&name).cloned();
                let is_new = ours.insert_new(name.clone(), value.clone());
                let there = (!is_new).then(|| ours.get(&name).cloned().expect("it is there"));
                map.entry(name).or_insert(value);
                (there, before)
            }
            Self::Enter(name, value) => {
                let before = map.get(&name).cloned();
                let there = match ours.entry(&name) {
                    Entry::Occupied(there) => Some(there.clone()),
                    Entry::Vacant(place) => {
                        place.insert(value.clone());
                        None
                    }
                };
                map.entry(name).or_insert(value);
                (there, before)
            }
            Self::Change(name, value) => {
                let ours = ours.get_mut(&name).map(|there| mem::replace(there, value.clone()));
                (ours, map.get_mut(&name).map(|there| mem::replace(there, value)))
            }
            Self::ChangeAll(more) => {
                ours.iter_mut().for_each(|(name, value)| *value = format!("{name}{more}"));
                map.iter_mut().for_each(|(name, value)| *value = format!("{name}{more}"));
                ours.values_mut().chain(map.values_mut()).for_each(|value| _ = value.pop());
                (None, None)
            }
            Self::Remove(name) => (ours.remove(&name), map.remove(&name)),
            Self::PopLast => {
                let joined = |(name, value): (String, String)| format!("{name}={value}");
                (ours.pop_last().map(joined), map.pop_last().map(joined))
            }
            Self::Retain(least) => {
                let keep = |name: &String, value: &mut String| {
                    value.pop();
                    *name >= least
                };
                ours.retain(keep);
                map.retain(keep);
                (None, None)
            }
            Self::Extend(more) => {
                ours.extend(more.clone());
                map.extend(more);
                (None, None)
            }
            Self::Clear => {
                ours.clear();
                map.clear();
                (None, None)
            }
        }
    }
}

/// Few names, so that they meet.
fn name() -> impl Strategy<Value = String> {
    "[a-dü]{0,2}"
}

fn pairs() -> impl Strategy<Value = Pairs> {
    proptest::collection::vec((name(), "[xyz]{0,3}"), 0..30)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (name(), "[xyz]{0,3}").prop_map(|(name, value)| Step::Insert(name, value)),
        3 => (name(), "[xyz]{0,3}").prop_map(|(name, value)| Step::InsertNew(name, value)),
        3 => (name(), "[xyz]{0,3}").prop_map(|(name, value)| Step::Enter(name, value)),
        2 => (name(), "[xyz]{0,3}").prop_map(|(name, value)| Step::Change(name, value)),
        1 => "[xyz]{0,3}".prop_map(Step::ChangeAll),
        3 => name().prop_map(Step::Remove),
        2 => Just(Step::PopLast),
        1 => name().prop_map(Step::Retain),
        2 => pairs().prop_map(Step::Extend),
        1 => Just(Step::Clear),
    ]
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// A JSON object as it is written, with names that it has more than once.
fn object(pairs: &[(String, String)]) -> String {
    let entries: Vec<String> = pairs.iter().map(|(name, value)| format!("{name:?}:{value:?}")).collect();
    format!("{{{}}}", entries.join(","))
}

proptest! {
    #[test]
    fn any_steps_answer_and_leave_what_they_would_of_a_map(
        steps in proptest::collection::vec(step(), 0..60),
        asked in proptest::collection::vec(name(), 10),
    ) {
        let (mut ours, mut map) = (Attributes::new(), Map::new());
        for step in steps {
            let told = format!("{step:?}");
            let (answer, expected) = step.take(&mut ours, &mut map);
            prop_assert!(answer == expected, "{told}: {answer:?}, not {expected:?}");
            prop_assert!(ours.iter().eq(&map), "{told}: {ours:?}, not {map:?}");
        }
        for name in &asked {
            prop_assert_eq!(ours.get(name), map.get(name));
            prop_assert_eq!(ours.contains_key(name), map.contains_key(name));
        }
        prop_assert_eq!((ours.len(), ours.is_empty()), (map.len(), map.is_empty()));
        prop_assert!(ours.iter().rev().eq(map.iter().rev()) && ours.keys().rev().eq(map.keys().rev()));
        prop_assert!(ours.keys().eq(map.keys()) && ours.values().eq(map.values()));
        prop_assert_eq!(format!("{ours:?} {ours:#?}"), format!("{map:?} {map:#?}"));
        prop_assert!(ours.into_iter().eq(map));
    }

    #[test]
    fn they_are_made_of_pairs_in_any_order_as_a_map_is(pairs in pairs()) {
        let map: Map = pairs.iter().cloned().collect();
        prop_assert!(pairs.iter().cloned().collect::<Attributes>().iter().eq(&map));
        prop_assert!(Attributes::from(pairs.clone()).iter().eq(&map));
        let read: Attributes = serde_json::from_str(&object(&pairs)).expect("an object");
        prop_assert!(read.iter().eq(&map));
        let text = serde_json::to_string(&read).expect("texts are JSON");
        prop_assert_eq!(text, serde_json::to_string(&map).expect("texts are JSON"));
    }

    #[test]
    fn they_are_equal_ordered_and_hashed_as_maps_are(one in pairs(), other in pairs()) {
        let map = |pairs: &Pairs| pairs.iter().cloned().collect::<Map>();
        let (first, second) = (Attributes::from(one.clone()), Attributes::from(other.clone()));
        prop_assert_eq!(first.cmp(&second), map(&one).cmp(&map(&other)));
        prop_assert_eq!(first == second, map(&one) == map(&other));
        prop_assert_eq!(hash(&first), hash(&map(&one)));
    }
}

#[test]
fn of_several_with_one_name_the_last_holds() {
    let sent = [pair("b", "1"), pair("a", "2"), pair("b", "3"), pair("a", "4"), pair("b", "5")];
    let expected = Attributes::from([pair("a", "4"), pair("b", "5")]);
    assert_eq!(Attributes::from(sent.clone()), expected);
    let mut extended = Attributes::from([pair("b", "0"), pair("c", "0")]);
    extended.extend(sent);
    assert_eq!(extended, Attributes::from([pair("a", "4"), pair("b", "5"), pair("c", "0")]));
    let read: Attributes = serde_json::from_str(r#"{"b":"1","a":"4","b":"5"}"#).expect("an object");
    assert_eq!(read, expected);
    assert_eq!((read["a"].as_str(), read["b"].as_str()), ("4", "5"));
}

#[test]
fn what_is_no_map_of_texts_is_not_read() {
    for text in ["[]", "null", r#"{"a":1}"#, r#"{"a":"1""#] {
        let ours = serde_json::from_str::<Attributes>(text).expect_err(text).to_string();
        assert_eq!(ours, serde_json::from_str::<Map>(text).expect_err(text).to_string(), "{text}");
    }
}

#[test]
fn many_names_in_the_worst_order_are_taken_all_at_once() {
    let falling = || (0..100_000).rev().map(|number| (format!("{number:06}"), number.to_string()));
    let (collected, mut extended) = (falling().collect::<Attributes>(), Attributes::new());
    extended.extend(falling());
    let read: Attributes = serde_json::from_str(&object(&falling().collect::<Pairs>())).expect("an object");
    assert_eq!((collected.len(), collected["000007"].as_str()), (100_000, "7"));
    assert!(collected.keys().is_sorted(), "they are in the order of their names");
    assert!(extended == collected && read == collected, "all ways lead to the same");
}

#[test]
fn nothing_takes_no_memory_and_room_that_was_made_is_enough() {
    const NONE: Attributes = Attributes::new();
    assert_eq!(NONE.0.capacity(), 0);
    let mut roomy = Attributes::with_capacity(9);
    roomy.reserve(9);
    let room = roomy.0.capacity();
    roomy.extend((0..9).map(|number| (number.to_string(), String::new())));
    assert_eq!((roomy.len(), roomy.0.capacity()), (9, room));
}

#[test]
fn they_are_walked_from_both_ends() {
    let mut attributes = Attributes::from([pair("a", "1"), pair("b", "2"), pair("c", "3")]);
    let mut all = attributes.iter();
    assert_eq!((all.next_back(), all.len()), (Some((&"c".to_owned(), &"3".to_owned())), 2));
    assert_eq!(
        all.clone().rfind(|(name, _)| name.as_str() < "b").map(|(_, value)| value.as_str()),
        Some("1")
    );
    for (name, value) in &mut attributes {
        value.push_str(name);
    }
    assert_eq!(attributes.iter_mut().next_back().map(|(_, value)| value.clone()), Some("3c".to_owned()));
    assert_eq!(attributes.values().map(String::as_str).collect::<Vec<_>>(), ["1a", "2b", "3c"]);
}
