//! What says, in one pass over a text and cheaply, which detectors could find something in it.
//!
//! Nearly every text holds no secret, so this pass is what redaction costs. It looks at each three bytes in a row: a
//! table of pairs of their kinds says of nearly all of them that they are nothing. The others are the rarest three
//! letters that a detector waits for (in `token` they are `ken`), an `@`, or the first digit of a number; what is around
//! them is then compared. A trigger may be wrong where it says that there could be something, never where it says that
//! there is nothing: tests compare.
//!
//! Three and not two, for a look that was in vain costs as much as many bytes that are nothing: `document` has the `cu`
//! of `curl`, `page` the `pa` of `pass`, and a number the digit of another one. Two pairs say of three bytes what they
//! are: what the first of them begins, the second must end.
//!
//! Not an automaton of all expressions: the counts of digits in them multiply to more states than are worth keeping.
//! Nor Aho-Corasick: each step of it waits for the one before, and it knows no digits.

mod kinds;
pub(super) mod numbers;

use kinds::{AT, BLANK, COLON, DIGITS, DOT, HIGH, HYPHEN, KINDS, LOW, ONE, OPENS, OTHER, ZERO, kind_of};
use numbers::Numbers;

/// What a detector waits for.
#[derive(Clone, Debug)]
pub(super) enum Trigger {
    /// Letters.
    Letters(Letters),
    /// An `@` between what may stand around it.
    At,
    /// The `@` of a URL.
    AtInUrl,
    /// Digits that could be those of a payment card.
    Card,
    /// Digits that could be a telephone number.
    Phone,
    /// Two letters and two digits that could begin an account number.
    Iban,
    /// Digits or hex that could be an address.
    Address,
}

/// Letters that a detector waits for.
#[derive(Clone, Debug)]
pub(super) struct Letters {
    text: Vec<u8>,
    /// Whether capitals make no difference.
    folds: bool,
    /// Whether they begin a word.
    begins: bool,
    after: After,
}

/// What must follow on letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Anything.
    Any,
    /// What can be a part of a token.
    Token,
    /// A blank.
    Blank,
    /// `=`, `:` or `>`, after quotes and blanks, or what they are written with for URLs and HTML; or a blank, where the
    /// letters end an option.
    Sign,
    /// A digit, `+` or `(`, within some words.
    Number,
}

impl Trigger {
    /// Letters as they are, at the beginning of a word, before a part of a token.
    pub(super) fn token(text: &str) -> Self {
        Self::Letters(Letters { text: text.into(), folds: false, begins: true, after: After::Token })
    }

    /// Letters as they are, anywhere.
    pub(super) fn exact(text: &str) -> Self {
        Self::Letters(Letters { text: text.into(), folds: false, begins: false, after: After::Any })
    }

    /// Letters in capitals or not, before something.
    pub(super) fn folded(text: &str, after: After) -> Self {
        let text = text.to_ascii_lowercase().into_bytes();
        Self::Letters(Letters { text, folds: true, begins: false, after })
    }
}

/// A bit for each detector, in their order.
pub(super) type Bits = u16;

/// How many pairs of kinds there are.
const PAIRS: usize = (KINDS as usize) * (KINDS as usize);

/// How many places there are for who waits for three bytes with the same one in the middle: a bit each.
const SLOTS: usize = 8;
/// Numbers that begin with a digit of that kind.
const NUMBER: usize = 0;
/// The same after `+` or `(`.
const OPENED: usize = 1;
/// Digits after a capital, perhaps those of a country.
const OF_COUNTRY: usize = 2;
/// An `@`, or a colon of an address.
const SIGN: usize = 0;
/// The first place of letters with such a byte in the middle.
const AFTER_SIGNS: usize = 3;

/// How far before an `@` its URL may begin, in bytes.
const URL_BYTES: usize = 512;
/// How long a name or an option may be, in bytes.
const NAME_BYTES: usize = 64;

/// Letters, of which three were found.
#[derive(Clone)]
struct Waiting {
    letters: Letters,
    /// Where in them the one in the middle stands.
    middle: usize,
    bit: Bits,
}

/// All triggers.
pub(super) struct Triggers {
    /// For each pair of kinds a bit for each place of who waits: in the lower half if the pair begins what is waited for,
    /// in the upper half if it ends it.
    pairs: Box<[u16; PAIRS]>,
    /// Who waits, by the kind in the middle and the place.
    waiting: Vec<Vec<Waiting>>,
    at: Bits,
    at_in_url: Bits,
    address: Bits,
    numbers: Numbers,
}

