//! `iban`: international bank account numbers (ISO 13616), together or in groups of four with a space or hyphen between
//! them: a country that has them, its length, and the check digits (modulo 97).
//!
//! Not taken: small letters, account numbers of a country alone.

use std::ops::Range;

use super::{Detector, IBAN, RedactError, Trigger, compiled, surroundings};

/// How long the numbers of a country are.
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

pub(super) fn detector() -> Result<Detector, RedactError> {
    let beginning = compiled(IBAN, r"(?-u:\b)[A-Z]{2}[0-9]{2}[ -]?[A-Z0-9]")?;
    Ok(Detector::new(IBAN, vec![Trigger::Iban], move |text, into| {
        let mut from = 0;
        while let Some(found) = beginning.find_at(text, from) {
            let number = number_at(text, found.start());
            from = number.as_ref().map_or(found.start() + 1, |range| range.end);
            into.extend(number);
        }
    }))
}

/// The number that begins at a place.
fn number_at(text: &str, start: usize) -> Option<Range<usize>> {
    let country = text.get(start..start + 2)?;
    let (_, length) = LENGTHS.iter().find(|(code, _)| *code == country)?;
    let bytes = text.as_bytes();
    let mut letters = Vec::with_capacity(*length);
    let mut at = start;
    while letters.len() < *length {
        let byte = *bytes.get(at)?;
        if byte.is_ascii_digit() || byte.is_ascii_uppercase() {
            letters.push(byte);
        } else if !(matches!(byte, b' ' | b'-') && letters.len().is_multiple_of(4)) || bytes[at - 1] == byte {
            return None;
        }
        at += 1;
    }
    let ends = !surroundings::is_word(surroundings::at(text, at));
    (ends && remainder(&letters) == 1).then_some(start..at)
}

/// The number with its first four letters at its end, modulo 97; letters count from 10.
fn remainder(letters: &[u8]) -> u32 {
    let (head, tail) = letters.split_at(4);
    tail.iter().chain(head).fold(0, |rest, letter| match letter {
        b'0'..=b'9' => (rest * 10 + u32::from(letter - b'0')) % 97,
        _ => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    })
}
