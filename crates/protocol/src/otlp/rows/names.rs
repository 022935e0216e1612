//! How attributes fill fields, by the one table of names ([`model::event::columns`]).
//!
//! A name of old fills the same field as the present one. When both are there the present one holds, and the other
//! stays an attribute unless it says the same.

use std::borrow::Cow;
use std::sync::LazyLock;

use model::event::columns::{Column, OF_ORIGIN, OF_RECORD, Place};
use model::event::{Conventions, Origin};

use super::texts::{Kept, Texts};
use crate::otlp::value::AnyValue;

/// The name of old of what are two things today: a path and a query.
const TARGET: &str = "http.target";
const QUERY: &str = "url.query";

/// The most fields of a table.
const MAX_FIELDS: usize = 40;

/// Stands for a field that no name has filled.
const UNFILLED: u8 = u8::MAX;

/// A table of names, to be looked up.
pub(crate) struct Names<T: 'static> {
    fields: &'static [Column<T>],
    /// Names by their [`slot`].
    slots: Vec<Vec<Named>>,
}

/// A name, the field that it fills, and its place among the names of the field.
type Named = (Cow<'static, str>, (usize, u8));

/// How many places names are spread over: more than twice as many as there are names.
pub(crate) const SLOTS: usize = 512;

/// Where a name is looked for, by its length and three of its bytes. Every attribute of every record is, and most fill no
/// field: to hash all of it takes longer than to compare it with the one name or two that are there.
pub(crate) fn slot(name: &str) -> usize {
    let bytes = name.as_bytes();
    let byte = |place: usize| bytes.get(place).copied().map_or(0, usize::from);
    let (length, last) = (bytes.len(), bytes.len().saturating_sub(1));
    (length * 7 + byte(0) * 31 + byte(length / 2) * 89 + byte(last) * 211) % SLOTS
}

pub(crate) static ORIGIN: LazyLock<Names<Origin>> = LazyLock::new(|| Names::new(OF_ORIGIN));
pub(crate) static RECORD: LazyLock<Names<Conventions>> = LazyLock::new(|| Names::new(OF_RECORD));
/// The same for senders whose names have no dots: Loki's labels.
pub(crate) static RECORD_WITHOUT_DOTS: LazyLock<Names<Conventions>> =
    LazyLock::new(|| Names::new(OF_RECORD).and_without_dots());

impl<T: 'static> Names<T> {
    pub(crate) fn new(fields: &'static [Column<T>]) -> Self {
        let mut names = Self { fields, slots: vec![Vec::new(); SLOTS] };
        for (index, field) in fields.iter().enumerate() {
            for (rank, name) in (0u8..).zip(field.names) {
                names.add(Cow::Borrowed(*name), (index, rank));
            }
        }
        names
    }

    /// Adds a name, unless it is known.
    fn add(&mut self, name: Cow<'static, str>, at: (usize, u8)) {
        if !self.knows(&name) {
            self.slots[slot(&name)].push((name, at));
        }
    }

    /// The field that a name fills, and its place among the names of the field.
    pub(crate) fn find(&self, name: &str) -> Option<(usize, u8)> {
        self.slots[slot(name)].iter().find(|(known, _)| **known == *name).map(|(_, at)| *at)
    }

    /// Names with dots are known with underscores, too.
    fn and_without_dots(mut self) -> Self {
        let fields = self.fields;
        for (index, field) in fields.iter().enumerate() {
            for (rank, name) in (0u8..).zip(field.names) {
                self.add(Cow::Owned(name.replace('.', "_")), (index, rank));
            }
        }
        self
    }

    /// Fills fields that are empty with those of another.
    pub(crate) fn complete(&self, into: &mut T, mut from: T, texts: &mut Texts<'_>) {
        for field in self.fields {
            match &field.place {
                Place::Text(place) | Place::Prose(place) if place(into).is_none() => {
                    *place(into) = place(&mut from).take().map(|text| texts.of(&text));
                }
                Place::Id(place) if place(into).is_none() => {
                    let id = place(&mut from).take();
                    *place(into) = id.and_then(|id| texts.id(&AnyValue::Text(id.into())));
                }
                Place::Count(place) if place(into).is_none() => *place(into) = place(&mut from).take(),
                Place::Text(_) | Place::Prose(_) | Place::Id(_) | Place::Count(_) => {}
            }
        }
    }

    /// Whether a name fills a field.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}

/// What has fields that are filled: they themselves, or a record with them in it.
pub(crate) trait HasFields<T> {
    fn fields(&mut self) -> &mut T;
}

impl<T> HasFields<T> for T {
    #[inline]
    fn fields(&mut self) -> &mut T {
        self
    }
}

/// Fields and attributes of one record while they are filled.
#[derive(Clone)]
pub(crate) struct Filling<T: 'static, F = T> {
    names: &'static Names<T>,
    pub(crate) fields: F,
    pub(crate) kept: Kept,
    /// Which of its names has filled a field: the best of those that say the same. [`UNFILLED`] where none has.
    filled_by: [u8; MAX_FIELDS],
    /// What is two things today, and the field of the first of them; what says these by their present names may follow.
    target: Option<(usize, String)>,
}

