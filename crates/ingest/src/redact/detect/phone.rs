//! `phone`: telephone numbers. With a country code (`+49 30 …`, `0049 30 …`); in North America's writing
//! (`(555) 555-0100`, `555-555-0100`); in the writing of countries with a leading zero (`030/555 01 23`,
//! `020 7946 0958`, `01 99 00 12 34`); and any digits after a word that says so (`phone: 5550100`, `Tel. 5550100`).
//!
//! Not taken: digits that nothing marks as a number, however long: they are ids and counts more often. So are numbers
//! that are called one (`order 0123-456789`), dates, addresses of networks, rows of hex.

use std::net::Ipv4Addr;
use std::ops::Range;

use regex::Regex;

use super::super::trigger::{After, numbers};
use super::{Detector, PHONE, RedactError, Trigger, compiled, surroundings};

const WORDS: &str =
    "telephone|telefon|phone|tel|mobile|mobil|cell|fax|handy|whatsapp|msisdn|rufnummer|durchwahl";
/// What may stand between a word and its number.
const BETWEEN: &str = r#"(?:[ _-]?(?:number|nummer|no|nr))?["'\\]*\.?[ \t]*[:=]?[ \t]*["'\\]*[+(]?"#;
/// How far before a number its word may begin, and how long a number may be, in bytes.
const NEAR_BYTES: usize = 48;

/// How many digits a number has at least.
const MIN_DIGITS: usize = 7;

const NAMED: &str = r"^[+(]?[0-9](?:[ ./()-]{0,2}[0-9]){6,14}";
const INTERNATIONAL: &str = r"^(?:\+|%2[Bb]|00)[1-9](?:(?: ?\(|\)[ -]?|[ ./-])?[0-9]){7,14}";
const NORTH_AMERICAN: &str =
    r"^(?:\([2-9][0-9]{2}\)[ -]?|(?:1[-. ])?[2-9][0-9]{2}[-.])[2-9][0-9]{2}[-.][0-9]{4}";
const IN_PARENTHESES: &str = r"^\(0[1-9][0-9]{1,4}\)[ /-]?[0-9]{2,}(?:[ -][0-9]{2,}){0,3}";
const IN_PAIRS: &str = r"^0[1-9](?:[ .-][0-9]{2}){4}";
const WITH_ZERO: &str = r"^0[1-9][0-9]{1,3}(?: ?[/-] ?| )[0-9]{2,}(?:[ -][0-9]{2,}){0,3}";

/// Words for numbers that are none to call.
const OTHER_NUMBERS: &[&str] = &[
    "order",
    "invoice",
    "ticket",
    "ref",
    "reference",
    "serial",
    "case",
    "sku",
    "isbn",
    "ean",
    "version",
    "build",
    "batch",
    "part",
    "account",
    "konto",
    "zip",
    "plz",
    "article",
    "artikel",
    "page",
    "job",
    "bestellung",
    "auftrag",
    "rechnung",
    "kunde",
    "vorgang",
    "nr",
    "no",
];

type Check = fn(&str, &Range<usize>) -> bool;

/// The expressions, compiled.
struct Shapes {
    /// A word that speaks of telephones, and what leads from it to a number.
    word: Regex,
    named: Regex,
    shapes: [(Regex, Check); 5],
    date: Regex,
}

