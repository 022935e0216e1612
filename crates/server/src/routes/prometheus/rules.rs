//! Rules and alerts, as Prometheus shows them.

use alert::{AlertRecord, AlertState, GroupStatus, RuleKind, RuleStatus};
use axum::extract::State;
use axum::response::Response;
use model::Labels;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use store::Matcher;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::Arguments;
use super::selection::Selectors;
use super::shapes;
use crate::context::Shared;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(rules)).routes(routes!(alerts))
}

/// Groups of rules, and how they do.
#[utoipa::path(get, path = "/prometheus/api/v1/rules", tag = "prometheus",
    params(("type" = Option<String>, Query, description = "`alert` or `record`: these alone"),
        ("rule_name[]" = Option<Vec<String>>, Query, description = "Rules of these names alone"),
        ("rule_group[]" = Option<Vec<String>>, Query, description = "Groups of these names alone"),
        ("file[]" = Option<Vec<String>>, Query, description = "Groups of these files alone"),
        ("match[]" = Option<Vec<String>>, Query, description = "Rules whose labels match one of these selectors"),
        ("exclude_alerts" = Option<bool>, Query, description = "`true` leaves the alerts of rules out"),
        ("group_limit" = Option<u64>, Query, description = "The most groups"),
        ("group_next_token" = Option<String>, Query, description = "Where the answer before has ended")),
    responses((status = 200, body = serde_json::Value, description = "As Prometheus answers"),
        (status = "4XX", body = serde_json::Value, description = "As Prometheus answers")))]
async fn rules(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    let filter = Filter::of(&arguments)?;
    let (groups, next) = filter.page(app.context.alerts.rule_groups())?;
    let shown = |group: GroupStatus| {
        let rules: Vec<Json> =
            group.rules.iter().map(|rule| shown_rule(&app, rule, filter.shows_alerts)).collect();
        json!({
            "name": group.name,
            "file": group.file,
            "rules": rules,
            "interval": group.interval.as_secs_f64(),
            "limit": group.limit.unwrap_or(0),
            "evaluationTime": group.duration.unwrap_or_default().as_secs_f64(),
            "lastEvaluation": shapes::time(group.last_evaluation),
        })
    };
    let mut data = json!({ "groups": groups.into_iter().map(shown).collect::<Vec<_>>() });
    if let Some(next) = next {
        data["groupNextToken"] = next.into();
    }
    Answer::other(&data, false).respond(&app)
}

/// Alerts that are pending or fire.
#[utoipa::path(get, path = "/prometheus/api/v1/alerts", tag = "prometheus",
    responses((status = 200, body = serde_json::Value, description = "As Prometheus answers")))]
async fn alerts(State(app): State<Shared>) -> Result<Response, Failure> {
    let rules = app.context.alerts.rules();
    let alerts = rules.iter().flat_map(|rule| app.context.alerts.alerts_of(&rule.id));
    let alerts: Vec<Json> = alerts.map(|alert| shown_alert(&alert)).collect();
    Answer::other(&json!({ "alerts": alerts }), false).respond(&app)
}

/// Which rules are asked for.
struct Filter {
    kind: Option<RuleKind>,
    names: Vec<String>,
    groups: Vec<String>,
    files: Vec<String>,
    selectors: Vec<Vec<Matcher>>,
    shows_alerts: bool,
    limit: Option<usize>,
    after: Option<String>,
}

