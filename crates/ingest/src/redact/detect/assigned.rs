//! `assigned_secret`: what stands at a name that says it is a secret, in text: `password=…`, `"client_secret": "…"`,
//! `?token=…&`, `--api-key …`, `<password>…</password>`, `SharedAccessSignature …&sig=…`, `Cookie: …`; in JSON within
//! JSON too, where quotes are escaped, and where signs are written for URLs and for HTML (`encoded`). The names are in
//! `names`, and those of the setting `names`. Passwords that stand at no name but in an order to a program or a
//! database are in `ordered`.
//!
//! Whether a value is one depends on the name and on the sign between them. After `password` and its like everything
//! is that is no sentence, mask or reference; in prose (`Password: wrong`) a bare word only at the end of a line or with
//! digits, signs or capitals in it. After `token` and its like it must be eight letters at least, and after a colon
//! look made by a machine: much text is about tokens. After `pass` there must be more than letters, after `auth` base64
//! of a user and a password, after `cvv` and `ssn` as many digits as these have.
//!
//! Not taken: hashes of passwords (`password_hash=`), tokens of pages and of language models (`next_token`,
//! `eos_token`), the shell's `PWD`, comparisons (`==`).

use std::ops::Range;

use regex::{Captures, Match, Regex};

use super::super::names;
use super::super::trigger::After;
use super::encoded::Encoded;
use super::ordered::{self, Ordered};
use super::{ASSIGNED_SECRET, Detector, RedactError, Trigger, bearer, compiled, surroundings, value};

/// The longest value that is looked at, in bytes.
const MAX_VALUE_BYTES: usize = 8192;
/// The shortest value without quotes, in bytes.
const MIN_BARE_BYTES: usize = 4;
/// The shortest token and the shortest signature, in bytes.
const MIN_TOKEN_BYTES: usize = 8;
const MIN_SIGNATURE_BYTES: usize = 16;

/// Words before `token` that say that it is another kind of token.
const NO_SECRETS: &[&str] = &[
    "page",
    "nextpage",
    "next",
    "continuation",
    "sync",
    "resume",
    "eos",
    "bos",
    "pad",
    "unk",
    "sep",
    "cls",
    "mask",
    "stop",
    "start",
    "end",
    "special",
    "input",
    "output",
    "max",
    "min",
    "prompt",
    "completion",
    "cached",
    "first",
    "last",
    "per",
    "total",
    "new",
    "unexpected",
    "unknown",
    "cancellation",
    "image",
    "tool",
];

/// How sure a name is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Strong,
    Weak,
    Signature,
    Cookie,
    Short,
    Digits,
    /// `auth`, of registries.
    Basic,
}

/// What stands between a name and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Equals,
    Colon,
    /// After an option of a command line.
    Space,
    /// Within an element of XML.
    Tag,
}

/// A value, and how it stands there.
struct Value {
    range: Range<usize>,
    is_quoted: bool,
}

