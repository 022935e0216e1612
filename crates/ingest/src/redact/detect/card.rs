//! `card_number`: numbers of payment cards, 13 to 19 digits together or in the groups in which cards show them, with
//! spaces or hyphens. Issuer and length must go together, and the check digit (Luhn) must be right.
//!
//! Not taken: digits within longer runs, decimals or words; numbers that are called an id (`trace_id=4…`). Times in
//! milliseconds and finer are no cards: they begin with 1, and no issuer does.

use std::ops::Range;

use super::{CARD_NUMBER, Detector, Trigger, surroundings};

/// How digits are grouped on cards; one group is any number of them.
const LAYOUTS: &[&[usize]] =
    &[&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[4, 4, 4, 1], &[4, 4, 5], &[6, 13]];
const SHORTEST: usize = 13;
const LONGEST: usize = 19;

pub(super) fn detector() -> Detector {
    Detector::new(CARD_NUMBER, vec![Trigger::Card], |text, into| {
        let mut from = 0;
        while let Some(run) = next_run(text, from) {
            from = run.last().map_or(text.len(), |group| group.end);
            cards(text, &run, into);
        }
    })
}

/// Groups of digits with one space or hyphen between them, from a place on.
fn next_run(text: &str, from: usize) -> Option<Vec<Range<usize>>> {
    let bytes = text.as_bytes();
    let mut at = from + bytes[from..].iter().position(u8::is_ascii_digit)?;
    let mut groups = Vec::new();
    loop {
        let start = at;
        at += bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        groups.push(start..at);
        if !surroundings::goes_on(text, at, b" -") {
            return Some(groups);
        }
        at += 1;
    }
}

fn cards(text: &str, run: &[Range<usize>], into: &mut Vec<Range<usize>>) {
    let mut first = 0;
    while first < run.len() {
        let taken = (1..=5).rev().find(|count| {
            run.get(first..first + count).is_some_and(|groups| is_laid_out(groups) && is_card(text, groups))
        });
        if let Some(count) = taken {
            into.push(run[first].start..run[first + count - 1].end);
        }
        first += taken.unwrap_or(1);
    }
}

fn is_laid_out(groups: &[Range<usize>]) -> bool {
    match groups {
        [group] => (SHORTEST..=LONGEST).contains(&group.len()),
        groups => LAYOUTS.iter().any(|layout| groups.iter().map(Range::len).eq(layout.iter().copied())),
    }
}

fn is_card(text: &str, groups: &[Range<usize>]) -> bool {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return false };
    let whole = first.start..last.end;
    let separators: Vec<Option<u8>> =
        groups.windows(2).map(|pair| surroundings::at(text, pair[0].end)).collect();
    let before = surroundings::before(text, whole.start);
    let within_word =
        surroundings::is_word(before) || surroundings::is_word(surroundings::at(text, whole.end));
    // With hyphens it is the whole run or nothing: a part of a longer one is a part of something else.
    let within_number = surroundings::began(text, whole.start, b".-")
        || surroundings::goes_on(text, whole.end, b".-")
        || before == Some(b'.');
    if within_word || within_number || separators.windows(2).any(|pair| pair[0] != pair[1]) {
        return false;
    }
    let is_id = groups.len() == 1 && surroundings::is_called_id(text, whole.start);
    !is_id && is_issued(&surroundings::digits(text, &whole))
}

/// Whether an issuer has numbers that begin so, of that length, and the check digit is right.
fn is_issued(digits: &[u8]) -> bool {
    let prefix =
        |length: usize| digits[..length].iter().fold(0u32, |number, digit| number * 10 + u32::from(*digit));
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    let lengths: &[usize] = match (two, three, four) {
        // Visa.
        (40..=49, ..) => &[13, 16, 19],
        // Mastercard.
        (51..=55, ..) | (_, _, 2221..=2720) => &[16],
        // American Express.
        (34 | 37, ..) => &[15],
        // Diners Club.
        (36 | 38 | 39, ..) | (_, 300..=305, _) => &[14, 16, 17, 18, 19],
        // Discover, UnionPay, JCB.
        (65 | 62, ..) | (_, 644..=649, _) | (_, _, 6011 | 3528..=3589) => &[16, 17, 18, 19],
        // Mir.
        (_, _, 2200..=2204) => &[16, 17, 18, 19],
        // Maestro.
        (_, _, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763) => &[13, 14, 15, 16, 17, 18, 19],
        _ => &[],
    };
    lengths.contains(&digits.len()) && has_check_digit(digits)
}

/// The check of Luhn.
fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit) * 2) {
            (0, _) => u32::from(*digit),
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}
