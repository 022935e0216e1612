//! The text of a statement without its literals. `pg_stat_statements` takes them out of queries, but
//! not of everything: `ALTER ROLE … PASSWORD '…'` is kept as it was said.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The longest text that is kept, in characters.
const MAX_CHARS: usize = 300;

/// What can hold a literal, up to its end or that of the text: comments, quoted texts with their
/// escapes, dollar-quoted texts (whose end is not looked for); then parameters, names and numbers.
static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?s)(?<comment>--[^\n]*|/\*.*?(?:\*/|$))|(?<text>'(?:[^'\\]|\\.|'')*(?:'|\\?$))|(?<dollar>\$(?:[A-Za-z_][A-Za-z_0-9]*)?\$.*)|(?<name>"[^"]*"|\$[0-9]+|[A-Za-z_][A-Za-z_0-9]*)|(?<number>[0-9][0-9A-Fa-f.xX_]*)"#;
    Regex::new(pattern).expect("the pattern is written here, and a test compiles it")
});

/// `text` with every literal as `?`, comments removed, on one line, shortened.
pub(super) fn without_literals(text: &str) -> String {
    let bare = TOKENS.replace_all(text, |token: &Captures<'_>| {
        if token.name("comment").is_some() {
            String::new()
        } else if let Some(name) = token.name("name") {
            name.as_str().to_owned()
        } else {
            "?".to_owned()
        }
    });
    let line = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_literal_stays_in_the_text_of_a_statement() {
        let cases = [
            ("SELECT $1 + a2 FROM t3", "SELECT $1 + a2 FROM t3"),
            ("ALTER ROLE app PASSWORD 'hunter2'", "ALTER ROLE app PASSWORD ?"),
            ("SET x = 'it''s', y = E'a\\'b', z = 4.5e", "SET x = ?, y = E?, z = ?"),
            ("SELECT 1 -- hunter2\n, 2 /* hunter2 */", "SELECT ? , ?"),
            ("DO $body$ SELECT 'hunter2' $body$", "DO ?"),
            ("DO $$ hunter2 $$ LANGUAGE sql", "DO ?"),
            ("ALTER ROLE app PASSWORD 'hunter2 that is cut o", "ALTER ROLE app PASSWORD ?"),
            ("ALTER ROLE app PASSWORD 'hunter2\\", "ALTER ROLE app PASSWORD ?"),
            ("SELECT \"a 'name' 1\"  FROM\n\tx", "SELECT \"a 'name' 1\" FROM x"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_literals(text), expected, "{text}");
        }
        assert_eq!(without_literals(&"a ".repeat(10_000)).chars().count(), MAX_CHARS);
    }
}
