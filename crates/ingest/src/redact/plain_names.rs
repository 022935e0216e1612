//! Names of attributes that were looked at before: the same few come with every record of a request.
//!
//! Remembered is only that a name is nothing, which is so wherever it stands: it says of no value that it is a secret, and
//! no detector, no pattern and no text that is known is found in it. A name that is something is looked at each time:
//! what becomes of it is up to rules, which go by its place.

use super::Redactor;

/// How many bits say where a name is remembered.
const PLACE_BITS: u32 = 8;
/// The longest name that is remembered, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// Names that are nothing to a redactor, some of those that were asked for; for a request.
pub(crate) struct PlainNames<'r> {
    redactor: &'r Redactor,
    /// The newest of those that share a place; no places until one is asked for.
    names: Vec<String>,
}

impl<'r> PlainNames<'r> {
    pub(crate) fn new(redactor: &'r Redactor) -> Self {
        Self { redactor, names: Vec::new() }
    }

    /// Whether a name is nothing: only its value is to be looked at, by [`Redactor::clean`].
    pub(crate) fn hold(&mut self, name: &str) -> bool {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return self.redactor.is_plain_name(name);
        }
        if self.names.is_empty() {
            self.names.resize_with(1 << PLACE_BITS, String::new);
        }
        let seen = &mut self.names[place_of(name)];
        if *seen == name {
            return true;
        }
        let is_plain = self.redactor.is_plain_name(name);
        if is_plain {
            seen.clear();
            seen.push_str(name);
        }
        is_plain
    }
}

/// Where a name is remembered: by its ends, which takes less than to hash all of it. Names that share a place are only
/// looked at again.
fn place_of(name: &str) -> usize {
    let bytes = name.as_bytes();
    let ends = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
        _ => bytes.iter().fold(0, |all, byte| (all << 8) | u64::from(*byte)),
    };
    // By the golden ratio: what comes of all bits is in the first ones.
    let mixed = (ends ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - PLACE_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::super::{Redaction, TextPattern};
    use super::*;

    #[test]
    fn names_that_are_something_are_told_each_time_and_others_at_once() {
        let pattern = TextPattern::new("ticket-[0-9]+").expect("a pattern");
        let settings = Redaction {
            names: vec!["patient_no".to_owned()],
            patterns: [("ticket".to_owned(), pattern)].into(),
            ..Redaction::default()
        };
        let redactor = Redactor::new(&settings).expect("settings");
        let redactor = redactor.knowing("configured", &["0pen-s3same".to_owned()]).expect("literals");
        let mut names = PlainNames::new(&redactor);
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        let cases = [
            ("user", true),
            ("http.response.status_code", true),
            ("ü", true),
            ("", true),
            (long.as_str(), true),
            ("db.password", false),
            ("authorization", false),
            ("patient_no", false),
            ("jane.doe@example.org", false),
            ("of ticket-4711", false),
            ("is 0pen-s3same", false),
        ];
        for _ in 0..3 {
            for (name, is_plain) in cases {
                assert_eq!(names.hold(name), is_plain, "{name}");
            }
        }
        assert!(names.names.iter().filter(|name| !name.is_empty()).count() <= 3, "only what is nothing");
    }

    #[test]
    fn names_that_share_a_place_are_told_apart() {
        let redactor = Redactor::new(&Redaction::default()).expect("shipped rules");
        let mut names = PlainNames::new(&redactor);
        // They have the same ends and the same length; in one of them a word begins where the last eight bytes do.
        let (plain, other, secret) = ("of_some_xpassword", "of_some_ypassword", "of_some__password");
        assert_eq!((place_of(plain), place_of(other)), (place_of(secret), place_of(secret)));
        for _ in 0..2 {
            assert!(names.hold(plain) && !names.hold(secret));
            assert!(names.hold(other) && names.hold(plain) && !names.hold(secret));
        }
        assert_eq!(names.names.len(), 1 << PLACE_BITS);
    }
}
