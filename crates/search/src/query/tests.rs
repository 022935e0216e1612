use std::path::Path;

use model::Timestamp;

use crate::{Query, Schema, parse};

fn documentation() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/search.md");
    std::fs::read_to_string(path).expect("the documentation")
}

/// The lines of the blocks of the documentation that are marked so.
fn blocks(text: &str, mark: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(opened) = line.strip_prefix("```") {
            is_inside = !is_inside && opened == mark;
        } else if is_inside && !line.is_empty() {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// The queries in the first columns of its tables of examples.
fn examples(text: &str) -> Vec<String> {
    let queries = text.lines().filter_map(|line| {
        let (query, _) = line.strip_prefix("| `")?.split_once("` | finds ")?;
        Some(query.to_owned())
    });
    queries.collect()
}

#[test]
fn every_example_of_the_documentation_is_read_and_survives_being_written() {
    let text = documentation();
    let mut queries = blocks(&text, "search");
    queries.extend(examples(&text));
    assert!(queries.len() >= 55, "only {} examples", queries.len());
    let (schema, now) = (Schema::logs(), Timestamp::from_millis(1_754_083_800_000));
    for query in queries {
        let read = match Query::parse(&query, &schema, now) {
            Ok(read) => read,
            Err(error) => panic!("{query}: {error}"),
        };
        let written = read.tree().to_string();
        let again = Query::parse(&written, &schema, now).expect("read again");
        assert_eq!(again.filter(), read.filter(), "{query} is written {written}");
    }
}

#[test]
fn every_mistake_of_the_documentation_is_refused() {
    let text = documentation();
    let mistakes = blocks(&text, "mistakes");
    assert!(mistakes.len() >= 5, "only {} mistakes", mistakes.len());
    for query in mistakes {
        let error = Query::parse(&query, &Schema::logs(), Timestamp::from_millis(0));
        assert!(error.is_err(), "{query}");
    }
}

#[test]
fn the_documentation_knows_every_field_and_alias() {
    let text = documentation();
    for schema in [Schema::logs(), Schema::spans()] {
        let names = schema.fields().map(|(name, _)| name).chain(schema.aliases().map(|(alias, _)| alias));
        for name in names {
            assert!(text.contains(&format!("`{name}`")), "{name}");
        }
    }
}

#[test]
fn hints_of_the_text_come_before_those_of_its_meaning() {
    let query = Query::parse("a and servce:b", &Schema::logs(), Timestamp::from_millis(0)).expect("read");
    let starts: Vec<usize> = query.hints().iter().map(|hint| hint.span.start).collect();
    assert_eq!(starts, [2, 6]);
    assert_eq!(query.hints()[1].place, crate::Place { line: 1, column: 7 });
    assert_eq!(parse("a and servce:b").expect("read").hints.len(), 1);
}
