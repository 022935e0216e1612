//! Numbers and durations as they are written.

use crate::span::MAX_MILLISECONDS;

/// Units of durations, in the order in which they must stand, in milliseconds.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Whether a word has the form of a number.
pub(super) fn is_number(word: &str) -> bool {
    digits(word).is_some()
}

/// The value of a number; nothing when it is out of range.
pub(super) fn number(word: &str) -> Option<f64> {
    let (base, digits) = digits(word)?;
    match base {
        10 => digits.parse().ok().filter(|value: &f64| value.is_finite()),
        base => i64::from_str_radix(&digits, base).ok().map(|value| value as f64),
    }
}

/// The base of a number and its digits without underscores.
fn digits(word: &str) -> Option<(u32, String)> {
    let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    if let Some(hex) = hex {
        let plain = without_underscores(hex.strip_prefix('_').unwrap_or(hex), u8::is_ascii_hexdigit)?;
        return (!plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then_some((16, plain));
    }
    let plain = without_underscores(word, u8::is_ascii_digit)?;
    let is_octal =
        plain.len() > 1 && plain.starts_with('0') && plain.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    if is_octal {
        return Some((8, plain));
    }
    let (mantissa, exponent) = match plain.find(['e', 'E']) {
        Some(at) => (&plain[..at], Some(&plain[at + 1..])),
        None => (&*plain, None),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let good_mantissa = all_digits(&format!("{whole}{part}"));
    let good_exponent = exponent.is_none_or(|text| all_digits(text.strip_prefix(['+', '-']).unwrap_or(text)));
    (good_mantissa && good_exponent).then_some((10, plain))
}

/// Underscores may stand between two digits.
fn without_underscores(word: &str, is_digit: fn(&u8) -> bool) -> Option<String> {
    let bytes = word.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(is_digit);
    let misplaced = (0..bytes.len())
        .any(|at| bytes[at] == b'_' && !(is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1))));
    (!misplaced).then(|| word.replace('_', ""))
}

/// Whether a word has the form of a duration, which may still be none.
pub(super) fn looks_like_duration(word: &str) -> bool {
    word.ends_with(|c: char| c.is_ascii_alphabetic())
        && word.bytes().all(|byte| byte.is_ascii_digit() || b"smhdwy".contains(&byte))
}

/// A duration such as `1h30m`, in milliseconds.
pub(super) fn duration(word: &str) -> Result<i64, String> {
    let invalid = || format!("not a valid duration string: {word:?}");
    let (mut rest, mut total, mut units) = (word, 0_u64, UNITS.iter());
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        // Each unit stands once, and the greater ones before.
        let (_, millis) = units.find(|(name, _)| *name == unit).ok_or_else(invalid)?;
        if digits.is_empty() {
            return Err(invalid());
        }
        let count: Option<u64> = digits.parse().ok();
        let sum = count.and_then(|count| count.checked_mul(*millis)).and_then(|part| total.checked_add(part));
        total = sum.ok_or("duration out of range")?;
        rest = after;
    }
    i64::try_from(total)
        .ok()
        .filter(|total| *total <= MAX_MILLISECONDS)
        .ok_or_else(|| "duration out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        let cases = [
            ("1", 1.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            ("1_000.5", 1000.5),
            ("0x1f", 31.0),
            ("0X_1f", 31.0),
            ("017", 15.0),
            ("08", 8.0),
            ("00.5", 0.5),
        ];
        for (word, value) in cases {
            assert!(is_number(word), "{word}");
            assert_eq!(number(word), Some(value), "{word}");
        }
        for word in ["1_", "_1", "1__0", "1_e3", "1e_3", "1.2.3", "1e", "1e+", "0x", "0xg", "1x", ".", "5m"] {
            assert!(!is_number(word), "{word}");
        }
        assert_eq!(number("1e999"), None);
    }

    #[test]
    fn durations_have_each_unit_once_and_the_greater_before() {
        assert_eq!(duration("1h30m"), Ok(5_400_000));
        assert_eq!(
            duration("1y2w3d4h5m6s7ms"),
            Ok(31_536_000_000 + 1_209_600_000 + 259_200_000 + 14_706_007)
        );
        assert_eq!(duration("0s"), Ok(0));
        for word in ["1m1h", "1m1m", "1hs", "m", "5mm"] {
            assert!(looks_like_duration(word) || word == "m");
            assert!(duration(word).is_err(), "{word}");
        }
        for word in ["9999999999y", "99999999999999999999s"] {
            assert_eq!(duration(word), Err("duration out of range".to_owned()));
        }
    }
}