pub(super) fn detector() -> Result<Detector, RedactError> {
    let pattern = |pattern: &str| compiled(PHONE, pattern);
    let shapes = Shapes {
        word: pattern(&format!("(?i-u)(?:{WORDS}){BETWEEN}$"))?,
        named: pattern(NAMED)?,
        shapes: [
            (pattern(INTERNATIONAL)?, is_international),
            (pattern(NORTH_AMERICAN)?, is_national),
            (pattern(IN_PARENTHESES)?, is_national),
            (pattern(IN_PAIRS)?, is_in_pairs),
            (pattern(WITH_ZERO)?, is_national),
        ],
        date: pattern(
            r"(?:19|20)[0-9]{2}[-./](?:0[1-9]|1[0-2])|[0-3][0-9][./-][01][0-9][./-](?:19|20)|^20[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]",
        )?,
    };
    let words = WORDS.split('|').map(|word| Trigger::folded(word, After::Number));
    let escaped = ["%2B", "%2b"].map(Trigger::exact);
    let triggers = words.chain(escaped).chain([Trigger::Phone]).collect();
    Ok(Detector::new(PHONE, triggers, move |text, into| {
        let mut from = 0;
        while let Some(at) = next_digits(text, from) {
            let found = shapes.number_at(text, at);
            from = found.as_ref().map_or_else(|| end_of_digits(text, at), |range| range.end);
            into.extend(found);
        }
    }))
}

/// Where the next group of digits begins.
fn next_digits(text: &str, from: usize) -> Option<usize> {
    text.as_bytes()[from..].iter().position(u8::is_ascii_digit).map(|at| from + at)
}

fn end_of_digits(text: &str, at: usize) -> usize {
    at + text.as_bytes()[at..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

impl Shapes {
    /// The number whose first digit stands at a place.
    fn number_at(&self, text: &str, at: usize) -> Option<Range<usize>> {
        let before = surroundings::before(text, at);
        let opening = match before {
            _ if numbers::is_after_escaped_plus(&text.as_bytes()[..at]) => "%2B".len(),
            Some(b'+' | b'(') => 1,
            _ if surroundings::is_word(before) => return None,
            _ => 0,
        };
        let start = at - opening;
        let rest = &text[start..text.floor_char_boundary(start + NEAR_BYTES)];
        let of = |shape: &Regex| {
            let found = shape.find(rest).filter(|found| !self.date.is_match(found.as_str()))?;
            Some(start..start + found.end())
        };
        let digits = text[at..start + rest.len()]
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || b" ./()-+".contains(byte));
        if digits.filter(u8::is_ascii_digit).count() < MIN_DIGITS {
            return None;
        }
        let lead = surroundings::lead(text, at, NEAR_BYTES);
        if let Some(range) = of(&self.named).filter(|range| is_named(text, range))
            && let Some(word) = self.word.find(lead)
            && begins_word(text, at - lead.len() + word.start())
        {
            return Some(range);
        }
        if !numbers::could_be_called(text.as_bytes(), at) {
            return None;
        }
        let fits = |(shape, is_one): &(Regex, Check)| {
            of(shape).filter(|range| stands_alone(text, range) && is_one(text, range))
        };
        self.shapes.iter().find_map(fits)
    }
}

/// Whether a word begins there: `tel` does in `work_tel` and `workTel`, and not in `hotel`.
fn begins_word(text: &str, start: usize) -> bool {
    match surroundings::before(text, start) {
        Some(before) if before.is_ascii_alphanumeric() => {
            before.is_ascii_lowercase()
                && surroundings::at(text, start).is_some_and(|byte| byte.is_ascii_uppercase())
        }
        _ => true,
    }
}

/// Whether neither a word nor a number goes on before or after it.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let before = surroundings::before(text, range.start);
    !surroundings::is_word(before)
        && before != Some(b'#')
        && before != Some(b'+')
        && !surroundings::began(text, range.start, b".-/:,")
        && !surroundings::is_word(surroundings::at(text, range.end))
        && !surroundings::goes_on(text, range.end, b".-/:,")
}

fn is_named(text: &str, range: &Range<usize>) -> bool {
    let number = &text[range.clone()];
    (MIN_DIGITS..=15).contains(&surroundings::digits(text, range).len())
        && number.parse::<Ipv4Addr>().is_err()
        && !surroundings::is_word(surroundings::at(text, range.end))
}

