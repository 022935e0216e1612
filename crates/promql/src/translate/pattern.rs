//! Regular expressions of Go, read by a library that is stricter.

/// Escapes each `{` that begins no repetition: Go takes it for the character.
pub(super) fn escaped(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(at) = rest.find(['\\', '{']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let taken = match from.strip_prefix('\\') {
            Some(after) => 1 + after.chars().next().map_or(0, char::len_utf8),
            None => {
                if !is_repetition(from) {
                    text.push('\\');
                }
                1
            }
        };
        text.push_str(&from[..taken]);
        rest = &from[taken..];
    }
    text.push_str(rest);
    text
}

/// Whether a text begins with `{2}`, `{2,}` or `{2,3}`.
fn is_repetition(text: &str) -> bool {
    let Some((inner, _)) = text[1..].split_once('}') else { return false };
    let (least, most) = inner.split_once(',').unwrap_or((inner, "0"));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && all_digits(least) && all_digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_that_repeat_nothing_are_characters() {
        let cases = [
            ("a{b}", r"a\{b}"),
            ("a{}", r"a\{}"),
            ("a{,2}", r"a\{,2}"),
            ("a{1}b{2,}c{3,4}", "a{1}b{2,}c{3,4}"),
            (r"a\{b", r"a\{b"),
            ("{{1,2}}", r"\{{1,2}}"),
            ("a{1", r"a\{1"),
            ("\\", "\\"),
            ("é{é", r"é\{é"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(escaped(pattern), expected);
        }
    }
}
