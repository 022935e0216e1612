//! `private_key`: private keys in PEM, from `-----BEGIN … PRIVATE KEY-----` to `-----END … PRIVATE KEY-----`, with line
//! breaks as such or written `\n`; of PKCS #1 and #8, SEC 1, OpenSSH and PGP, encrypted or not. One whose end is not in
//! the text goes as far as lines of base64 do.
//!
//! Not taken: public keys and certificates, the words `BEGIN PRIVATE KEY` in a sentence, keys without their frame.

use super::{Detector, PRIVATE_KEY, RedactError, Trigger};

/// The frame's words, without the first.
const LABEL: &str = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----";

pub(super) fn detector() -> Result<Detector, RedactError> {
    let pattern = format!(
        // Whole, or without its end: headers, lines of base64, and what was left of the last of them.
        r"-----BEGIN {LABEL}(?:(?s:.*?)-----END {LABEL}|(?:(?:\s|\\+[nr])*[A-Za-z-]+: [^\n\\]+)*(?:(?:\s|\\+[nr])*[A-Za-z0-9+/=]{{16,}})+(?:(?:\s|\\+[nr])+[A-Za-z0-9+/=]+)?)"
    );
    Detector::of_pattern(PRIVATE_KEY, vec![Trigger::exact("PRIVATE KEY")], &pattern, |_, _| true)
}
