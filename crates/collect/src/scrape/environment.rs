//! Variables of the environment in `external_labels`, as Prometheus 3 puts them in: `${NAME}` and `$NAME`, and `$$` for
//! a dollar.

/// A text with its variables filled in, and the names of those that there are not, or that are empty: nothing stands
/// for them. A dollar before what is no name stays; `${}` goes, and so does a brace that is never closed.
pub(super) fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> (String, Vec<String>) {
    let (mut expanded, mut missing) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        let (reference, behind) = reference(&rest[at + 1..]);
        match reference {
            Reference::None | Reference::To("$") => expanded.push('$'),
            Reference::Broken => {}
            Reference::To(name) => match variable(name).filter(|value| !value.is_empty()) {
                Some(value) => expanded.push_str(&value),
                None => missing.push(name.to_owned()),
            },
        }
        rest = behind;
    }
    expanded.push_str(rest);
    (expanded, missing)
}

/// What a dollar stands before.
enum Reference<'a> {
    To(&'a str),
    None,
    Broken,
}

/// What the dollar in front of a text refers to, and the text behind that.
fn reference(text: &str) -> (Reference<'_>, &str) {
    if let Some(braced) = text.strip_prefix('{') {
        return match braced.split_once('}') {
            Some(("", behind)) => (Reference::Broken, behind),
            Some((name, behind)) => (Reference::To(name), behind),
            None => (Reference::Broken, braced),
        };
    }
    // A shell has variables of one such letter.
    let is_short = text.starts_with(|c: char| c.is_ascii_digit() || "*#$@!?-".contains(c));
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = if is_short { 1 } else { text.find(|c: char| !is_of_name(c)).unwrap_or(text.len()) };
    match text.split_at(end) {
        ("", behind) => (Reference::None, behind),
        (name, behind) => (Reference::To(name), behind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in_as_prometheus_puts_them_in() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("", "", &[]),
            ("berlin", "berlin", &[]),
            ("${SITE}", "berlin", &[]),
            ("a-$SITE-b", "a-berlin-b", &[]),
            ("$SITE$SITE", "berlinberlin", &[]),
            ("$SITEX", "", &["SITEX"]),
            ("${SITE}X", "berlinX", &[]),
            ("$$x", "$x", &[]),
            ("$$SITE", "$SITE", &[]),
            ("${$}", "$", &[]),
            ("a$", "a$", &[]),
            ("a$ b$é", "a$ b$é", &[]),
            ("a${}b", "ab", &[]),
            ("a${SITE", "aSITE", &[]),
            ("${EMPTY}${NONE}", "", &["EMPTY", "NONE"]),
            ("$1st", "st", &["1"]),
            ("${with space}", "spaced", &[]),
        ];
        let variable = |name: &str| match name {
            "SITE" => Some("berlin".to_owned()),
            "EMPTY" => Some(String::new()),
            "with space" => Some("spaced".to_owned()),
            _ => None,
        };
        for (text, expected, expected_missing) in cases {
            let (expanded, missing) = expand(text, variable);
            assert_eq!(expanded, *expected, "{text}");
            assert_eq!(missing, *expected_missing, "{text}");
        }
    }
}
