//! What varies in a message, as places: numbers, times, ids, addresses, paths, and what stands in quotes.
//!
//! One pass over the beginning of a message, by hand: a table of regular expressions would be tried at every place of
//! every message that is stored.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The most bytes and words of a message that are looked at. What comes behind them is one more place.
const MAX_BYTES: usize = 1_024;
const MAX_WORDS: usize = 64;

const NUMBER: &str = "<num>";
const TIME: &str = "<time>";
const HEX: &str = "<hex>";
const UUID: &str = "<uuid>";
const ID: &str = "<id>";
const IP: &str = "<ip>";
const URL: &str = "<url>";
const PATH: &str = "<path>";
const QUOTED: &str = "<quoted>";
const REST: &str = "<*>";

/// Writes a message with places for what varies, words parted by one space.
pub(super) fn masked(message: &str, into: &mut String) {
    into.clear();
    // The first line says what happened; others are parts of it, or where it did.
    let line = message.trim_start().lines().next().unwrap_or_default();
    let (mut rest, mut words) = (&line[..line.floor_char_boundary(MAX_BYTES)], 1);
    let mut is_cut = rest.len() < line.len();
    let mut before = ' ';
    while let Some(next) = rest.chars().next() {
        if next.is_whitespace() {
            rest = rest.trim_start();
            if !rest.is_empty() {
                words += 1;
                if words > MAX_WORDS {
                    is_cut = true;
                    break;
                }
                into.push(' ');
            }
            before = ' ';
            continue;
        }
        let length = if let Some(length) = quoted(rest, next, before) {
            into.push_str(QUOTED);
            length
        } else if parts_words(next) {
            into.push(next);
            next.len_utf8()
        } else {
            let word = word(rest);
            write_word(word, into);
            word.len()
        };
        before = rest[..length].chars().next_back().unwrap_or(' ');
        rest = &rest[length..];
    }
    if is_cut {
        into.push(' ');
        into.push_str(REST);
    }
}

/// How long what stands in quotes is, with these, if it begins here.
fn quoted(text: &str, quote: char, before: char) -> Option<usize> {
    // An apostrophe within a word is no quote.
    if !matches!(quote, '"' | '\'' | '`') || before.is_alphanumeric() {
        return None;
    }
    let mut ends = text[1..].match_indices(quote).map(|(place, _)| place + 2);
    ends.find(|end| !text[*end..].starts_with(char::is_alphanumeric))
}

/// Whether a character is a word by itself.
fn parts_words(character: char) -> bool {
    matches!(
        character,
        '"' | '\'' | '`' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '=' | '|'
    )
}

/// The word that begins here.
fn word(text: &str) -> &str {
    // Addresses of the web and paths have characters in them that part other words.
    let is_address = text.starts_with('/') || scheme(text).is_some();
    let ends = |character: char| {
        character.is_whitespace()
            || matches!(character, '"' | '\'' | '`' | '<' | '>' | ')' | ']' | '}' | ';' | '|')
            || (!is_address && parts_words(character))
            || (is_address && character == ',')
    };
    let is_end = |(place, character): &(usize, char)| {
        ends(*character) && !(*character == ',' && is_between_digits(text, *place))
    };
    let end = text.char_indices().find(is_end).map(|(place, _)| place).filter(|end| *end > 0);
    &text[..end.unwrap_or(text.len())]
}

/// Whether a character of one byte parts digits of a number, or of several that have no space between them.
fn is_between_digits(text: &str, place: usize) -> bool {
    let is_digit = |place: Option<usize>| {
        place.and_then(|place| text.as_bytes().get(place)).is_some_and(u8::is_ascii_digit)
    };
    is_digit(place.checked_sub(1)) && is_digit(Some(place + 1))
}

/// What stands before `://`.
fn scheme(text: &str) -> Option<&str> {
    let end = text.bytes().take(17).position(|byte| byte == b':')?;
    let (scheme, rest) = text.split_at(end);
    let is_one = !scheme.is_empty()
        && rest.starts_with("://")
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_one.then_some(scheme)
}

fn write_word(word: &str, into: &mut String) {
    let core = word.trim_end_matches(['.', ':', '!', '?', ',']);
    match place(core) {
        Some(place) => into.push_str(place),
        None => write_parts(core, into),
    }
    into.push_str(&word[core.len()..]);
}

