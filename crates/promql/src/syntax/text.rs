//! Texts in quotes.

/// What is said of a text whose escapes give other bytes than UTF-8, as those of Go may.
pub(crate) const NOT_UTF8: &str = "the string is not UTF-8, with the bytes that its escapes give";

/// The text that a literal stands for.
pub(super) fn unquoted(literal: &str) -> Result<String, String> {
    String::from_utf8(bytes(literal)?).map_err(|_| NOT_UTF8.to_owned())
}

/// The bytes that a literal stands for. Escapes are those of Go.
pub(super) fn bytes(literal: &str) -> Result<Vec<u8>, String> {
    let inner = &literal[1..literal.len() - 1];
    if literal.starts_with('`') || !inner.contains('\\') {
        return Ok(inner.as_bytes().to_vec());
    }
    let quote = char::from(literal.as_bytes()[0]);
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c == '\\' {
            escape(&mut rest, quote, &mut bytes)?;
        } else {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Ok(bytes)
}

/// Adds what the escape stands for whose backslash has been read.
fn escape(rest: &mut std::str::Chars<'_>, quote: char, bytes: &mut Vec<u8>) -> Result<(), String> {
    let c = rest.next().ok_or("escape sequence not terminated")?;
    let byte = match c {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        'x' => code(rest, 2, 16, 0)? as u8,
        '0'..='7' => {
            let code = code(rest, 2, 8, c as u32 - '0' as u32)?;
            u8::try_from(code).map_err(|_| "escape sequence is an invalid Unicode code point")?
        }
        'u' | 'U' => {
            let code = code(rest, if c == 'u' { 4 } else { 8 }, 16, 0)?;
            let character = char::from_u32(code).ok_or("escape sequence is an invalid Unicode code point")?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        _ if c == quote => c as u8,
        _ => return Err(format!("unknown escape sequence {c:?}")),
    };
    bytes.push(byte);
    Ok(())
}

/// A number of so many more digits.
fn code(rest: &mut std::str::Chars<'_>, digits: usize, base: u32, first: u32) -> Result<u32, String> {
    (0..digits).try_fold(first, |code, _| {
        let c = rest.next().ok_or("escape sequence not terminated")?;
        let digit = c.to_digit(base).ok_or_else(|| format!("illegal character {c:?} in escape sequence"))?;
        Ok(code.wrapping_mul(base) + digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_go() {
        let cases = [
            (r#""a\"b'""#, "a\"b'"),
            (r"'a\'b'", "a'b"),
            (r"`a\n`", r"a\n"),
            (r#""\n\t\\\x41\101\u00e9\U0001F600""#, "\n\t\\AAé😀"),
            (r#""\xc3\xa9""#, "é"),
        ];
        for (literal, text) in cases {
            assert_eq!(unquoted(literal).as_deref(), Ok(text), "{literal}");
        }
        for literal in
            [r#""\q""#, r#""\x4""#, r#""\ud800""#, r#""\U00110000""#, r#""\777""#, r#""\xff""#, r#""\'""#]
        {
            assert!(unquoted(literal).is_err(), "{literal}");
        }
    }
}
