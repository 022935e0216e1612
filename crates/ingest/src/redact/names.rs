//! Names that say that their value is a secret: `password`, `X-Api-Key`, `db.client_secret`, `accessToken`.
//!
//! A name is one when it ends in one of the words below, with nothing or a new word before it: `auth-token` does,
//! `tokens`, `max_tokens` and `secretary` do not. Capitals and `-`, `_`, `.` make no difference.

/// Words whose value is a secret whatever it looks like, in text too. `_` is where another character may stand or
/// none.
pub(super) const STRONG: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "otp",
    "passwort",
    "kennwort",
    "pwd",
    "secret",
    "api_key",
    "access_key",
    "secret_key",
    "private_key",
    "account_key",
    "signing_key",
    "encryption_key",
    "shared_key",
    "subscription_key",
    "credential",
    "credentials",
];

/// Words whose value is one in an attribute; in text only when it looks like one, for texts speak of tokens.
pub(super) const WEAK: &[&str] =
    &["token", "signature", "sig", "auth_key", "csrf", "xsrf", "jsessionid", "phpsessid"];

/// Words whose value is one in text when letters and more are in it: tests pass, and so do compilers.
pub(super) const SHORT: &[&str] = &["pass", "pw"];

/// Words whose value is one when it is a few digits: the code on a payment card, the number of social security.
pub(super) const DIGITS: &[&str] = &["cvv", "cvv2", "cvc", "cvc2", "ssn"];

/// Of those, the ones that name secret attributes. A signature is worth looking for.
const WEAK_ATTRIBUTES: &[&str] = &["token", "auth_key", "csrf", "xsrf", "jsessionid", "phpsessid"];

/// `pass` names a secret attribute only with a word before it that says whose.
const PASSES: &[&str] = &["db_pass", "smtp_pass", "mail_pass", "user_pass", "admin_pass", "root_pass"];

/// Headers whose value is one, and that texts show with more than a word after them.
const HEADERS: &[&str] = &["authorization", "cookie"];

/// How much of a name is looked at, in bytes from its end.
const MAX_BYTES: usize = 64;

/// Tells names of secrets.
pub(super) struct SecretNames {
    words: Vec<Vec<u8>>,
    /// The last letters that a word has: most names have another one.
    last: [bool; 256],
}

impl SecretNames {
    /// The shipped words, and others.
    pub(super) fn new(others: &[String]) -> Self {
        let shipped = [STRONG, WEAK_ATTRIBUTES, PASSES, DIGITS, HEADERS].into_iter().flatten().copied();
        let words: Vec<Vec<u8>> = shipped
            .chain(others.iter().map(String::as_str))
            .map(|word| Squashed::of(word).letters().to_vec())
            .filter(|word| !word.is_empty())
            .collect();
        let mut last = [false; 256];
        for letter in words.iter().filter_map(|word| word.last()) {
            last[usize::from(*letter)] = true;
        }
        Self { words, last }
    }

    /// Whether the value of this name is a secret.
    pub(super) fn contain(&self, name: &str) -> bool {
        let ends_like_one = |letter: &u8| self.last[usize::from(letter.to_ascii_lowercase())];
        if !name.as_bytes().last().is_some_and(ends_like_one) {
            return false;
        }
        let squashed = Squashed::of(name);
        self.words.iter().any(|word| squashed.ends_in_word(word))
    }
}

/// The end of a name in small letters and without what separates its words.
struct Squashed {
    letters: [u8; MAX_BYTES],
    length: usize,
    /// A bit for each letter that begins a word.
    starts: u64,
}

impl Squashed {
    fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let tail = &bytes[bytes.len().saturating_sub(MAX_BYTES)..];
        let mut squashed = Self { letters: [0; MAX_BYTES], length: 0, starts: 0 };
        let mut begins = tail.len() == bytes.len();
        let mut before_small = false;
        for byte in tail {
            if matches!(byte, b'-' | b'_' | b'.' | b' ' | b'/' | b':') {
                begins = true;
                continue;
            }
            // A capital after a small letter begins a word: accessToken.
            if begins || before_small && byte.is_ascii_uppercase() {
                squashed.starts |= 1 << squashed.length;
            }
            squashed.letters[squashed.length] = byte.to_ascii_lowercase();
            squashed.length += 1;
            begins = false;
            before_small = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        }
        squashed
    }

    fn letters(&self) -> &[u8] {
        &self.letters[..self.length]
    }

    fn ends_in_word(&self, word: &[u8]) -> bool {
        self.letters().ends_with(word) && (self.starts >> (self.length - word.len())) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_however_they_are_written() {
        let names = SecretNames::new(&["patient-no".to_owned()]);
        for name in [
            "password",
            "db.password",
            "DB_PASSWORD",
            "API_KEY",
            "apikey",
            "x-api-key",
            "X.Api.Key",
            "Authorization",
            "http.request.header.set-cookie",
            "accessToken",
            "myAPIKey",
            "aws_secret_access_key",
            "clientSecret",
            "patient_no",
            "PatientNo",
            "dbPass",
            "SMTP_PASS",
            "card.cvv",
            "a.very.long.name.of.an.attribute.that.goes.on.and.on.before.it.comes.to.the.password",
        ] {
            assert!(names.contain(name), "{name}");
        }
        for name in [
            "",
            "tokens",
            "output_tokens",
            "keyword",
            "secretary",
            "password_hash",
            "nosecret",
            "key",
            "monkey",
            "passwords",
            "id",
            "impatient_no",
            "gen_ai.token.type",
            "tests.pass",
            "bypass",
            "sessn",
        ] {
            assert!(!names.contain(name), "{name}");
        }
    }
}
