//! Whether a value looks like a secret, or like what stands where one could: a word of a sentence, a mask, the name of
//! a variable.

/// Words that stand after `password:` and the like and are none.
const WORDS: &[&str] = &[
    "null",
    "nil",
    "none",
    "nan",
    "undefined",
    "true",
    "false",
    "yes",
    "no",
    "empty",
    "missing",
    "required",
    "optional",
    "invalid",
    "valid",
    "incorrect",
    "correct",
    "wrong",
    "expired",
    "revoked",
    "rotated",
    "changed",
    "reset",
    "updated",
    "unknown",
    "unset",
    "set",
    "redacted",
    "hidden",
    "masked",
    "filtered",
    "removed",
    "omitted",
    "secret",
    "password",
    "passwd",
    "token",
    "string",
    "str",
    "text",
    "bytes",
    "int",
    "object",
    "default",
    "ok",
    "failed",
    "failure",
    "success",
    "denied",
    "rejected",
    "accepted",
    "ignored",
    "user",
    "users",
    "authentication",
    "authorization",
    "error",
    "exception",
    "read",
    "write",
    "loaded",
    "found",
    "include",
    "omit",
    "same-origin",
    "instance-profile",
    "falsch",
    "ungültig",
    "gültig",
    "abgelaufen",
    "fehlt",
    "erforderlich",
    "leer",
    "geändert",
    "unbekannt",
];

/// Words that begin a sentence about one.
const BEGINNINGS: &[&str] = &[
    "not", "is", "was", "are", "the", "a", "an", "for", "from", "of", "to", "in", "at", "and", "or", "must",
    "should", "shall", "may", "can", "cannot", "could", "has", "have", "this", "that", "these", "your",
    "please", "enter", "too", "field", "no", "invalid", "missing", "required", "does", "bitte", "darf",
    "muss", "ist", "wird", "wurde", "nicht", "das", "der", "die", "ein", "kein",
];

/// What begins a reference to a value that stands elsewhere, or a value that is no single one.
const REFERENCES: &[char] = &['$', '%', '{', '<', '[', '(', '&', '`'];

/// Whether a value is said of a secret, or stands for one.
pub(super) fn is_none(value: &str) -> bool {
    let is_one_of = |list: &[&str], word: &str| {
        let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        list.iter().any(|known| known.eq_ignore_ascii_case(word))
    };
    let mut words = value.split_whitespace();
    let is_said = match (words.next(), words.next()) {
        (Some(first), Some(_)) => is_one_of(BEGINNINGS, first),
        (Some(word), None) => is_one_of(WORDS, word) || is_one_of(BEGINNINGS, word),
        (None, _) => true,
    };
    is_said || is_stand_in(value)
}

/// Whether a value stands for one that is not there: nothing, a mask, or a reference.
pub(super) fn is_stand_in(value: &str) -> bool {
    value.trim().is_empty() || is_mask(value) || is_reference(value)
}

/// `****`, `xxxxx`, `…`: somebody has taken it out before.
fn is_mask(value: &str) -> bool {
    value.chars().all(|letter| matches!(letter, '*' | 'x' | 'X' | '.' | '•' | '#' | '-' | '_' | '…' | '?'))
}

/// `${PASSWORD}`, `<password>`, `{{ vault }}`, `self.password`. A bcrypt hash begins with `$2`, and is a value.
fn is_reference(value: &str) -> bool {
    let mut letters = value.chars();
    match letters.next() {
        Some('$') => !letters.next().is_some_and(|letter| letter.is_ascii_digit()),
        Some('%') => !is_escape(value),
        Some(first) if REFERENCES.contains(&first) => true,
        _ => is_path_of_names(value),
    }
}

/// Whether it begins with a sign as URLs have it (`%21pass`), and is no width (`%20s`).
fn is_escape(value: &str) -> bool {
    matches!(value.as_bytes(), [b'%', b'2'..=b'7', low, _, _, ..] if low.is_ascii_hexdigit())
}

/// `settings.DB_PASSWORD`, `config.api_key`: names with dots, the last of which speaks of a secret.
fn is_path_of_names(value: &str) -> bool {
    let is_name = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && part.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    };
    let Some((_, last)) = value.rsplit_once('.') else { return false };
    let last = last.to_ascii_lowercase();
    value.split('.').all(is_name)
        && ["pass", "secret", "token", "key", "pwd", "credential"].iter().any(|word| last.contains(word))
}

/// Whether there is a digit, a sign, or a capital where words have none.
pub(super) fn is_mixed(value: &str) -> bool {
    let inner_capital =
        value.chars().skip(1).any(char::is_uppercase) && value.chars().any(char::is_lowercase);
    inner_capital || value.chars().any(|letter| letter.is_ascii_digit() || "!@#$%^&*+=~?".contains(letter))
}

/// Whether it could be made by a machine: one word of at least eight letters, with letters and digits, or long and
/// with capitals among small letters.
pub(super) fn is_random(value: &str) -> bool {
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"._~+/=%:-".contains(&byte);
    if value.len() < 8 || !value.bytes().all(of_token) {
        return false;
    }
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    let has_letters = has(u8::is_ascii_alphabetic);
    has_letters && has(u8::is_ascii_digit)
        || value.len() >= 20 && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_secret_is_none() {
        for value in [
            "",
            "null",
            "None,",
            "********",
            "xxxx",
            "${DB_PASSWORD}",
            "$PASSWORD",
            "<password>",
            "{{ secret }}",
            "settings.DB_PASSWORD",
            "must be at least 8 characters",
            "expired",
            "[redacted:name]",
            "%s",
            "%20s",
            "%PASSWORD%",
            "include",
            "falsch",
        ] {
            assert!(is_none(value), "{value}");
        }
        for value in [
            "hunter2",
            "correct-horse",
            "$2b$12$abc",
            "jane.doe",
            "Tr0ub4dor&3",
            "swordfish",
            "correct horse",
            "%21pass",
        ] {
            assert!(!is_none(value), "{value}");
        }
    }

    #[test]
    fn what_a_machine_made_is_told_from_words() {
        for value in ["abcdef123", "550e8400-e29b-41d4-a716-446655440000", "AbCdEfGhIjKlMnOpQrStUv"] {
            assert!(is_random(value), "{value}");
        }
        for value in ["512", "151643", "required", "Hello", "20250801123000", "has spaces 123"] {
            assert!(!is_random(value), "{value}");
        }
        assert!(is_mixed("hunter2") && is_mixed("passWord") && !is_mixed("Required"));
    }
}
