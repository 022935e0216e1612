//! What is wrong with a statement, with a mark below the place.

use anyhow::anyhow;
use serde_json::Value;
use store::{SqlError, StatementError};

use crate::exit::Failure;
use crate::show::clean;

/// Characters of a line that are shown before and behind the place.
const AROUND: usize = 60;

/// What a server says.
pub(super) fn of_server(statement: &str, problem: &Value) -> Failure {
    let said = problem["detail"].as_str().unwrap_or("no reason given");
    let place = &problem["fault"];
    let place = place["line"].as_u64().zip(place["column"].as_u64());
    marked(statement, &clean(said), place)
}

/// What a store says.
pub(super) fn of_store(statement: &str, error: SqlError) -> Failure {
    match error {
        SqlError::Statement(fault) => {
            let place = fault.position.map(|position| (position.line, position.column));
            marked(statement, &clean(&told(&fault)), place)
        }
        SqlError::Query(error) => Failure::Other(error.into()),
    }
}

fn told(fault: &StatementError) -> String {
    match &fault.suggestion {
        Some(suggestion) => format!("{fault}. Did you mean `{suggestion}`?"),
        None => fault.to_string(),
    }
}

fn marked(statement: &str, said: &str, place: Option<(u64, u64)>) -> Failure {
    Failure::Other(match place.and_then(|place| mark(statement, place)) {
        Some(mark) => anyhow!("{said}\n{mark}"),
        None => anyhow!("{said}"),
    })
}

/// The line of a place, as much of it as one sees at once, with a mark below.
fn mark(statement: &str, (line, column): (u64, u64)) -> Option<String> {
    let text = statement.lines().nth(usize::try_from(line.checked_sub(1)?).ok()?)?;
    let column = usize::try_from(column.checked_sub(1)?).ok()?;
    let start = column.saturating_sub(AROUND);
    // A character each, so that the mark stands below its own.
    let seen: String = text
        .chars()
        .skip(start)
        .take(2 * AROUND)
        .map(|letter| {
            let shown = clean(&letter.to_string());
            shown.chars().next().unwrap_or(' ')
        })
        .collect();
    Some(format!("  {seen}\n  {}^", " ".repeat(column - start)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_place_of_a_fault_is_marked() {
        let statement = "SELECT 1\nFROM lgs";
        let problem = json!({ "detail": "There is no table `lgs`.", "fault": { "line": 2, "column": 6 } });
        let said = of_server(statement, &problem).to_string();
        assert_eq!(said, "There is no table `lgs`.\n  FROM lgs\n       ^");
        let fault = StatementError {
            message: "there is no table `lgs`".to_owned(),
            position: None,
            suggestion: Some("logs".to_owned()),
        };
        let said = of_store(statement, fault.into()).to_string();
        assert_eq!(said, "there is no table `lgs`. Did you mean `logs`?");
        assert_eq!(mark(statement, (9, 1)), None);
        let long = format!("{}x", " ".repeat(500));
        assert_eq!(mark(&long, (1, 501)).map(|mark| mark.lines().count()), Some(2));
    }
}
