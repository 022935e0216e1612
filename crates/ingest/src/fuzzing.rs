//! What is tried with hostile bytes: redaction, which sees everything that anybody sends.
//!
//! `fuzz/` makes up the bytes; those that have shown a fault once lie in `fuzz/cases/` and are tried again by every test
//! run.

use std::sync::LazyLock;

use crate::{Action, Location, Redaction, Redactor};

/// The most bytes that stand for a secret of one byte.
const MAX_GROWTH: usize = 64;

static REDACTORS: LazyLock<[Redactor; 3]> = LazyLock::new(|| {
    [Action::Mask, Action::Hash, Action::Drop].map(|action| {
        let settings = Redaction {
            action,
            ips: true,
            hash_key: "a key of the tests".to_owned(),
            ..Redaction::default()
        };
        Redactor::new(&settings).expect("settings that can be used")
    })
});

/// As a text, and as the value and the name of an attribute: what is redacted has a bound, and stays as it is when it
/// is redacted again.
pub fn redact(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for redactor in &*REDACTORS {
        let found = redactor.find(Location::LOG_MESSAGE, &text);
        assert!(found.is_sorted_by(|a, b| a.range.end <= b.range.start), "no two overlap");
        assert!(found.iter().all(|one| !one.range.is_empty() && text.get(one.range.clone()).is_some()));
        if let Some(cleaned) = redactor.clean(Location::LOG_MESSAGE, &text, |_, _| ()) {
            assert!(!found.is_empty() && cleaned.text.len() <= (text.len() + 1) * MAX_GROWTH);
            let again = redactor.clean(Location::LOG_MESSAGE, &cleaned.text, |_, _| ());
            assert_eq!(again, None, "{:?} is not at rest", cleaned.text);
        }
        let at = Location { table: "logs", field: &text };
        if let Some(cleaned) = redactor.clean_value(at, &text, |_, _| ()) {
            let again = redactor.clean_value(at, &cleaned.text, |_, _| ());
            assert_eq!(again, None, "{:?} is not at rest", cleaned.text);
        }
        redactor.is_secret_name(&text);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_redaction_has_found_stays_mended() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/cases/redact");
        let mut cases = 0;
        for entry in std::fs::read_dir(folder).expect("the cases of the target") {
            super::redact(&std::fs::read(entry.expect("an entry").path()).expect("a case"));
            cases += 1;
        }
        assert!(cases > 0, "redact has no cases");
    }
}
