//! Names that are not of letters, digits and underscores, for those who know no others.

use std::borrow::Cow;

/// What stands before a name that is written with the codes of its characters.
const PREFIX: &str = "U__";

/// How names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escaping {
    /// As they are.
    AllowUtf8,
    /// With underscores for what is not allowed, from which nobody gets the name back.
    Underscores,
    /// With `_dot_` for dots and two underscores for one and for what is not allowed.
    Dots,
    /// With the code of each character that is not allowed, behind `U__`.
    Values,
}

impl Escaping {
    pub(super) const ALL: [Self; 4] = [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values];

    /// What it is called in headers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// A name as it is written.
    pub(super) fn escaped(self, name: &str) -> Cow<'_, str> {
        let mut escaped = String::new();
        match self {
            Self::AllowUtf8 => return name.into(),
            Self::Underscores | Self::Values if is_plain(name) => return name.into(),
            Self::Underscores => {
                escaped.extend(letters(name).map(|(letter, is_plain)| if is_plain { letter } else { '_' }));
            }
            Self::Dots => letters(name).for_each(|(letter, is_plain)| match letter {
                '.' => escaped.push_str("_dot_"),
                letter if is_plain && letter != '_' => escaped.push(letter),
                _ => escaped.push_str("__"),
            }),
            Self::Values => {
                escaped.push_str(PREFIX);
                letters(name).for_each(|(letter, is_plain)| match letter {
                    '_' => escaped.push_str("__"),
                    letter if is_plain => escaped.push(letter),
                    letter => escaped.push_str(&format!("_{:x}_", u32::from(letter))),
                });
            }
        }
        escaped.into()
    }
}

/// The letters of a name, and whether each is allowed where it stands.
fn letters(name: &str) -> impl Iterator<Item = (char, bool)> {
    let is_plain = |place: usize, letter: char| {
        letter.is_ascii_alphabetic() || matches!(letter, '_' | ':') || place > 0 && letter.is_ascii_digit()
    };
    name.chars().enumerate().map(move |(place, letter)| (letter, is_plain(place, letter)))
}

/// Whether a name of a metric needs no quotes.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && letters(name).all(|(_, is_plain)| is_plain)
}

/// The name that one in a path stands for, which is escaped with codes: `__` is `_`, and `_1f600_` is the letter with
/// that number. One that is not escaped, or wrongly so, stands for itself.
pub(super) fn unescaped(name: &str) -> String {
    name.strip_prefix(PREFIX).and_then(decoded).unwrap_or_else(|| name.to_owned())
}

fn decoded(escaped: &str) -> Option<String> {
    let mut name = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((plain, after)) = rest.split_once('_') {
        name.push_str(plain);
        let (code, after) = after.split_once('_')?;
        if code.is_empty() {
            name.push('_');
        } else {
            let is_code = code.len() <= 6 && code.bytes().all(|byte| byte.is_ascii_hexdigit());
            name.push(char::from_u32(u32::from_str_radix(code, 16).ok().filter(|_| is_code)?)?);
        }
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_become_what_they_stand_for_and_others_stay() {
        let cases = [
            ("job", "job"),
            ("U__job", "job"),
            ("U__http_2e_status", "http.status"),
            ("U__a__b_1f600_", "a_b😀"),
            ("U__a_", "U__a_"),
            ("U__a_zz_", "U__a_zz_"),
            ("U__a_110000_", "U__a_110000_"),
            ("U__", ""),
        ];
        for (escaped, name) in cases {
            assert_eq!(unescaped(escaped), name, "{escaped}");
        }
    }

    #[test]
    fn names_are_escaped_as_each_scheme_has_it() {
        let cases = [
            ("http_total", ["http_total", "http_total", "http__total", "http_total"]),
            ("http.status", ["http.status", "http_status", "http_dot_status", "U__http_2e_status"]),
            ("1a:é_b", ["1a:é_b", "_a:__b", "__a:____b", "U___31_a:_e9___b"]),
        ];
        for (name, expected) in cases {
            let escaped = Escaping::ALL.map(|scheme| scheme.escaped(name).into_owned());
            assert_eq!(escaped, expected, "{name}");
        }
        assert_eq!(unescaped(&Escaping::Values.escaped("1a:é_b")), "1a:é_b");
    }
}