impl<T: Default + 'static> Filling<T> {
    pub(crate) fn of(names: &'static Names<T>) -> Self {
        Self::within(names, T::default())
    }
}

impl<T: 'static, F: HasFields<T>> Filling<T, F> {
    /// Fills fields where they are.
    pub(crate) fn within(names: &'static Names<T>, fields: F) -> Self {
        Self { names, fields, kept: Kept::default(), filled_by: [UNFILLED; MAX_FIELDS], target: None }
    }

    /// Puts an attribute where it belongs.
    pub(crate) fn put(&mut self, key: &str, value: &AnyValue<'_>, texts: &mut Texts<'_>) {
        match self.names.find(key) {
            Some(at) => self.put_at(at, key, value, texts),
            None => self.kept.put(key, texts, |texts| texts.of_value(value)),
        }
    }

    /// Puts an attribute whose field is known, and the place of its key among the names of that.
    pub(crate) fn put_at(
        &mut self,
        (index, rank): (usize, u8),
        key: &str,
        value: &AnyValue<'_>,
        texts: &mut Texts<'_>,
    ) {
        match &self.names.fields[index].place {
            Place::Text(_) if key == TARGET => self.hold_target(index, value, texts),
            Place::Text(place) | Place::Prose(place) => {
                let text = text_of(value, texts);
                self.put_text(*place, (index, rank), text, texts);
            }
            Place::Id(place) => {
                if let Some(id) = texts.id(value) {
                    self.put_text(*place, (index, rank), id, texts);
                }
            }
            Place::Count(place) => match count_of(value) {
                Some(count) => {
                    if let Some((name, count)) = self.fill(*place, (index, rank), count) {
                        self.kept.put(name, texts, |texts| texts.of(&count.to_string()));
                    }
                }
                None => self.kept.put(key, texts, |texts| texts.of_value(value)),
            },
        }
    }

    /// Fields and attributes, once all attributes were put.
    #[inline]
    pub(crate) fn end(mut self, texts: &mut Texts<'_>) -> (F, Kept) {
        if let Some((index, target)) = self.target.take() {
            self.put_target(index, target, texts);
        }
        (self.fields, self.kept)
    }

    fn hold_target(&mut self, index: usize, value: &AnyValue<'_>, texts: &mut Texts<'_>) {
        let target = texts.of_value(value);
        match &self.target {
            None => self.target = Some((index, target)),
            Some((_, first)) if *first == target => {}
            Some(_) => self.kept.leave_out(texts),
        }
    }

    /// The path goes where paths go today, and the query, too. Where something else is there already, the target stays as
    /// it was sent.
    fn put_target(&mut self, index: usize, target: String, texts: &mut Texts<'_>) {
        let Place::Text(place) = &self.names.fields[index].place else { return };
        let field = place(HasFields::<T>::fields(&mut self.fields));
        let (path, query) = target.split_once('?').unwrap_or((target.as_str(), ""));
        let is_other =
            |there: Option<&String>, said: &str| !said.is_empty() && there.is_some_and(|there| there != said);
        if field.is_none() && !path.is_empty() {
            *field = Some(path.to_owned());
        }
        if is_other(field.as_ref(), path) || is_other(self.kept.attributes.get(QUERY), query) {
            texts.give_back(&target);
            return self.kept.put(TARGET, texts, |texts| texts.charged(target));
        }
        if !query.is_empty() {
            // Its bytes were counted with the target's.
            self.kept.put(QUERY, texts, |_| query.to_owned());
        }
    }

    fn put_text(
        &mut self,
        place: fn(&mut T) -> &mut Option<String>,
        at: (usize, u8),
        text: String,
        texts: &mut Texts<'_>,
    ) {
        if text.is_empty() {
            return;
        }
        if let Some((name, text)) = self.fill(place, at, text) {
            texts.give_back(&text);
            self.kept.put(name, texts, |texts| texts.charged(text));
        }
    }

    /// Fills a field with what one of its names says. The best name holds; what a worse one says stays an attribute under
    /// its own name, and is given back, unless it is the same.
    fn fill<V: PartialEq>(
        &mut self,
        place: fn(&mut T) -> &mut Option<V>,
        (index, rank): (usize, u8),
        value: V,
    ) -> Option<(&'static str, V)> {
        let (field, filled_by) =
            (place(HasFields::<T>::fields(&mut self.fields)), &mut self.filled_by[index]);
        let by = *filled_by;
        let (Some(there), true) = (field.as_mut(), by != UNFILLED) else {
            *field = Some(value);
            *filled_by = rank;
            return None;
        };
        *filled_by = by.min(rank);
        if *there == value {
            return None;
        }
        let names = self.names.fields[index].names;
        Some(if by <= rank {
            (names[usize::from(rank)], value)
        } else {
            (names[usize::from(by)], std::mem::replace(there, value))
        })
    }
}