pub(super) fn detector(others: &[String]) -> Result<Detector, RedactError> {
    let strong: Vec<&str> = names::STRONG.iter().copied().chain(others.iter().map(String::as_str)).collect();
    let (strong, weak) = (alternatives(&strong), alternatives(names::WEAK));
    let (short, digits) = (alternatives(names::SHORT), alternatives(names::DIGITS));
    let key = compiled(
        ASSIGNED_SECRET,
        &format!(
            "(?i-u)(?P<strong>{strong})|(?P<weak>{weak})|(?P<cookie>(?:set-)?cookie)|(?P<short>{short})|(?P<digits>{digits})|auth"
        ),
    )?;
    let (encoded, ordered) = (Encoded::new()?, Ordered::new()?);
    let pairs =
        compiled(ASSIGNED_SECRET, r#"^[^\s=;,"'\\]+=[^\s;,"'\\]*(?:; ?[^\s=;,"'\\]+(?:=[^\s;,"'\\]*)?)*"#)?;
    // The last word of a name is in all its writings.
    let names = [names::STRONG, names::WEAK, names::SHORT, names::DIGITS, &["cookie", "auth"]];
    let names = names.into_iter().flatten().copied();
    let last_words = names.chain(others.iter().map(String::as_str)).map(|name| {
        let last = name.rsplit(['-', '_', '.']).find(|word| word.len() > 1).unwrap_or(name);
        Trigger::folded(last, After::Sign)
    });
    let triggers = last_words.chain(ordered::triggers()).collect();
    Ok(Detector::new(ASSIGNED_SECRET, triggers, move |text, into| {
        let mut from = 0;
        while let Some(found) = key.captures_at(text, from) {
            let Some(whole) = found.get(0) else { break };
            from = whole.end();
            if let Some(range) = assigned(text, &whole.range(), kind(&found), &pairs, &encoded) {
                from = range.end;
                into.push(range);
            }
        }
        ordered.find(text, into);
    }))
}

fn kind(found: &Captures<'_>) -> Kind {
    if let Some(weak) = found.name("weak") {
        return weak_kind(weak);
    }
    let groups = [
        ("strong", Kind::Strong),
        ("cookie", Kind::Cookie),
        ("short", Kind::Short),
        ("digits", Kind::Digits),
    ];
    let named = groups.into_iter().find(|(group, _)| found.name(group).is_some());
    named.map_or(Kind::Basic, |(_, kind)| kind)
}

fn weak_kind(name: Match<'_>) -> Kind {
    if name.as_str().to_ascii_lowercase().starts_with("sig") { Kind::Signature } else { Kind::Weak }
}

/// Names as alternatives of a pattern, the longest first; `_` is `-`, `_`, `.` or nothing.
fn alternatives(words: &[&str]) -> String {
    let mut words = words.to_vec();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let patterns: Vec<String> = words.iter().map(|word| word.replace(['_', '-', '.'], "[-_.]?")).collect();
    patterns.join("|")
}

/// The secret at a name, if there is one.
fn assigned(
    text: &str,
    key: &Range<usize>,
    kind: Kind,
    pairs: &Regex,
    encoded: &Encoded,
) -> Option<Range<usize>> {
    if kind != Kind::Strong && !is_word_of_its_own(text, key) {
        return None;
    }
    let (sign, value) = match sign(text, key) {
        Some((_, at)) if kind == Kind::Cookie => return cookies(text, at, pairs),
        Some((sign, at)) => (sign, value_at(text, at, sign)?),
        None => (Sign::Colon, Value { range: encoded.value(text, key.end)?, is_quoted: true }),
    };
    let shown = &text[value.range.clone()];
    let is_one = !value::is_none(shown)
        && match kind {
            Kind::Strong => is_password(text, key, sign, &value),
            Kind::Weak => is_token(shown, sign),
            Kind::Signature => shown.len() >= MIN_SIGNATURE_BYTES && value::is_random(shown),
            Kind::Short => !is_verdict(text, key, sign) && is_short_password(shown),
            Kind::Digits => is_few_digits(shown),
            Kind::Basic => shown.len() >= MIN_TOKEN_BYTES && bearer::is_user_and_password(shown),
            Kind::Cookie => false,
        };
    is_one.then_some(value.range)
}

/// The cookies from a place on; in a list too (`"set-cookie":["…"]`).
fn cookies(text: &str, at: usize, pairs: &Regex) -> Option<Range<usize>> {
    let opens = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b'[');
    let at = at + text[at..].bytes().take_while(opens).count();
    let found = pairs.find(&text[at..])?;
    Some(at..at + found.end())
}

/// Whether a name is no part of a longer word, and no other kind of token.
fn is_word_of_its_own(text: &str, key: &Range<usize>) -> bool {
    let before = surroundings::before(text, key.start);
    let is_camel = before.is_some_and(|byte| byte.is_ascii_lowercase())
        && surroundings::at(text, key.start).is_some_and(|byte| byte.is_ascii_uppercase());
    // `%22token`: what stands before it is a sign as URLs have it.
    let is_escaped = matches!(&text.as_bytes()[..key.start],
        [.., b'%', high, low] if high.is_ascii_digit() && low.is_ascii_hexdigit());
    let begins = is_camel || is_escaped || !before.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let word = surroundings::last_word(surroundings::lead(text, key.start, 24));
    begins && !NO_SECRETS.iter().any(|other| other.eq_ignore_ascii_case(word))
}

/// The sign after a name, and the place after it.
fn sign(text: &str, key: &Range<usize>) -> Option<(Sign, usize)> {
    let bytes = text.as_bytes();
    let skip =
        |at: usize, is: fn(&u8) -> bool| at + bytes[at..].iter().take(8).take_while(|byte| is(byte)).count();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let named = skip(key.end, |byte| matches!(byte, b'"' | b'\'' | b'\\'));
    // config["password"] = …
    let named = if named > key.end && bytes.get(named) == Some(&b']') { named + 1 } else { named };
    let at = skip(named, blank);
    let (sign, width) = match (bytes.get(at)?, bytes.get(at + 1)) {
        (b'=', Some(b'=' | b'~')) | (b':', Some(b':')) => return None,
        (b'=', Some(b'>')) | (b':', Some(b'=')) => (Sign::Equals, 2),
        (b'=', _) => (Sign::Equals, 1),
        (b':', _) => (Sign::Colon, 1),
        (b'>', _) if is_element(text, key.start) => (Sign::Tag, 1),
        (next, _) if at > key.end && named == key.end && *next != b'-' && is_option(text, key.start) => {
            (Sign::Space, 0)
        }
        _ => return None,
    };
    let after = skip(at + width, blank);
    let is_quote = matches!(bytes.get(after), Some(b'"' | b'\'' | b'\\'));
    // `password= user=x` has no password.
    let is_empty = sign == Sign::Equals && after > at + width && at == named && !is_quote;
    (!is_empty).then_some((sign, after))
}

/// Whether the name is that of an element: `<password>`, `<db:password>`.
fn is_element(text: &str, start: usize) -> bool {
    let lead = surroundings::lead(text, start, 40);
    lead.trim_end_matches(|letter: char| {
        letter.is_ascii_alphanumeric() || matches!(letter, ':' | '_' | '-' | '.')
    })
    .ends_with('<')
}

