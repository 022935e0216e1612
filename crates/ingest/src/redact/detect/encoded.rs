//! What stands at a name where the signs between them are written for a URL or for HTML: `%22password%22%3A%22…%22`,
//! `password%3D…`, `password&quot;:&quot;…&quot;`. Bodies of requests get into logs so.

use std::ops::Range;

use regex::Regex;

use super::{ASSIGNED_SECRET, RedactError, compiled};

/// A quote, perhaps escaped for JSON within JSON.
const QUOTE: &str = r"(?:%5C)*(?:%22|%27)|&quot;|&#3[49];";

/// How far after a name its value is looked for, in bytes.
const NEAR_BYTES: usize = 1024;

/// Finds the values of names.
pub(super) struct Encoded {
    value: Regex,
}

impl Encoded {
    pub(super) fn new() -> Result<Self, RedactError> {
        // Bytes of ASCII, as whatever else there is would be encoded, too; what ends it is looked for from its beginning.
        let pattern = format!(
            r#"^(?i-u)(?:(?:{QUOTE})(?:%20|\+| )*(?:%3A|%3D|[:=])|(?:%3A|%3D))(?:%20|\+| )*(?:{QUOTE})?(?P<value>[!-~]+?)(?:{QUOTE}|%26|%2C|%7D|&|[\s"'<>,]|$)"#
        );
        Ok(Self { value: compiled(ASSIGNED_SECRET, &pattern)? })
    }

    /// Where the value stands of a name that ends at a place.
    pub(super) fn value(&self, text: &str, end: usize) -> Option<Range<usize>> {
        let near = &text[end..text.floor_char_boundary(end + NEAR_BYTES)];
        let found = self.value.captures(near)?.name("value")?.range();
        Some(end + found.start..end + found.end)
    }
}
