//! Since when the samples of a line count, as scripts write it: `name{label="value"}@st _ -30s-1mx2 0 *x3`, each by
//! how much the start lies from the sample's time. `@st …` alone is for all lines that follow and say nothing else.

use model::{DurationText, Labels};
use promql::notation::leading_labels;

/// A line of starts: for each sample how far its start is from it, in milliseconds, where one is known.
#[derive(Debug)]
pub(crate) struct StartText {
    /// Of which series; of all that follow, when there are none.
    pub(crate) labels: Option<Labels>,
    pub(crate) offsets_ms: Vec<Option<i64>>,
}

impl StartText {
    /// Reads a line; nothing, when it is one of samples.
    pub(crate) fn parse(line: &str) -> Option<Result<Self, String>> {
        let (labels, rest) = match line.strip_prefix("@st") {
            Some(rest) => (None, rest),
            None => {
                let (labels, rest) = leading_labels(line).ok()?;
                (Some(labels), rest.strip_prefix("@st")?)
            }
        };
        if !rest.starts_with(char::is_whitespace) {
            return None;
        }
        let mut offsets_ms = Vec::new();
        for item in rest.split_whitespace() {
            let last = offsets_ms.iter().rev().find_map(|offset: &Option<i64>| *offset).unwrap_or(0);
            match offsets(item, last) {
                Some(more) => offsets_ms.extend(more),
                None => return Some(Err(format!("`{item}` says no starts"))),
            }
        }
        Some(Ok(Self { labels, offsets_ms }))
    }
}

fn offsets(item: &str, last_ms: i64) -> Option<Vec<Option<i64>>> {
    let (body, repeat) = match item.rsplit_once('x') {
        Some((body, repeat)) => (body, Some(repeat.parse::<usize>().ok()?)),
        None => (item, None),
    };
    let count = repeat.unwrap_or(0) + 1;
    match body {
        "_" => return Some(vec![None; repeat.unwrap_or(1)]),
        "*" => return Some(vec![Some(last_ms); count]),
        _ => {}
    }
    let signs = body.char_indices().skip(1).find(|(_, character)| matches!(character, '+' | '-'));
    let (first, step) = match signs {
        Some((at, _)) if repeat.is_some() => (millis(&body[..at])?, millis(&body[at..])?),
        Some(_) => return None,
        None => (millis(body)?, 0),
    };
    Some((0..count as i64).map(|place| Some(first + step * place)).collect())
}

/// A duration with a sign before it, or none.
fn millis(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if text == "0" {
        return Some(0);
    }
    let DurationText(duration) = text.parse().ok()?;
    Some(sign * duration.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_told_by_how_far_they_lie_from_their_samples() {
        let read = |line: &str| StartText::parse(line).map(|read| read.expect("starts").offsets_ms);
        let all = read(r#"a{b="c"}@st _ _x2 -30s-1mx2 0 +1ms *x1 -59999ms"#).expect("starts");
        let (none, some) = (None, Some);
        let expected = [
            none,
            none,
            none,
            some(-30_000),
            some(-90_000),
            some(-150_000),
            some(0),
            some(1),
            some(1),
            some(1),
            some(-59_999),
        ];
        assert_eq!(all, expected);
        assert_eq!(read("@st -0msx1").expect("starts"), [Some(0), Some(0)]);
        assert!(read("a 1 2 3").is_none() && read("a{b=\"@st\"} 1").is_none());
        assert!(StartText::parse("a@st 5").expect("starts").is_err());
    }
}