/// Whether the name is that of an option: `--password`, `--db-password`.
fn is_option(text: &str, start: usize) -> bool {
    let lead = surroundings::lead(text, start, 40);
    let name =
        lead.rsplit(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))).next();
    name.is_some_and(|name| name.starts_with("--"))
}

/// The value that begins at a place.
fn value_at(text: &str, at: usize, sign: Sign) -> Option<Value> {
    let bytes = text.as_bytes();
    let is_quote = |place: usize| matches!(bytes.get(place), Some(b'"' | b'\''));
    // Python's b'…'.
    let at =
        if matches!(bytes.get(at)?, b'b' | b'u' | b'r' | b'f') && is_quote(at + 1) { at + 1 } else { at };
    let escapes = bytes[at..].iter().take(8).take_while(|byte| **byte == b'\\').count();
    if is_quote(at + escapes) {
        let start = at + escapes + 1;
        let end = closing(text, start, bytes[start - 1], escapes);
        return (end > start).then_some(Value { range: start..end, is_quoted: true });
    }
    let end = at + bare_length(&text[at..], sign);
    // A call of a function gives a value that is not here.
    let is_call = bytes.get(end) == Some(&b'(');
    let end = at + text[at..end].trim_end_matches(['.', ':']).len();
    (!is_call && end > at).then_some(Value { range: at..end, is_quoted: false })
}

/// Where a text in quotes ends: at its quote, escaped as often as the first; else at the end of the line.
fn closing(text: &str, start: usize, quote: u8, escapes: usize) -> usize {
    let limit = text.floor_char_boundary(start + MAX_VALUE_BYTES);
    let inside = &text.as_bytes()[start..limit];
    let mut at = 0;
    while at < inside.len() {
        match inside[at] {
            b'\\' => {
                let run = inside[at..].iter().take_while(|byte| **byte == b'\\').count();
                if run == escapes && inside.get(at + run) == Some(&quote) {
                    return start + at;
                }
                // What is escaped does not end it.
                let escapes_next = if escapes == 0 { run % 2 == 1 } else { run > escapes };
                at += run + usize::from(escapes_next);
            }
            byte if byte == quote && escapes == 0 => return start + at,
            b'\n' => return start + at,
            _ => at += 1,
        }
    }
    limit
}

/// How long a value without quotes is. Only where values are assigned by `=` does `&` lead to the next.
fn bare_length(text: &str, sign: Sign) -> usize {
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let ends = match letter {
            '&' => sign == Sign::Equals,
            '"' | '\'' | ',' | ';' | '(' | ')' | ']' | '}' | '<' | '>' | '|' => true,
            '\\' => {
                letters.peek().is_some_and(|(_, next)| matches!(next, 'n' | 'r' | 't' | '"' | '\'' | '\\'))
            }
            letter => letter.is_whitespace(),
        };
        if ends || at >= MAX_VALUE_BYTES {
            return at;
        }
    }
    text.len()
}

/// After `password` and its like.
fn is_password(text: &str, key: &Range<usize>, sign: Sign, value: &Value) -> bool {
    let shown = &text[value.range.clone()];
    let is_folder = text[key.clone()].eq_ignore_ascii_case("pwd") && shown.starts_with(['/', '~']);
    if value.is_quoted || is_folder {
        return !is_folder;
    }
    let ends_line = || {
        let rest = text[value.range.end..].trim_start_matches([' ', '\t', '.', ',', ';', '}', ')']);
        rest.is_empty() || rest.starts_with(['\n', '\r'])
    };
    shown.len() >= MIN_BARE_BYTES && (sign != Sign::Colon || value::is_mixed(shown) || ends_line())
}

/// After `token` and its like.
fn is_token(shown: &str, sign: Sign) -> bool {
    let is_one_word = shown.len() >= MIN_TOKEN_BYTES && !shown.contains(char::is_whitespace);
    match sign {
        Sign::Colon => value::is_random(shown),
        Sign::Equals | Sign::Space | Sign::Tag => {
            is_one_word && !shown.bytes().all(|byte| byte.is_ascii_digit())
        }
    }
}

/// `PASS: TestRedaction`: what a test came to.
fn is_verdict(text: &str, key: &Range<usize>, sign: Sign) -> bool {
    sign == Sign::Colon && &text[key.clone()] == "PASS" && surroundings::before(text, key.start) != Some(b'_')
}

/// After `pass`: one word, with letters and something else in it.
fn is_short_password(shown: &str) -> bool {
    shown.len() >= MIN_BARE_BYTES
        && !shown.contains(char::is_whitespace)
        && shown.contains(char::is_alphabetic)
        && value::is_mixed(shown)
}

/// After `cvv` and `ssn`: three digits or four; nine, together or as 3-2-4.
fn is_few_digits(shown: &str) -> bool {
    let groups: Vec<usize> = shown.split('-').map(str::len).collect();
    shown.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        && matches!(groups.as_slice(), [3 | 4 | 9] | [3, 2, 4])
}