/// The place that a whole word is.
fn place(word: &str) -> Option<&'static str> {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    if scheme(word).is_some() {
        Some(URL)
    } else if is_path(word) {
        Some(PATH)
    } else if !has_digit {
        None
    } else if is_uuid(word) {
        Some(UUID)
    } else if is_ip(word) {
        Some(IP)
    } else if is_time(word) {
        Some(TIME)
    } else {
        place_of_part(word)
    }
}

/// The place that a part of a word is, or a whole one.
fn place_of_part(part: &str) -> Option<&'static str> {
    if is_hex(part) {
        Some(HEX)
    } else if is_number(part) {
        Some(NUMBER)
    } else if is_id(part) {
        Some(ID)
    } else {
        None
    }
}

/// Writes a word that is no place, with places for its parts that are, and for digits within others.
fn write_parts(word: &str, into: &mut String) {
    let parts_it = |character: char| {
        matches!(character, '-' | '_' | '.' | ':' | '/' | '@' | '#' | '+' | '&' | '$' | '\\')
    };
    for piece in word.split_inclusive(parts_it) {
        let part = piece.trim_end_matches(parts_it);
        match place_of_part(part) {
            Some(place) => into.push_str(place),
            None => write_without_digits(part, into),
        }
        into.push_str(&piece[part.len()..]);
    }
}

fn write_without_digits(part: &str, into: &mut String) {
    let mut is_in_number = false;
    for character in part.chars() {
        let is_digit = character.is_ascii_digit();
        if !is_digit {
            into.push(character);
        } else if !is_in_number {
            into.push_str(NUMBER);
        }
        is_in_number = is_digit;
    }
}

/// A number, with a sign, parts of a thousand, a fraction, an exponent and a unit: `-1_000.5e-3ms`, `95%`; or several
/// with commas between them.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    let behind =
        unsigned.trim_start_matches(|digit: char| digit.is_ascii_digit() || matches!(digit, '.' | '_' | ','));
    let exponent = behind.strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['-', '+']).unwrap_or(rest));
    let unit = match exponent {
        Some(rest) if rest.starts_with(|digit: char| digit.is_ascii_digit()) => {
            rest.trim_start_matches(|digit: char| digit.is_ascii_digit())
        }
        _ => behind,
    };
    let letters = unit.strip_suffix("/s").unwrap_or(unit);
    letters == "%" || (letters.chars().count() <= 5 && letters.chars().all(char::is_alphabetic))
}

/// `0x` and digits, or at least eight hexadecimal digits, letters and others among them.
fn is_hex(word: &str) -> bool {
    let is_all = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => is_all(digits),
        None => {
            let has = |is_so: fn(&u8) -> bool| word.as_bytes().iter().any(is_so);
            word.len() >= 8 && is_all(word) && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
        }
    }
}

/// Letters and digits by turns, as they come about by chance and not in names.
fn is_id(word: &str) -> bool {
    let turns =
        word.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit());
    word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()) && turns.count() >= 4
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// An address of the internet, with a port or the length of a net, or without.
fn is_ip(word: &str) -> bool {
    let address = match word.rsplit_once('/') {
        Some((address, length)) if length.parse::<u8>().is_ok() => address,
        _ => word,
    };
    // Of two colons and a few letters may be names within names, too: `a::b`.
    address.parse::<Ipv6Addr>().is_ok_and(|_| address.matches(':').count() > 2)
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4())
        || address.parse::<SocketAddr>().is_ok()
}

