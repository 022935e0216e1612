//! Names of labels in paths: those that are no plain names are written as `U__` and what follows.

/// What stands before a name that is escaped.
const PREFIX: &str = "U__";

/// The name that an escaped one stands for: `__` is `_`, and `_1f600_` is the letter with that number. One that is not
/// escaped, or wrongly so, stands for itself.
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
}