/// A text of a field; of several values, all of them with commas between them.
fn text_of(value: &AnyValue<'_>, texts: &mut Texts<'_>) -> String {
    match value {
        AnyValue::Array(values) if values.iter().all(|value| matches!(value, AnyValue::Text(_))) => {
            let all: Vec<_> = values.iter().map(AnyValue::text).collect();
            texts.of(&all.join(","))
        }
        value => texts.of_value(value),
    }
}

/// A number of things, also where it is written as a text or with a decimal point.
fn count_of(value: &AnyValue<'_>) -> Option<u64> {
    match value {
        AnyValue::Int(number) => u64::try_from(*number).ok(),
        AnyValue::Double(number) if number.fract() == 0.0 && (0.0..=MAX_WHOLE).contains(number) => {
            Some(*number as u64)
        }
        AnyValue::Text(text) => text.parse().ok(),
        AnyValue::Empty
        | AnyValue::Bool(_)
        | AnyValue::Double(_)
        | AnyValue::Bytes(_)
        | AnyValue::Array(_)
        | AnyValue::Map(_) => None,
    }
}

/// Up to here every whole number is one of its own.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_more_fields_than_are_kept_account_of() {
        assert!(OF_RECORD.len() <= MAX_FIELDS && OF_ORIGIN.len() <= MAX_FIELDS);
        assert!(RECORD.knows(TARGET), "what is two things today is known");
    }

    #[test]
    fn every_name_is_found_with_its_field_and_no_other_text_is() {
        for (index, field) in OF_RECORD.iter().enumerate() {
            for (rank, name) in (0u8..).zip(field.names) {
                assert_eq!(RECORD.find(name), Some((index, rank)), "{name}");
                let plain = name.replace('.', "_");
                assert!(RECORD_WITHOUT_DOTS.knows(name) && RECORD_WITHOUT_DOTS.knows(&plain), "{plain}");
                let others = [format!("{name}x"), name.to_uppercase(), name[1..].to_owned()];
                assert!(others.iter().all(|other| !RECORD.knows(other)), "{others:?}");
            }
        }
        assert!(!RECORD.knows("") && !RECORD.knows("ü"));
    }

    #[test]
    fn names_share_few_slots() {
        for slots in [&RECORD.slots, &RECORD_WITHOUT_DOTS.slots] {
            assert!(slots.iter().all(|slot| slot.len() <= 6), "{slots:?}");
        }
    }
}