impl Triggers {
    /// The triggers of detectors, in their order.
    pub(super) fn new<'a>(detectors: impl IntoIterator<Item = &'a [Trigger]>) -> Self {
        let mut all = Self {
            pairs: Box::new([0; PAIRS]),
            waiting: vec![Vec::new(); usize::from(KINDS) * SLOTS],
            at: 0,
            at_in_url: 0,
            address: 0,
            numbers: Numbers::default(),
        };
        for (place, triggers) in detectors.into_iter().enumerate() {
            let bit: Bits = 1 << place;
            for trigger in triggers {
                match trigger {
                    Trigger::Letters(letters) => all.put(letters, bit),
                    Trigger::At => all.at |= bit,
                    Trigger::AtInUrl => all.at_in_url |= bit,
                    Trigger::Card => all.numbers.card |= bit,
                    Trigger::Phone => all.numbers.phone |= bit,
                    Trigger::Iban => all.numbers.iban |= bit,
                    Trigger::Address => {
                        all.address |= bit;
                        all.numbers.address |= bit;
                    }
                }
            }
        }
        all.put_signs();
        all.put_numbers();
        all
    }

    fn put_signs(&mut self) {
        if self.at | self.at_in_url != 0 {
            self.mark(&kinds_of(|_| true), AT, &kinds_of(|_| true), SIGN);
        }
        if self.address != 0 {
            let hex = kinds_of(|byte| byte.is_ascii_hexdigit() || byte == b':');
            self.mark(&hex, COLON, &kinds_of(|_| true), SIGN);
        }
    }

    /// What must stand around the first digit for [`Numbers`] to find anything there.
    fn put_numbers(&mut self) {
        let Numbers { card, phone, iban, address } = self.numbers;
        if card | phone | address != 0 {
            let before = kinds_of(|byte| !is_word(byte));
            for digit in DIGITS {
                let after = match digit {
                    // A group that begins with 1 is no card, and to call only if it is no longer.
                    ONE => vec![HYPHEN, DOT, BLANK],
                    LOW => [&DIGITS[..], &[HYPHEN, BLANK]].concat(),
                    _ => DIGITS.to_vec(),
                };
                self.mark(&before, digit, &after, NUMBER);
                if address != 0 {
                    self.mark(&before, digit, &[&DIGITS[..], &[DOT]].concat(), NUMBER);
                }
                let after = kinds_of(|byte| byte.is_ascii_digit() || b" ()./-".contains(&byte));
                self.mark(&[OPENS], digit, &after, OPENED);
            }
        }
        if iban != 0 {
            let capitals = kinds_of(|byte| byte.is_ascii_uppercase());
            DIGITS.iter().for_each(|digit| self.mark(&capitals, *digit, &DIGITS, OF_COUNTRY));
        }
    }

    fn put(&mut self, letters: &Letters, bit: Bits) {
        let Some(middle) = rarest_middle(&letters.text) else { return };
        let (before, after) = (letters.kinds_at(middle - 1), letters.kinds_at(middle + 1));
        for kind in letters.kinds_at(middle) {
            let slot = self.slot(&before, kind, &after);
            self.mark(&before, kind, &after, slot);
            self.waiting[place_of(kind, slot)].push(Waiting { letters: letters.clone(), middle, bit });
        }
    }

    /// The place of those who wait for the same bytes, else the one in which the fewest wait.
    fn slot(&self, before: &[u8], middle: u8, after: &[u8]) -> usize {
        let has_signs = DIGITS.contains(&middle) || matches!(middle, AT | COLON);
        let slots = if has_signs { AFTER_SIGNS..SLOTS } else { 0..SLOTS };
        let is_theirs = |slot: &usize| {
            before.iter().all(|kind| (self.pairs[index(*kind, middle)] >> slot) & 1 == 1)
                && after.iter().all(|kind| (self.pairs[index(middle, *kind)] >> (SLOTS + slot)) & 1 == 1)
        };
        let fewest = || slots.clone().min_by_key(|slot| self.waiting[place_of(middle, *slot)].len());
        slots.clone().find(is_theirs).or_else(fewest).unwrap_or(AFTER_SIGNS)
    }

    /// Notes that three bytes of these kinds are waited for in a place.
    fn mark(&mut self, before: &[u8], middle: u8, after: &[u8], slot: usize) {
        for kind in before {
            self.pairs[index(*kind, middle)] |= 1 << slot;
        }
        for kind in after {
            self.pairs[index(middle, *kind)] |= 1 << (SLOTS + slot);
        }
    }

    /// The bits of those detectors that could find something.
    pub(super) fn pulled(&self, text: &str) -> Bits {
        let bytes = text.as_bytes();
        let Some((first, rest)) = bytes.split_first() else { return 0 };
        let mut bits = 0;
        let mut middle = kind_of(*first);
        let mut begun = self.pairs[index(OTHER, middle)];
        for (at, byte) in rest.iter().enumerate() {
            let next = kind_of(*byte);
            let pair = self.pairs[index(middle, next)];
            let slots = begun & (pair >> SLOTS);
            if slots != 0 {
                bits |= self.look(slots, bytes, at);
            }
            (middle, begun) = (next, pair);
        }
        let slots = begun & (self.pairs[index(middle, OTHER)] >> SLOTS);
        if slots != 0 {
            bits |= self.look(slots, bytes, rest.len());
        }
        bits
    }

    /// Looks at what is around the byte at a place, for those who wait in these slots.
    fn look(&self, slots: u16, bytes: &[u8], at: usize) -> Bits {
        let is_in = |slot: usize| (slots >> slot) & 1 == 1;
        let kind = kind_of(bytes[at]);
        let signs = match kind {
            ZERO | ONE | LOW | HIGH if is_in(NUMBER) || is_in(OPENED) || is_in(OF_COUNTRY) => {
                self.numbers.pulled(bytes, at)
            }
            AT if is_in(SIGN) => self.around_at(bytes, at),
            COLON if is_in(SIGN) => self.around_colon(bytes, at),
            _ => 0,
        };
        let waiting =
            (0..SLOTS).filter(|slot| is_in(*slot)).flat_map(|slot| &self.waiting[place_of(kind, slot)]);
        waiting.filter(|one| one.is_at(bytes, at)).fold(signs, |bits, one| bits | one.bit)
    }

    fn around_colon(&self, bytes: &[u8], at: usize) -> Bits {
        let is_address = at.checked_sub(1).is_some_and(|before| numbers::is_address_of_hex(bytes, before));
        if is_address { self.address } else { 0 }
    }

    fn around_at(&self, bytes: &[u8], at: usize) -> Bits {
        let is_tight = at > 0
            && !bytes[at - 1].is_ascii_whitespace()
            && bytes.get(at + 1).is_some_and(|byte| byte.is_ascii_graphic() || !byte.is_ascii());
        if !is_tight {
            return 0;
        }
        let lead = &bytes[at.saturating_sub(URL_BYTES)..at];
        let is_in_url = self.at_in_url != 0 && lead.windows(3).any(|three| three == b"://");
        let is_long = at >= URL_BYTES;
        self.at | if is_in_url || is_long { self.at_in_url } else { 0 }
    }
}

