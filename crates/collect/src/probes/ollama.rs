//! An Ollama server: which models it has, and which are in memory.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use model::DurationText;
use pipeline::{BackendModel, Pipeline};
use reqwest::Url;
use serde::Deserialize;

use super::ProbeError;
use super::config::{Timing, interval, timeout};
use super::http_client::{HttpClient, parse_url, read_json, shown_url};
use super::prober::{Found, Look, Prober};
use crate::trust::Authorities;

/// The most models that are shown.
pub(super) const MAX_MODELS: usize = 50;
/// The most models with metrics of their own.
const MAX_MODEL_SERIES: usize = 20;
/// The longest name of a model, in characters.
const MAX_NAME_CHARS: usize = 100;

/// An Ollama server: an entry of `[[probes.ollama]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OllamaProbe {
    /// What to call it; by default its address.
    pub name: Option<String>,
    /// Where it is: `http://127.0.0.1:11434`.
    pub url: String,
    /// A key that is sent along as `Authorization: Bearer`.
    pub api_key: Option<String>,
    /// A file with the certificate (PEM) of an authority to trust beside those of this system.
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    #[serde(default = "interval")]
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How long one look may take.
    #[serde(default = "timeout")]
    #[schemars(with = "String")]
    pub timeout: DurationText,
}

struct Ollama {
    client: HttpClient,
    tags: Url,
    ps: Url,
    api_key: Option<String>,
}

/// The answer of `/api/tags` and of `/api/ps`.
#[derive(Deserialize)]
struct Models {
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    size: Option<u64>,
    size_vram: Option<u64>,
    expires_at: Option<String>,
}

pub(super) fn prober(
    config: &OllamaProbe,
    authorities: &Authorities,
    pipeline: &Arc<Pipeline>,
) -> Result<Prober, ProbeError> {
    let label = config.name.as_deref().unwrap_or("(unnamed)");
    let fail = |problem: String| ProbeError::new(label, problem);
    let url = parse_url(&config.url).map_err(fail)?;
    let timing = Timing::new(label, config.interval, config.timeout)?;
    let look = Ollama {
        client: HttpClient::new(authorities, config.ca_file.as_deref()).map_err(fail)?,
        tags: below(&url, "api/tags"),
        ps: below(&url, "api/ps"),
        api_key: config.api_key.clone(),
    };
    Ok(Prober::new(config.name.as_deref(), shown_url(&url), timing, Box::new(look), pipeline))
}

/// The address of `path` below `base`, whether or not that ends with a slash.
pub(super) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// A name of a model, of any length and content, as it is shown and used as a label.
pub(super) fn model_name(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(MAX_NAME_CHARS).collect()
}

#[async_trait]
impl Look for Ollama {
    fn kind(&self) -> &'static str {
        "ollama"
    }

    async fn look(&mut self, found: &mut Found) -> Result<(), String> {
        let begun = Instant::now();
        let tags = self.models(&self.tags, "/api/tags", found).await?;
        found.latency = Some(begun.elapsed());
        let running = self.models(&self.ps, "/api/ps", found).await?;
        found.sample("llm_backend_models", tags.len() as f64);
        found.sample("llm_backend_models_loaded", running.len() as f64);
        found.fact("models", tags.len());
        found.fact("models loaded", running.len());
        for model in running.iter().take(MAX_MODEL_SERIES) {
            memory(model, found);
        }
        let loaded: HashSet<&str> = running.iter().map(|model| model.name.as_str()).collect();
        let unloaded = tags.iter().filter(|model| !loaded.contains(model.name.as_str()));
        let shown =
            running.iter().map(|model| show(model, true)).chain(unloaded.map(|model| show(model, false)));
        found.models = shown.take(MAX_MODELS).collect();
        Ok(())
    }
}

impl Ollama {
    async fn models(&self, url: &Url, path: &str, found: &mut Found) -> Result<Vec<Model>, String> {
        let mut request = self.client.client().get(url.clone());
        if let Some(key) = &self.api_key {
            request = request.bearer_auth(key);
        }
        let response = self.client.send(request, found).await?;
        let models: Models = read_json(response, path, found).await?;
        Ok(models.models)
    }
}

/// What a loaded model holds. What is not in GPU memory is computed by the processor, and slowly.
fn memory(model: &Model, found: &mut Found) {
    let name = model_name(&model.name);
    let labels = [("model", name.as_str())];
    if let Some(size) = model.size {
        found.labelled("llm_backend_model_memory_bytes", &labels, size as f64);
    }
    if let Some(vram) = model.size_vram {
        found.labelled("llm_backend_model_vram_bytes", &labels, vram as f64);
    }
    if let (Some(size), Some(vram)) = (model.size, model.size_vram) {
        found.labelled("llm_backend_model_offloaded_bytes", &labels, size.saturating_sub(vram) as f64);
    }
}

fn show(model: &Model, loaded: bool) -> BackendModel {
    BackendModel {
        name: model_name(&model.name),
        loaded: Some(loaded),
        size_bytes: model.size,
        vram_bytes: model.size_vram,
        expires_at: model.expires_at.as_ref().map(|time| time.chars().take(40).collect()),
    }
}
