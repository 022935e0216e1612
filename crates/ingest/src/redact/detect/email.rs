//! `email`: e-mail addresses, with letters of any script, and with `%40` for the `@` as URLs have it.
//!
//! Not taken: what looks alike and is none: packages (`react@18.2.0`), images (`icon@2x.png`), units of systemd
//! (`user@1000.service`), users in URLs (`https://me@host/`), the accounts that software has (`git@`, `celery@`);
//! addresses in quotes or without a domain.

use std::ops::Range;

use super::{Detector, EMAIL, RedactError, Trigger, compiled, surroundings};

/// The longest part before the `@`, in bytes.
const MAX_LOCAL_BYTES: usize = 64;
/// The longest domain, in bytes.
const MAX_DOMAIN_BYTES: usize = 253;
/// The longest end of a domain, in letters.
const MAX_TOP_LETTERS: usize = 24;

/// Ends of names of files and units.
const NO_DOMAINS: &[&str] = &[
    "service", "socket", "target", "timer", "mount", "slice", "scope", "png", "jpg", "jpeg", "gif", "svg",
    "webp", "ico", "js", "mjs", "cjs", "ts", "tsx", "jsx", "css", "scss", "html", "json", "xml", "yaml",
    "yml", "toml", "lock", "py", "rb", "go", "java", "class", "jar", "php", "dll", "exe", "zip", "gz", "tar",
    "tgz", "whl", "log", "txt", "cfg", "conf", "ini", "tmp",
];
/// Accounts that programs have by convention.
const NO_PEOPLE: &[&str] = &["git", "hg", "svn", "celery"];

pub(super) fn detector() -> Result<Detector, RedactError> {
    let sign = compiled(EMAIL, "@|%40")?;
    Ok(Detector::new(EMAIL, vec![Trigger::At, Trigger::exact("%40")], move |text, into| {
        for found in sign.find_iter(text) {
            let start = start_of_local(text, found.start());
            let end = end_of_domain(text, found.end());
            // Of two signs in a row the second has what the first has left.
            let is_free = into.last().is_none_or(|last: &Range<usize>| last.end <= start);
            if is_free && is_address(text, start, &found.range(), end) {
                into.push(start..end);
            }
        }
    }))
}

/// Where the part before the sign begins: with a letter or digit.
fn start_of_local(text: &str, sign: usize) -> usize {
    let can_be =
        |letter: &char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '%' | '+' | '\'' | '-');
    let lead = &text[text.ceil_char_boundary(sign.saturating_sub(MAX_LOCAL_BYTES + 1))..sign];
    let local = lead.chars().rev().take_while(can_be).map(char::len_utf8).sum::<usize>();
    let local = &lead[lead.len() - local..];
    sign - local.trim_start_matches(|letter: char| !letter.is_alphanumeric()).len()
}

/// Where the domain ends: with a label of letters.
fn end_of_domain(text: &str, sign: usize) -> usize {
    let can_be = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-');
    let rest = &text[sign..text.floor_char_boundary(sign + MAX_DOMAIN_BYTES)];
    let domain = &rest[..rest.find(|letter: char| !can_be(letter)).unwrap_or(rest.len())];
    // A sentence goes on after a dot, and a label has a letter at its end.
    sign + domain.trim_end_matches(|letter: char| !letter.is_alphabetic()).len()
}

fn is_address(text: &str, start: usize, sign: &Range<usize>, end: usize) -> bool {
    let (local, domain) = (&text[start..sign.start], &text[sign.end..end.max(sign.end)]);
    let Some((rest, top)) = domain.rsplit_once('.') else { return false };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    let top_letters = top.chars().count();
    !local.is_empty()
        && local.len() <= MAX_LOCAL_BYTES
        && (2..=MAX_TOP_LETTERS).contains(&top_letters)
        && top.chars().all(char::is_alphabetic)
        && rest.split('.').all(|label| !label.is_empty())
        && !rest.split('.').all(is_number)
        && !NO_DOMAINS.contains(&top)
        && !NO_PEOPLE.contains(&local)
        && !text[..start].ends_with("//")
        && !surroundings::is_word(surroundings::at(text, end))
}
