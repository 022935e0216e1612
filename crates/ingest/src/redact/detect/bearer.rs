//! `bearer`: credentials of HTTP authentication. After `Authorization` (as a header, a key of JSON, a keyword argument)
//! whatever the scheme is; after `Bearer` alone what looks made by a machine; after `Basic` alone base64 of a user and a
//! password.
//!
//! Not taken: the parts of `Digest`, what `WWW-Authenticate` says, and sentences (`bearer token expired`, `basic authentication failed`).

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::trigger::After;
use super::{BEARER, Detector, RedactError, Trigger, compiled, value};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn detector() -> Result<Detector, RedactError> {
    let header = compiled(
        BEARER,
        r#"(?i-u)authorization["'\\]*[ \t\r\n]*(?:=>|[:=])[ \t\r\n]*["'\\]*(?P<scheme>(?:bearer|basic|token|negotiate|apikey|key|hmac|signature|aws4-hmac-sha256)(?:[ \t]+|\+|%20))?(?P<secret>[A-Za-z0-9._~+/=:-]{6,})"#,
    )?;
    let alone =
        compiled(BEARER, r"(?i-u)\b(?P<scheme>bearer|basic)[ \t]+(?P<secret>[A-Za-z0-9._~+/=-]{8,})")?;
    let triggers = vec![
        Trigger::folded("authorization", After::Sign),
        Trigger::folded("bearer", After::Blank),
        Trigger::folded("basic", After::Blank),
    ];
    Ok(Detector::new(BEARER, triggers, move |text, into| {
        for found in header.captures_iter(text) {
            let Some(secret) = found.name("secret") else { continue };
            let is_one = match found.name("scheme") {
                Some(_) => !value::is_none(secret.as_str()) && is_no_word(secret.as_str()),
                None => value::is_random(secret.as_str()),
            };
            if is_one {
                into.push(secret.range());
            }
        }
        for found in alone.captures_iter(text) {
            let (Some(scheme), Some(secret)) = (found.name("scheme"), found.name("secret")) else { continue };
            let is_one = if scheme.as_str().eq_ignore_ascii_case("basic") {
                is_user_and_password(secret.as_str())
            } else {
                // `token_type=bearer expires_in=3600`: tokens have `=` at their end only.
                value::is_random(secret.as_str()) && !secret.as_str().trim_end_matches('=').contains('=')
            };
            if is_one && !overlaps(into, &secret.range()) {
                into.push(secret.range());
            }
        }
    }))
}

/// A word of a sentence has small letters only, but for the first, and is no longer than `authentication`.
fn is_no_word(text: &str) -> bool {
    text.len() > "authentication".len() || text.chars().skip(1).any(|letter| !letter.is_ascii_lowercase())
}

/// Whether base64 stands for `user:password`.
pub(super) fn is_user_and_password(text: &str) -> bool {
    LENIENT.decode(text).is_ok_and(|decoded| {
        decoded.contains(&b':')
            && std::str::from_utf8(&decoded).is_ok_and(|text| !text.contains(char::is_control))
    })
}

fn overlaps(ranges: &[Range<usize>], range: &Range<usize>) -> bool {
    ranges.iter().any(|one| one.start < range.end && range.start < one.end)
}
