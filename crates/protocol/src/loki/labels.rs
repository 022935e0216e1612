//! Labels as shippers write them in protobuf: `{job="api", host="a"}`, texts quoted as Go quotes them.

use std::borrow::Cow;

/// A text that is no list of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LabelsError {
    #[error("it does not stand in braces, as {{job=\"api\"}}")]
    Braces,
    #[error("a name is missing, or is none")]
    Name,
    #[error("there is no `=` behind a name")]
    Equals,
    #[error("a value does not stand in quotes, or they are not closed")]
    Quotes,
    #[error("a value has an escape that is none")]
    Escape,
    #[error("there is no comma between two labels")]
    Comma,
}

/// Hands each label to `take`.
pub(super) fn each(text: &str, mut take: impl FnMut(&str, &str)) -> Result<(), LabelsError> {
    let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let mut rest = inner.ok_or(LabelsError::Braces)?.trim_start();
    while !rest.is_empty() {
        let (name, after) = name(rest)?;
        let after = after.trim_start().strip_prefix('=').ok_or(LabelsError::Equals)?;
        let (value, after) = quoted(after.trim_start())?;
        take(&name, &value);
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.is_empty() => after,
            None => return Err(LabelsError::Comma),
        };
    }
    Ok(())
}

/// A name, plain or (for signs that a plain one cannot have) in quotes.
fn name(text: &str) -> Result<(Cow<'_, str>, &str), LabelsError> {
    if text.starts_with(['"', '`']) {
        return quoted(text);
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | ':' | '-');
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    if end == 0 { Err(LabelsError::Name) } else { Ok((Cow::Borrowed(&text[..end]), &text[end..])) }
}

/// A text in quotes, and what follows it.
fn quoted(text: &str) -> Result<(Cow<'_, str>, &str), LabelsError> {
    if let Some(raw) = text.strip_prefix('`') {
        let (value, rest) = raw.split_once('`').ok_or(LabelsError::Quotes)?;
        return Ok((Cow::Borrowed(value), rest));
    }
    let inner = text.strip_prefix('"').ok_or(LabelsError::Quotes)?;
    let end = inner.find(['"', '\\']).ok_or(LabelsError::Quotes)?;
    if inner.as_bytes()[end] == b'"' {
        return Ok((Cow::Borrowed(&inner[..end]), &inner[end + 1..]));
    }
    escaped(inner)
}

/// The same of a text with escapes, behind its first quote. Escapes of bytes may stand for parts of a letter.
fn escaped(inner: &str) -> Result<(Cow<'_, str>, &str), LabelsError> {
    let (mut value, mut rest) = (Vec::new(), inner);
    loop {
        let at = rest.find(['"', '\\']).ok_or(LabelsError::Quotes)?;
        value.extend_from_slice(&rest.as_bytes()[..at]);
        let is_end = rest.as_bytes()[at] == b'"';
        rest = &rest[at + 1..];
        if is_end {
            let value = String::from_utf8_lossy(&value).into_owned();
            return Ok((Cow::Owned(value), rest));
        }
        rest = escape(rest, &mut value)?;
    }
}

/// Reads what stands behind a backslash; what follows it.
fn escape<'t>(text: &'t str, into: &mut Vec<u8>) -> Result<&'t str, LabelsError> {
    let kind = text.chars().next().ok_or(LabelsError::Quotes)?;
    let rest = &text[kind.len_utf8()..];
    let plain = match kind {
        'a' => 7,
        'b' => 8,
        't' => b'\t',
        'n' => b'\n',
        'v' => 11,
        'f' => 12,
        'r' => b'\r',
        '\\' => b'\\',
        '"' => b'"',
        '\'' => b'\'',
        'x' => return number(rest, 2, 16, into, put_byte),
        '0'..='7' => return number(text, 3, 8, into, put_byte),
        'u' => return number(rest, 4, 16, into, put_letter),
        'U' => return number(rest, 8, 16, into, put_letter),
        _ => return Err(LabelsError::Escape),
    };
    into.push(plain);
    Ok(rest)
}

/// Reads so many digits.
fn number<'t>(
    text: &'t str,
    digits: usize,
    radix: u32,
    into: &mut Vec<u8>,
    put: fn(u32, &mut Vec<u8>) -> Option<()>,
) -> Result<&'t str, LabelsError> {
    let (number, rest) = text.split_at_checked(digits).ok_or(LabelsError::Escape)?;
    // A number may have a sign for the standard library.
    let is_plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let number = u32::from_str_radix(number, radix).ok().filter(|_| is_plain);
    number.and_then(|number| put(number, into)).ok_or(LabelsError::Escape)?;
    Ok(rest)
}

fn put_byte(number: u32, into: &mut Vec<u8>) -> Option<()> {
    into.push(u8::try_from(number).ok()?);
    Some(())
}

fn put_letter(number: u32, into: &mut Vec<u8>) -> Option<()> {
    let letter = char::from_u32(number)?;
    into.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, LabelsError> {
        let mut all = Vec::new();
        each(text, |name, value| all.push((name.to_owned(), value.to_owned())))?;
        Ok(all)
    }

    #[test]
    fn labels_are_read_as_shippers_write_them() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("{}", &[]),
            (" { } ", &[]),
            (r#"{job="api"}"#, &[("job", "api")]),
            (r#"{job="api", host="a b",}"#, &[("job", "api"), ("host", "a b")]),
            (r#"{a = "x" ,b="}{,=" }"#, &[("a", "x"), ("b", "}{,=")]),
            (r#"{a="say \"hi\" \\ \t\n"}"#, &[("a", "say \"hi\" \\ \t\n")]),
            (r#"{a="\x41\303\251\u00e9\U0001F600"}"#, &[("a", "Aéé😀")]),
            (r#"{a="\xff"}"#, &[("a", "\u{fffd}")]),
            ("{a=`C:\\logs`}", &[("a", "C:\\logs")]),
            (r#"{"k8s.pod"="p", le.vel="é"}"#, &[("k8s.pod", "p"), ("le.vel", "é")]),
        ];
        for (text, expected) in cases {
            let expected: Vec<(String, String)> =
                expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_labels_is_told() {
        let cases = [
            ("", LabelsError::Braces),
            ("job=\"api\"", LabelsError::Braces),
            ("{job}", LabelsError::Equals),
            ("{=\"a\"}", LabelsError::Name),
            ("{job=api}", LabelsError::Quotes),
            ("{job=\"api}", LabelsError::Quotes),
            ("{job=\"\\\"}", LabelsError::Quotes),
            ("{a=\"b\" c=\"d\"}", LabelsError::Comma),
            (r#"{a="\q"}"#, LabelsError::Escape),
            (r#"{a="\xg0"}"#, LabelsError::Escape),
            (r#"{a="\x+1"}"#, LabelsError::Escape),
            (r#"{a="\777"}"#, LabelsError::Escape),
            (r#"{a="\ud800"}"#, LabelsError::Escape),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }
}
