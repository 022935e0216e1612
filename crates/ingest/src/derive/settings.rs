//! What is derived from spans, as it is written in the section `[ingest.derive]`.

/// What is derived from spans: the section `[ingest.derive]`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeriveSettings {
    /// Whether spans of messages and of Celery's tasks become events of jobs, and the steps in them stages.
    pub jobs: bool,
    /// Whether spans of answered HTTP requests become `request.finished`.
    pub requests: bool,
    /// Whether spans of calls of models become `llm.call`.
    pub llm_calls: bool,
    /// Whether a request that was derived tells the address that asked.
    pub client_addresses: bool,
    /// Services for which it is otherwise. One that sends such events itself as well has to be named here, or its
    /// requests and calls of models count twice.
    pub services: Vec<DeriveService>,
}

impl Default for DeriveSettings {
    fn default() -> Self {
        Self { jobs: true, requests: true, llm_calls: true, client_addresses: false, services: Vec::new() }
    }
}

/// What is derived from spans of one service: `[[ingest.derive.services]]`. What it does not say is as for all.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(default, deny_unknown_fields)]
pub struct DeriveService {
    /// The service, as its resource names it (`service.name`).
    pub service: String,
    /// Whether its spans become events of jobs and stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<bool>,
    /// Whether they become requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<bool>,
    /// Whether they become calls of models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llm_calls: Option<bool>,
}

/// What is derived from a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) jobs: bool,
    pub(super) requests: bool,
    pub(super) llm_calls: bool,
}

impl DeriveSettings {
    /// What is derived from the spans of a service.
    pub(super) fn of(&self, service: Option<&str>) -> Wanted {
        let own = self.services.iter().find(|own| Some(own.service.as_str()) == service);
        let said = |said: fn(&DeriveService) -> Option<bool>, usual| own.and_then(said).unwrap_or(usual);
        Wanted {
            jobs: said(|own| own.jobs, self.jobs),
            requests: said(|own| own.requests, self.requests),
            llm_calls: said(|own| own.llm_calls, self.llm_calls),
        }
    }
}
