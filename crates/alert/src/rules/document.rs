//! The first document of a YAML text.

/// The first document, and the line on which another one begins. As in Prometheus it is the only one that counts.
pub(crate) fn first(text: &str) -> (&str, Option<u64>) {
    let mut at = 0;
    let mut has_begun = false;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let is_mark =
            line.strip_prefix("---").is_some_and(|rest| rest.trim_start() != rest || rest.is_empty());
        if is_mark && has_begun {
            return (&text[..at], Some(number).filter(|_| !says_nothing(&text[at..])));
        }
        // What stands behind the mark is of the document.
        has_begun |= !(is_mark && line.trim_end() == "---") && says_something(line);
        at += line.len();
    }
    (text, None)
}

/// Whether no line says anything: a file without rules is one, as in Prometheus.
pub(super) fn says_nothing(text: &str) -> bool {
    !text.lines().any(says_something)
}

fn says_something(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with(['#', '%']) && line != "---"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_ends_where_another_one_begins() {
        let cases = [
            ("a: 1\n", "a: 1\n", None),
            ("# x\n---\na: 1\n", "# x\n---\na: 1\n", None),
            ("%YAML 1.1\n---\na: 1\n...\n", "%YAML 1.1\n---\na: 1\n...\n", None),
            ("a: 1\n---\n# nothing\n", "a: 1\n", None),
            ("a: 1\n---\nb: 2\n", "a: 1\n", Some(2)),
            ("---\na: 1\n--- {b: 2}\n", "---\na: 1\n", Some(3)),
            ("a: |\n  x\n  ---\n----\n", "a: |\n  x\n  ---\n----\n", None),
        ];
        for (text, document, more) in cases {
            assert_eq!(first(text), (document, more), "{text}");
        }
        assert!(says_nothing("# a\n\n---\n") && !says_nothing("a"));
    }
}
