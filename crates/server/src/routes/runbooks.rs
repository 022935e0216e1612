//! `/docs/runbooks/…`: the pages that alerts point at with `runbook_url`, as they are written.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::params::Name;
use crate::problem::{Problem, ProblemBody};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(page))
}

macro_rules! pages {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../docs/runbooks/", $name)))),*]
    };
}

/// All pages, by the names of their files.
const PAGES: &[(&str, &str)] = pages![
    "README.md",
    "api-errors.md",
    "certificate-expires.md",
    "daily-checklist.md",
    "database-slow.md",
    "dependencies-down.md",
    "disk-full.md",
    "high-memory.md",
    "llm-backend.md",
    "queue-backlog.md",
    "slow-jobs.md",
    "weekly-review.md",
    "worker-crashes.md",
];

/// A runbook that came with this version, as Markdown.
#[utoipa::path(get, path = "/docs/runbooks/{name}", tag = "alerts", params(("name" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = ProblemBody)))]
async fn page(Name(name): Name) -> Result<Response, Problem> {
    let (_, text) =
        PAGES.iter().find(|(known, _)| *known == name).ok_or_else(|| Problem::not_found("runbook", &name))?;
    // Plain text and not text/markdown, which browsers offer to save instead of showing it.
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], *text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runbook_is_served_and_so_is_every_one_that_a_shipped_rule_names() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/runbooks");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the runbooks")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect();
        files.sort();
        let known: Vec<&str> = PAGES.iter().map(|(name, _)| *name).collect();
        assert_eq!(files, known);
        let rules = include_str!("../../../../rules/pipeline.yml");
        let named: Vec<&str> = rules
            .lines()
            .filter_map(|line| line.trim().strip_prefix("runbook_url: /docs/runbooks/"))
            .collect();
        assert!(!named.is_empty());
        for name in named {
            assert!(known.contains(&name), "a rule names {name}");
        }
    }
}
