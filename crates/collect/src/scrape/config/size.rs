//! Sizes as Prometheus means them: its `MB` is 1,048,576 bytes.

use model::ByteSize;
use serde::de::{Deserialize, Deserializer, Error};

/// Reads a size whose units are powers of two, however they are written.
pub(in crate::scrape) fn in_powers_of_two<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ByteSize, D::Error> {
    let text = String::deserialize(deserializer)?;
    let decimal = text.strip_suffix('B').filter(|rest| rest.ends_with(['K', 'M', 'G', 'T']));
    let size = decimal.map_or_else(|| text.parse(), |rest| format!("{rest}iB").parse());
    size.map_err(D::Error::custom)
}
