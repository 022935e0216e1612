//! What says, in one pass over a text and cheaply, which detectors could find something in it.
//!
//! Nearly every text holds no secret, so this pass is what redaction costs. It looks at each pair of bytes: a table
//! says of most of them that they are nothing. The others are the rarest pair of letters that a detector waits for (in
//! `password` it is `sw`), an `@`, or the first digit of a number; what is around them is then compared. A trigger may be
//! wrong where it says that there could be something, never where it says that there is nothing: tests compare.
//!
//! Not an automaton of all expressions: the counts of digits in them multiply to more states than are worth keeping.
//! Nor Aho-Corasick: each step of it waits for the one before, and it knows no digits.

pub(super) mod numbers;

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

/// How many pairs of bytes there are.
const PAIRS: usize = 1 << 16;

/// The pair is nothing.
const NOTHING: u8 = 0;
/// A digit that begins a number.
const DIGIT: u8 = 1;
/// An `@`.
const AT: u8 = 2;
/// A hex digit before a colon, or two colons.
const COLON: u8 = 3;
/// The first bucket of letters.
const FIRST_BUCKET: u8 = 4;

/// How far before an `@` its URL may begin, in bytes.
const URL_BYTES: usize = 512;
/// How long a name or an option may be, in bytes.
const NAME_BYTES: usize = 64;

/// Letters, of which a pair was found.
#[derive(Clone)]
struct Waiting {
    letters: Letters,
    /// Where in them the pair stands.
    offset: usize,
    /// The letter beside the pair, as a small one, and where it stands; looked at first, for it is seldom there.
    beside: (usize, u8),
    bit: Bits,
}

/// All triggers.
pub(super) struct Triggers {
    /// What each pair of bytes is.
    pairs: Box<[u8; PAIRS]>,
    /// Who waits for a pair.
    buckets: Vec<Vec<Waiting>>,
    at: Bits,
    at_in_url: Bits,
    address: Bits,
    numbers: Numbers,
}