/// Where a pair of kinds is. There are no others than these, which the mask shows to the compiler.
fn index(first: u8, second: u8) -> usize {
    (usize::from(first) * usize::from(KINDS) + usize::from(second)) & (PAIRS - 1)
}

fn place_of(middle: u8, slot: usize) -> usize {
    usize::from(middle) * SLOTS + slot
}

/// The kinds of some bytes.
fn kinds_of(is_one: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut kinds: Vec<u8> = (0..=u8::MAX).filter(|byte| is_one(*byte)).map(kind_of).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

impl Waiting {
    /// Whether the letters stand so that the middle of the three is at a place.
    fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        at.checked_sub(self.middle).is_some_and(|start| self.letters.are_at(bytes, start))
    }
}

impl Letters {
    /// The kinds that may stand at a place in them; after their end all.
    fn kinds_at(&self, place: usize) -> Vec<u8> {
        match self.text.get(place) {
            Some(letter) if self.folds => kinds_of(|byte| byte.eq_ignore_ascii_case(letter)),
            Some(letter) => vec![kind_of(*letter)],
            None => kinds_of(|_| true),
        }
    }

    /// Whether they begin at a place, with around them what must be there.
    fn are_at(&self, bytes: &[u8], start: usize) -> bool {
        let end = start + self.text.len();
        let Some(found) = bytes.get(start..end) else { return false };
        let is_same = if self.folds { found.eq_ignore_ascii_case(&self.text) } else { found == self.text };
        is_same
            && !(self.begins && start > 0 && is_word(bytes[start - 1]))
            && self.after.follows(bytes, start, end)
    }
}

impl After {
    /// Whether it follows on what is from `start` to `end`.
    fn follows(self, bytes: &[u8], start: usize, end: usize) -> bool {
        let next = bytes.get(end);
        match self {
            Self::Any => true,
            Self::Token => next.is_some_and(|byte| is_word(*byte) || *byte == b'-'),
            Self::Blank => next.is_some_and(|byte| matches!(byte, b' ' | b'\t')),
            Self::Sign => {
                let joint = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b']');
                let width = bytes[end..].iter().take(NAME_BYTES).take_while(joint).count();
                bytes.get(end + width).is_some_and(|byte| matches!(byte, b'=' | b':' | b'>'))
                    || next.is_some_and(|byte| matches!(byte, b'%' | b'&'))
                    || Self::Blank.follows(bytes, start, end) && is_option(bytes, start)
            }
            Self::Number => {
                let between = |byte: &&u8| byte.is_ascii_alphabetic() || b" \t_-\"'\\.:=".contains(byte);
                let width = bytes[end..].iter().take(NAME_BYTES).take_while(between).count();
                bytes
                    .get(end + width)
                    .is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'('))
            }
        }
    }
}

