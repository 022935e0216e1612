//! Keys with nothing behind them, which in Prometheus' YAML are as if they were not there.

use serde::{Deserialize, Deserializer};

/// Reads a value, and nothing as an empty one.
pub(super) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