impl Filter {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let all = |name: &str| arguments.all(name).map(str::to_owned).collect();
        let one = |name: &str| arguments.all(name).find(|text| !text.is_empty());
        let kind = match one("type").map(str::to_lowercase).as_deref() {
            None => None,
            Some("alert") => Some(RuleKind::Alerting),
            Some("record") => Some(RuleKind::Recording),
            Some(other) => {
                return Err(Failure::bad(format!(
                    "invalid parameter \"type\": not supported value {other:?}"
                )));
            }
        };
        let shows_alerts = match one("exclude_alerts") {
            None | Some("false" | "0" | "f" | "F" | "FALSE" | "False") => true,
            Some("true" | "1" | "t" | "T" | "TRUE" | "True") => false,
            Some(other) => {
                return Err(Failure::bad(format!(
                    "invalid parameter \"exclude_alerts\": {other:?} is not true or false"
                )));
            }
        };
        let limit = match one("group_limit") {
            None => None,
            Some(text) => match text.parse() {
                Ok(limit) if limit > 0 => Some(limit),
                _ => return Err(Failure::bad("group_limit needs to be a valid number greater than 0")),
            },
        };
        let after = one("group_next_token").map(str::to_owned);
        if after.is_some() && limit.is_none() {
            return Err(Failure::bad("group_limit needs to be present in order to paginate over the groups"));
        }
        let selectors = Selectors::of(arguments)?.matchers().map_err(|error| Failure::from(&error))?;
        Ok(Self {
            kind,
            names: all("rule_name[]"),
            groups: all("rule_group[]"),
            files: all("file[]"),
            selectors,
            shows_alerts,
            limit,
            after,
        })
    }

    /// The groups that are asked for, with the rules that are, and where to go on.
    fn page(&self, groups: Vec<GroupStatus>) -> Result<(Vec<GroupStatus>, Option<String>), Failure> {
        let mut groups = groups.into_iter();
        if let Some(after) = &self.after
            && !groups.any(|group| token(&group) == *after)
        {
            let reason = format!("invalid group_next_token '{after}'. were rule groups changed?");
            return Err(Failure::bad(reason));
        }
        let mut page: Vec<GroupStatus> = Vec::new();
        for mut group in groups {
            group.rules.retain(|rule| self.wants(rule));
            let wanted = is_one_of(&self.groups, &group.name) && is_one_of(&self.files, &group.file);
            if !wanted || group.rules.is_empty() {
                continue;
            }
            if self.limit.is_some_and(|limit| page.len() == limit) {
                let next = page.last().map(token);
                return Ok((page, next));
            }
            page.push(group);
        }
        Ok((page, None))
    }

    fn wants(&self, rule: &RuleStatus) -> bool {
        let labels =
            Labels::from_pairs(rule.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let matches =
            |matchers: &Vec<Matcher>| matchers.iter().all(|matcher| matcher.matches(labels.as_ref()));
        self.kind.is_none_or(|kind| kind == rule.kind)
            && is_one_of(&self.names, &rule.name)
            && (self.selectors.is_empty() || self.selectors.iter().any(matches))
    }
}

fn is_one_of(wanted: &[String], text: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| wanted == text)
}

/// What names a group in the token of a page.
fn token(group: &GroupStatus) -> String {
    let digest = Sha256::digest(format!("{};{}", group.file, group.name));
    digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

fn shown_rule(app: &Shared, rule: &RuleStatus, shows_alerts: bool) -> Json {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Json| shown.insert(name.to_owned(), value);
    put("name", rule.name.clone().into());
    put("query", promql::format_line(&rule.query).unwrap_or_else(|_| rule.query.clone()).into());
    put("health", rule.health.as_str().into());
    put("evaluationTime", rule.duration.unwrap_or_default().as_secs_f64().into());
    put("lastEvaluation", shapes::time(rule.last_evaluation).into());
    put("type", rule.kind.as_str().into());
    if let Some(error) = &rule.last_error {
        put("lastError", error.clone().into());
    }
    if rule.kind == RuleKind::Recording {
        if !rule.labels.is_empty() {
            put("labels", json!(rule.labels));
        }
        return shown.into();
    }
    let alerts = app.context.alerts.alerts_of(&rule.id);
    let fires = alerts.iter().any(|alert| alert.state != AlertState::Pending);
    let state = match (fires, alerts.is_empty()) {
        (true, _) => "firing",
        (false, false) => "pending",
        (false, true) => "inactive",
    };
    put("state", state.into());
    put("labels", json!(rule.labels));
    put("annotations", json!(rule.annotations));
    put("duration", rule.hold.as_secs_f64().into());
    put("keepFiringFor", rule.keep_firing_for.as_secs_f64().into());
    let alerts = if shows_alerts { alerts.iter().map(shown_alert).collect() } else { Vec::new() };
    put("alerts", alerts.into());
    shown.into()
}

fn shown_alert(alert: &AlertRecord) -> Json {
    let mut shown = json!({
        "labels": alert.labels,
        "annotations": alert.annotations,
        // Prometheus has no word for acknowledged: such an alert fires.
        "state": if alert.state == AlertState::Pending { "pending" } else { "firing" },
        "activeAt": alert.active_at,
        "value": scientific(alert.value),
    });
    if let Some(since) = alert.keep_firing_since {
        shown["keepFiringSince"] = json!(since);
    }
    shown
}

/// The shortest digits with an exponent, as Go's format `e`.
fn scientific(value: f64) -> String {
    if !value.is_finite() {
        return promql::format_value(value);
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let sign = if exponent.starts_with('-') { '-' } else { '+' };
    format!("{digits}e{sign}{:0>2}", exponent.trim_start_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_an_exponent_as_in_prometheus() {
        let cases =
            [(1.0, "1e+00"), (150.0, "1.5e+02"), (0.025, "2.5e-02"), (-1e100, "-1e+100"), (0.0, "0e+00")];
        for (value, text) in cases {
            assert_eq!(scientific(value), text);
        }
        assert_eq!(scientific(f64::NAN), "NaN");
    }
}