/// Whether an option, `--…`, goes on until a place.
fn is_option(bytes: &[u8], start: usize) -> bool {
    let name = &bytes[start.saturating_sub(NAME_BYTES)..start];
    let width = name.iter().rev().take_while(|byte| is_word(**byte) || **byte == b'-').count();
    name[name.len() - width..].starts_with(b"--")
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Letters by how often logs have them, the most frequent first.
const FREQUENT: &[u8] = b"etaoinsrlhdcumpfgwybvkxjqz";

/// Where in letters the middle of those three stands that texts have least. Of two letters it is the second one.
fn rarest_middle(text: &[u8]) -> Option<usize> {
    let weight = |byte: &u8| match FREQUENT.iter().position(|letter| letter == byte) {
        Some(place) => FREQUENT.len() - place,
        None if byte.is_ascii_uppercase() => 3,
        None if byte.is_ascii_digit() || *byte == b' ' => 24,
        None => 12,
    };
    if text.len() == 2 {
        return Some(1);
    }
    let threes = text.windows(3).enumerate();
    threes.min_by_key(|(_, three)| three.iter().map(weight).product::<usize>()).map(|(place, _)| place + 1)
}

#[cfg(test)]
impl Triggers {
    /// The same as [`Triggers::pulled`] without the table: what is waited for is looked for at each place.
    pub(super) fn pulled_slowly(&self, text: &str) -> Bits {
        let bytes = text.as_bytes();
        let mut bits = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| bytes[before]);
            bits |= match byte {
                b'0'..=b'9' if !before.is_some_and(|byte| byte.is_ascii_digit()) => {
                    self.numbers.pulled(bytes, at)
                }
                b'@' => self.around_at(bytes, at),
                b':' if before.is_some_and(|byte| byte.is_ascii_hexdigit() || byte == b':') => {
                    self.around_colon(bytes, at)
                }
                _ => 0,
            };
            let here = self.waiting.iter().flatten().filter(|one| one.letters.are_at(bytes, at));
            bits = here.fold(bits, |bits, one| bits | one.bit);
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulled(triggers: &[Trigger], text: &str) -> bool {
        Triggers::new([triggers]).pulled(text) == 1
    }

    #[test]
    fn letters_pull_their_trigger_where_they_stand_as_they_must() {
        let cases = [
            (Trigger::token("ghp_"), "a ghp_x", "aghp_x ghp_ GHP_x"),
            (Trigger::exact("PRIVATE KEY"), "xPRIVATE KEYx", "private key"),
            (
                Trigger::folded("password", After::Sign),
                "my PassWord\" : x",
                "passwords: password and passwor=",
            ),
            (Trigger::folded("token", After::Sign), "--api-token x", "-- token x api-token x"),
            (Trigger::folded("bearer", After::Blank), "BEARER x", "bearer"),
            (Trigger::folded("phone", After::Number), "Phone number: +1", "phone: none, phone!1"),
        ];
        for (trigger, with, without) in cases {
            let triggers = [trigger];
            assert!(pulled(&triggers, with), "{triggers:?} {with}");
            assert!(!pulled(&triggers, without), "{triggers:?} {without}");
        }
    }

    #[test]
    fn letters_with_the_same_kinds_in_capitals_are_all_heard() {
        let (exact, folded) = ([Trigger::token("SWx")], [Trigger::folded("sw", After::Any)]);
        for order in [[&exact[..], &folded[..]], [&folded[..], &exact[..]]] {
            let triggers = Triggers::new(order);
            assert_eq!(triggers.pulled("a SWxy").count_ones(), 2);
            assert_eq!(triggers.pulled("a Sw").count_ones(), 1);
        }
    }

    #[test]
    fn more_letters_than_there_are_places_are_all_heard() {
        let names: Vec<String> = (b'a'..=b'z')
            .flat_map(|a| (b'a'..=b'z').map(move |b| String::from_utf8_lossy(&[a, b]).into()))
            .collect();
        let triggers: Vec<Trigger> = names.iter().map(|name| Trigger::folded(name, After::Any)).collect();
        let all = Triggers::new([&triggers[..]]);
        assert!(names.iter().all(|name| all.pulled(name) == 1));
        assert!(names.iter().all(|name| all.pulled(&format!("_{name}-")) == 1));
    }
}
