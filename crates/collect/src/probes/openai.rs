//! A model backend that speaks like OpenAI: which models it serves, and, where asked for, how a small
//! completion goes. Backends are known to answer that they are well while their engine is not.

mod completion;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use model::DurationText;
use pipeline::{BackendModel, Pipeline};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;

use super::ProbeError;
use super::config::{Timing, interval, timeout};
use super::http_client::{HttpClient, parse_url, read_json, shown_url};
use super::ollama::{MAX_MODELS, below, model_name};
use super::prober::{Found, Look, Prober};
use crate::trust::Authorities;
use completion::{Completed, complete};

/// A model backend that speaks like OpenAI: an entry of `[[probes.openai]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAiProbe {
    /// What to call it; by default its address.
    pub name: Option<String>,
    /// Where it is, with or without `/v1`: `http://127.0.0.1:8000`.
    pub url: String,
    /// A key that is sent along as `Authorization: Bearer`.
    pub api_key: Option<String>,
    /// A small completion that is asked for now and then; none when this section is missing.
    pub completion: Option<Completion>,
    /// A file with the certificate (PEM) of an authority to trust beside those of this system.
    pub ca_file: Option<PathBuf>,
    /// How often its list of models is asked for.
    #[serde(default = "interval")]
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How long that may take.
    #[serde(default = "timeout")]
    #[schemars(with = "String")]
    pub timeout: DurationText,
}

/// A small completion that is asked for: the section `[probes.openai.completion]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Completion {
    /// The model; by default the first of its list.
    pub model: Option<String>,
    /// What it is asked.
    pub prompt: String,
    /// The most tokens of its answer.
    pub max_tokens: u32,
    /// How often; after a failure it is asked with every look until it answers.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How long it may take.
    #[schemars(with = "String")]
    pub timeout: DurationText,
}

impl Default for Completion {
    fn default() -> Self {
        Self {
            model: None,
            prompt: "Count from one to ten.".to_owned(),
            max_tokens: 16,
            interval: DurationText(Duration::from_secs(300)),
            timeout: DurationText(Duration::from_secs(30)),
        }
    }
}

struct OpenAi {
    client: HttpClient,
    models: Url,
    completions: Url,
    api_key: Option<String>,
    timeout: Duration,
    completion: Option<Completion>,
    last: Option<(Instant, Completed)>,
    tried: u64,
    failed: u64,
    empty: u64,
}

#[derive(Deserialize)]
struct Models {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

pub(super) fn prober(
    config: &OpenAiProbe,
    authorities: &Authorities,
    pipeline: &Arc<Pipeline>,
) -> Result<Prober, ProbeError> {
    let label = config.name.as_deref().unwrap_or("(unnamed)");
    let fail = |problem: String| ProbeError::new(label, problem);
    let mut url = parse_url(&config.url).map_err(fail)?;
    let base = url.path().trim_end_matches('/').trim_end_matches("/v1").to_owned();
    url.set_path(&base);
    let mut timing = Timing::new(label, config.interval, config.timeout)?;
    let timeout = timing.timeout;
    if let Some(completion) = &config.completion {
        timing.timeout += Timing::new(label, completion.interval, completion.timeout)?.timeout;
    }
    let look = OpenAi {
        client: HttpClient::new(authorities, config.ca_file.as_deref()).map_err(fail)?,
        models: below(&url, "v1/models"),
        completions: below(&url, "v1/chat/completions"),
        api_key: config.api_key.clone(),
        timeout,
        completion: config.completion.clone(),
        last: None,
        tried: 0,
        failed: 0,
        empty: 0,
    };
    Ok(Prober::new(config.name.as_deref(), shown_url(&url), timing, Box::new(look), pipeline))
}

#[async_trait]
impl Look for OpenAi {
    fn kind(&self) -> &'static str {
        "openai"
    }

    async fn look(&mut self, found: &mut Found) -> Result<(), String> {
        let begun = Instant::now();
        let listed = tokio::time::timeout(self.timeout, self.list(found)).await;
        let seconds = self.timeout.as_secs_f64();
        let names = listed.map_err(|_| format!("asking for models: no answer within {seconds} s"))??;
        found.latency = Some(begun.elapsed());
        found.sample("llm_backend_models", names.len() as f64);
        found.fact("models", names.len());
        let show = |name: &String| BackendModel { name: model_name(name), ..BackendModel::default() };
        found.models = names.iter().take(MAX_MODELS).map(show).collect();
        match self.completion.clone() {
            Some(completion) => self.try_completion(&completion, names.first(), found).await,
            None => Ok(()),
        }
    }
}

impl OpenAi {
    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.api_key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    async fn list(&self, found: &mut Found) -> Result<Vec<String>, String> {
        let request = self.authorized(self.client.client().get(self.models.clone()));
        let response = self.client.send(request, found).await?;
        let models: Models = read_json(response, "/v1/models", found).await?;
        Ok(models.data.into_iter().map(|model| model.id).collect())
    }

    /// Asks for a completion when it is time to, and says again how the last one went until then.
    async fn try_completion(
        &mut self,
        completion: &Completion,
        first: Option<&String>,
        found: &mut Found,
    ) -> Result<(), String> {
        let due = self
            .last
            .as_ref()
            .is_none_or(|(at, last)| last.fault.is_some() || at.elapsed() >= completion.interval.0);
        if due {
            let model = completion.model.as_ref().or(first).ok_or("it serves no model")?;
            let begun = Instant::now();
            let completed = self.ask(completion, model, found).await;
            self.tried += 1;
            self.failed += u64::from(completed.fault.is_some());
            self.empty += u64::from(completed.is_empty);
            self.last = Some((begun, completed));
        }
        found.sample("llm_backend_completions_total", self.tried as f64);
        found.sample("llm_backend_completions_failed_total", self.failed as f64);
        found.sample("llm_backend_empty_answers_total", self.empty as f64);
        let Some((_, last)) = &self.last else { return Ok(()) };
        last.note(found);
        last.fault.clone().map_or(Ok(()), Err)
    }

    async fn ask(&self, completion: &Completion, model: &str, found: &mut Found) -> Completed {
        let body = completion::request(completion, model);
        let request = self.authorized(self.client.client().post(self.completions.clone()).json(&body));
        let work = complete(&self.client, request, found);
        let limit = completion.timeout.0;
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(completed)) => completed,
            Ok(Err(reason)) => Completed::failed(format!("the completion failed: {reason}")),
            Err(_) => {
                Completed::failed(format!("the completion was not done within {} s", limit.as_secs_f64()))
            }
        }
    }
}
