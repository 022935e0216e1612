//! Keys of Prometheus that are known, and not supported: they may stand in a configuration as long as they change
//! nothing.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What stands at such a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unsupported {
    /// Whether it is anything but nothing, `false`, 0 or empty, which is what Prometheus takes when nothing stands there.
    is_set: bool,
}

/// Refuses what is set, by its key.
pub(super) fn refuse<const N: usize>(keys: [(&str, Unsupported); N]) -> Result<(), String> {
    match keys.into_iter().find(|(_, value)| value.is_set) {
        Some((key, _)) => Err(format!("`{key}` is not supported: leave it out")),
        None => Ok(()),
    }
}

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Unsupported;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Unsupported, E> {
        Ok(Unsupported::default())
    }

    fn visit_none<E>(self) -> Result<Unsupported, E> {
        Ok(Unsupported::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unsupported, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Unsupported, E> {
        Ok(Unsupported { is_set: value })
    }

    fn visit_i64<E>(self, value: i64) -> Result<Unsupported, E> {
        Ok(Unsupported { is_set: value != 0 })
    }

    fn visit_u64<E>(self, value: u64) -> Result<Unsupported, E> {
        Ok(Unsupported { is_set: value != 0 })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Unsupported, E> {
        Ok(Unsupported { is_set: value != 0.0 })
    }

    fn visit_str<E>(self, value: &str) -> Result<Unsupported, E> {
        Ok(Unsupported { is_set: !value.is_empty() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unsupported, A::Error> {
        let mut is_set = false;
        while items.next_element::<IgnoredAny>()?.is_some() {
            is_set = true;
        }
        Ok(Unsupported { is_set })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unsupported, A::Error> {
        let mut is_set = false;
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            is_set = true;
        }
        Ok(Unsupported { is_set })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_nothing_is_taken_and_everything_else_is_refused() {
        let is_set = |yaml: &str| serde_saphyr::from_str::<Unsupported>(yaml).expect("anything").is_set;
        for yaml in ["null", "false", "0", "0.0", "''", "[]", "{}"] {
            assert!(!is_set(yaml), "{yaml}");
        }
        for yaml in ["true", "1", "-1", "1.5", "a", "[0]", "{ a: 0 }"] {
            assert!(is_set(yaml), "{yaml}");
        }
        let set = Unsupported { is_set: true };
        assert_eq!(refuse([("a", Unsupported::default())]), Ok(()));
        let refused = refuse([("a", Unsupported::default()), ("b", set)]);
        assert_eq!(refused, Err("`b` is not supported: leave it out".to_owned()));
    }
}