/// Whether a country has the code, and numbers of that length.
fn is_international(text: &str, range: &Range<usize>) -> bool {
    let number = &text[range.clone()];
    let separators = number.bytes().filter(|byte| !byte.is_ascii_digit()).count();
    let digits = surroundings::digits(text, range);
    let (digits, is_marked) = match number.as_bytes().first() {
        Some(b'+') => (&digits[..], !is_decimal(number, digits.len())),
        // The 2 of `%2B` is no digit of it.
        Some(b'%') => (&digits[1..], true),
        // Zeros before a number are no mark, unless it is written as one calls.
        _ => (&digits[2..], separators > 0 && !is_among_hex(text, range)),
    };
    let length = digits.len();
    let is_known = match digits {
        [1, area, ..] => length == 11 && *area >= 2,
        [7, ..] => length == 11,
        [2, 8, ..] | [8, 3 | 9, ..] => false,
        _ => (8..=15).contains(&length),
    };
    is_marked && is_known && separators <= 9
}

/// `+48.856614` is a place or a measure; `+1.2125550123` is how registries of domains write telephone numbers.
fn is_decimal(number: &str, digits: usize) -> bool {
    let signs = number.bytes().skip(1).filter(|byte| !byte.is_ascii_digit());
    digits < 11 && signs.eq(*b".")
}

fn is_national(text: &str, range: &Range<usize>) -> bool {
    (9..=12).contains(&surroundings::digits(text, range).len())
        && !is_called_something(text, range.start)
        && !is_among_hex(text, range)
}

fn is_in_pairs(text: &str, range: &Range<usize>) -> bool {
    let bytes = &text.as_bytes()[range.clone()];
    let separator = bytes.get(2);
    bytes.iter().skip(2).step_by(3).all(|byte| Some(byte) == separator)
        && !surroundings::began(text, range.start, b" ")
        && !surroundings::goes_on(text, range.end, b" ")
        && !is_called_something(text, range.start)
        && !is_among_hex(text, range)
}

/// Whether what leads to it says that it is another kind of number.
fn is_called_something(text: &str, start: usize) -> bool {
    let word = surroundings::last_word(surroundings::lead(text, start, 40)).to_lowercase();
    surroundings::is_called_id(text, start)
        || OTHER_NUMBERS.contains(&word.as_str())
        || word.ends_with("nummer")
        || word.len() > 2 && word.ends_with("nr")
}

/// Whether a word beside it is hex, or both are: it is a part of a dump.
fn is_among_hex(text: &str, range: &Range<usize>) -> bool {
    let is_hex =
        |word: &str| matches!(word.len(), 2 | 4 | 8) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_digit = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit());
    let before = text[..range.start].strip_suffix(' ').and_then(|text| text.rsplit([' ', '\n', '\t']).next());
    let after = text[range.end..].strip_prefix(' ').and_then(|text| text.split([' ', '\n', '\t']).next());
    let beside: Vec<&str> = before.into_iter().chain(after).filter(|word| is_hex(word)).collect();
    beside.len() == 2 || beside.into_iter().any(has_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is looked at first hides no number: of those with zeros before the code only ids go by.
        #[test]
        fn numbers_with_zeros_before_their_code_are_looked_at(
            lead in "[ :/-]?",
            text in "00[1-9][0-9]{0,4}([ ./()-]{1,2}[0-9]{1,4}){0,4}",
            end in "[ .a/-]?",
        ) {
            let shape = compiled(PHONE, INTERNATIONAL).expect("a pattern");
            if let Some(found) = shape.find(&text).filter(|found| is_international(&text, &found.range())) {
                let all = format!("{lead}{text}{end}");
                prop_assert!(numbers::could_be_called(all.as_bytes(), lead.len()), "{} in {all}", found.as_str());
            }
        }
    }

    #[test]
    fn ids_with_zeros_are_not_looked_at() {
        for text in ["001234", "0012ab34", "00123456789", "001234 done", "0012345, 12"] {
            assert!(!numbers::could_be_called(text.as_bytes(), 0), "{text}");
        }
    }
}