/// A date, a time of day, or both.
fn is_time(word: &str) -> bool {
    let bytes = word.as_bytes();
    let has = |shape: &[u8]| {
        bytes.len() >= shape.len()
            && shape.iter().zip(bytes).all(|(wanted, byte)| match wanted {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    (has(b"0000-00-00") || has(b"0000/00/00") || has(b"00:00"))
        && bytes.iter().all(|byte| byte.is_ascii_digit() || b"-/:.,+TZ".contains(byte))
}

/// Where a file lies, or a route.
fn is_path(word: &str) -> bool {
    let begins = |beginning: &str| word.starts_with(beginning) && word.len() > beginning.len();
    let is_of_windows = || {
        let bytes = word.as_bytes();
        bytes.len() > 3
            && bytes[0].is_ascii_alphabetic()
            && bytes[1] == b':'
            && matches!(bytes[2], b'\\' | b'/')
    };
    let has_folders = || {
        word.matches('/').count() >= 2
            && word.contains(char::is_alphabetic)
            && !word.starts_with(char::is_numeric)
    };
    begins("/") || begins("./") || begins("../") || begins("~/") || has_folders() || is_of_windows()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> String {
        let mut text = "left from before".to_owned();
        masked(message, &mut text);
        text
    }

    #[test]
    fn what_varies_becomes_a_place_and_words_stay() {
        let cases = [
            ("page 3 of 12 took 1.5s (95%)", "page <num> of <num> took <num> (<num>)"),
            ("  two\t spaces  ", "two spaces"),
            ("pages=3, size=10MiB rate=12.5kB/s", "pages=<num>, size=<num> rate=<num>"),
            ("delta -1_000.5e-3ms +4", "delta <num> <num>"),
            ("worker-3 on gpu-1: 12/40", "worker-<num> on gpu-<num>: <num>/<num>"),
            ("at 2026-11-30T08:00:00.123Z and 08:00:01,5.", "at <time> and <time>."),
            ("job 0b5c2a6e-3c1f-4f0e-9d55-1f2a3b4c5d6e done", "job <uuid> done"),
            ("trace 4bf92f3577b34da6a3ce929d0e0e4736 at 0x7fF", "trace <hex> at <hex>"),
            ("job-3f9a2b7c failed", "job-<hex> failed"),
            ("key x7Kf9QzP2 of user_17a", "key <id> of user_<num>"),
            ("ids [1,2,3] of 1,000 at ab12cd", "ids [<num>] of <num> at ab<num>cd"),
            ("10.0.0.1:8080 and [::1]:80, fe80::1:2 10.0.0.0/8", "<ip> and [::<num>]:<num>, <ip> <ip>"),
            ("GET https://a.example/x?y=1,2 -> 200", "GET <url> -> <num>"),
            ("open /var/lib/a_b.pdf: denied", "open <path>: denied"),
            ("open ./a.pdf, ~/b, src/x/y.rs and C:\\x\\y", "open <path>, <path>, <path> and <path>"),
            ("read/write and a / b", "read/write and a / b"),
            ("model \"llama 3\" isn't 'it is' or `x`", "model <quoted> isn't <quoted> or <quoted>"),
            ("an \"open quote", "an \"open quote"),
            ("std::fmt a::b v1.2.3", "std::fmt a::b v<num>.<num>.<num>"),
            ("Überprüfung für 5 Straßen", "Überprüfung für <num> Straßen"),
            ("{\"page\":3,\"ok\":true}", "{<quoted>:<num>,<quoted>:true}"),
            ("KeyError: 'x'\nTraceback", "KeyError: <quoted>"),
            ("", ""),
            ("\n\n  after lines\nmore", "after lines"),
        ];
        for (message, expected) in cases {
            assert_eq!(of(message), expected, "{message}");
        }
    }

    #[test]
    fn of_a_long_message_the_beginning_is_looked_at() {
        let words = "word ".repeat(MAX_WORDS + 1);
        let text = of(&words);
        assert_eq!(text.split(' ').count(), MAX_WORDS + 1);
        assert!(text.ends_with("word <*>"), "{text}");
        assert_eq!(of(&"word ".repeat(MAX_WORDS)), "word ".repeat(MAX_WORDS).trim_end());
        let long = of(&"ö".repeat(MAX_BYTES));
        assert_eq!(long, format!("{} <*>", "ö".repeat(MAX_BYTES / 2)));
    }

    #[test]
    fn any_text_is_masked() {
        let odd = [
            "'",
            "\"\"",
            "=",
            "a=",
            "-",
            "+",
            "0x",
            ".",
            "...",
            "://",
            "a://",
            "/",
            "1e",
            "1e+",
            "é1é",
            "'é'é'",
            "\u{0}",
            "😀'😀'",
        ];
        for first in odd {
            for second in odd {
                for between in ["", " ", "1"] {
                    let text = of(&format!("{first}{between}{second}"));
                    assert!(!text.contains("  ") && !text.starts_with(' '), "{first:?} {second:?}: {text:?}");
                }
            }
        }
    }
}
