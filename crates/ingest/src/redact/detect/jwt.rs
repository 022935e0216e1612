//! `jwt`: JSON Web Tokens, signed (three parts) or encrypted (five), whose first part is base64url of a JSON object
//! with `alg`. One whose end is missing is taken too.
//!
//! Not taken: other texts in three parts with dots between them, a first part alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Detector, JWT, RedactError, Trigger};

/// The longest first part that is read.
const MAX_HEADER_BYTES: usize = 4096;

/// What every token says of itself.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "alg")]
    _alg: IgnoredAny,
}

pub(super) fn detector() -> Result<Detector, RedactError> {
    Detector::of_pattern(
        JWT,
        // `{"` and `{ ` in base64.
        vec![Trigger::token("eyJ"), Trigger::token("eyA")],
        r"(?-u:\b)ey[JA][A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*){0,3}",
        |text, at| text[at.clone()].split_once('.').is_some_and(|(header, _)| is_header(header)),
    )
}

fn is_header(part: &str) -> bool {
    part.len() <= MAX_HEADER_BYTES
        && URL_SAFE_NO_PAD.decode(part).is_ok_and(|json| serde_json::from_slice::<Header>(&json).is_ok())
}