impl Triggers {
    /// The triggers of detectors, in their order.
    pub(super) fn new<'a>(detectors: impl IntoIterator<Item = &'a [Trigger]>) -> Self {
        let mut all = Self {
            pairs: Box::new([NOTHING; PAIRS]),
            buckets: Vec::new(),
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
        all
    }

    /// Pairs that are no letters. Those of letters are chosen so that they are none of them.
    fn put_signs(&mut self) {
        for first in 0..=u8::MAX {
            if self.at | self.at_in_url != 0 {
                self.pairs[index(first, b'@')] = AT;
            }
            // Within a word digits begin nothing but an account number, after the letters of a country.
            if !is_word(first) || first.is_ascii_uppercase() && self.numbers.iban != 0 {
                (b'0'..=b'9').for_each(|digit| self.pairs[index(first, digit)] = DIGIT);
            }
            if self.address != 0 && (first.is_ascii_hexdigit() || first == b':') {
                self.pairs[index(first, b':')] = COLON;
            }
        }
    }

    fn put(&mut self, letters: &Letters, bit: Bits) {
        let Some(offset) = rarest_pair(&letters.text) else { return };
        let (first, second) = (letters.text[offset], letters.text[offset + 1]);
        let cases = |byte: u8| match letters.folds {
            true => vec![byte.to_ascii_lowercase(), byte.to_ascii_uppercase()],
            false => vec![byte],
        };
        let beside = if offset + 2 < letters.text.len() { offset + 2 } else { offset.saturating_sub(1) };
        let beside = (beside, letters.text[beside].to_ascii_lowercase());
        let waiting = Waiting { letters: letters.clone(), offset, beside, bit };
        let known = self.pairs[index(first, second)];
        let bucket = if known == NOTHING { self.new_bucket() } else { known };
        for one in cases(first) {
            for other in cases(second) {
                let pair = index(one, other);
                let taken = self.pairs[pair];
                if taken != NOTHING && taken != bucket {
                    // Capitals of letters that others wait for as they are: they are in both buckets.
                    self.bucket(taken).push(waiting.clone());
                } else {
                    self.pairs[pair] = bucket;
                }
            }
        }
        self.bucket(bucket).push(waiting);
    }

    fn new_bucket(&mut self) -> u8 {
        let next = self.buckets.len() + usize::from(FIRST_BUCKET);
        match u8::try_from(next) {
            Ok(bucket) => {
                self.buckets.push(Vec::new());
                bucket
            }
            // Many names of one's own: the last bucket takes them all.
            Err(_) => u8::MAX,
        }
    }

    fn bucket(&mut self, bucket: u8) -> &mut Vec<Waiting> {
        &mut self.buckets[usize::from(bucket - FIRST_BUCKET)]
    }

    /// The bits of those detectors that could find something.
    pub(super) fn pulled(&self, text: &str) -> Bits {
        let bytes = text.as_bytes();
        let mut bits = match bytes.first() {
            Some(byte) if byte.is_ascii_digit() => self.numbers.pulled(bytes, 0),
            _ => 0,
        };
        for (at, pair) in bytes.array_windows().enumerate() {
            let [first, second] = *pair;
            let what = self.pairs[index(first, second)];
            if what != NOTHING {
                bits |= self.look(what, bytes, at);
            }
        }
        bits
    }

    /// Looks at what is around the pair that begins at a place.
    fn look(&self, what: u8, bytes: &[u8], at: usize) -> Bits {
        match what {
            DIGIT => self.numbers.pulled(bytes, at + 1),
            AT => self.around_at(bytes, at + 1),
            COLON if numbers::is_address_of_hex(bytes, at) => self.address,
            COLON => 0,
            bucket => {
                let waiting = self.buckets[usize::from(bucket - FIRST_BUCKET)].iter();
                waiting.filter(|one| one.is_at(bytes, at)).fold(0, |bits, one| bits | one.bit)
            }
        }
    }

    fn around_at(&self, bytes: &[u8], at: usize) -> Bits {
        let is_tight = !bytes[at - 1].is_ascii_whitespace()
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

fn index(first: u8, second: u8) -> usize {
    (usize::from(first) << 8) | usize::from(second)
}

impl Waiting {
    /// Whether the letters stand so that their pair is at a place.
    fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        let Some(start) = at.checked_sub(self.offset) else { return false };
        let (place, letter) = self.beside;
        bytes.get(start + place).is_some_and(|byte| byte.to_ascii_lowercase() == letter)
            && self.letters.are_at(bytes, start)
    }
}

impl Letters {
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

/// Where in letters the pair stands that texts have least; never one that begins a number.
fn rarest_pair(text: &[u8]) -> Option<usize> {
    let weight = |byte: u8| match FREQUENT.iter().position(|letter| *letter == byte) {
        Some(place) => FREQUENT.len() - place,
        None if byte.is_ascii_uppercase() => 3,
        None => 12,
    };
    let is_taken =
        |pair: &[u8]| pair[1].is_ascii_digit() && (!is_word(pair[0]) || pair[0].is_ascii_uppercase());
    let pairs = text.windows(2).enumerate().filter(|(_, pair)| !is_taken(pair));
    pairs.min_by_key(|(_, pair)| weight(pair[0]) * weight(pair[1])).map(|(place, _)| place)
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
    fn letters_with_the_same_pair_in_capitals_are_all_heard() {
        let (exact, folded) = ([Trigger::token("SWx")], [Trigger::folded("sw", After::Any)]);
        for order in [[&exact[..], &folded[..]], [&folded[..], &exact[..]]] {
            let triggers = Triggers::new(order);
            assert_eq!(triggers.pulled("a SWxy").count_ones(), 2);
            assert_eq!(triggers.pulled("a Sw").count_ones(), 1);
        }
    }

    #[test]
    fn more_letters_than_there_are_buckets_are_all_heard() {
        let names: Vec<String> = (b'a'..=b'z')
            .flat_map(|a| (b'a'..=b'z').map(move |b| String::from_utf8_lossy(&[a, b]).into()))
            .collect();
        let triggers: Vec<Trigger> = names.iter().map(|name| Trigger::folded(name, After::Any)).collect();
        let all = Triggers::new([&triggers[..]]);
        assert!(names.iter().all(|name| all.pulled(name) == 1));
    }
}
