//! Checks that read how probed services answer: all that fail, and the model backends.

use async_trait::async_trait;
use pipeline::{Page, ProbeSnapshot};

use super::table::{CheckVerdict, counted};
use super::{Check, CheckError, Context, Table, age, bytes, none, text};

/// How many probes are looked through for the few that are shown.
const LOOKED_THROUGH: Page = Page { offset: 0, limit: 10_000 };
/// The kinds of probes that ask model backends.
const MODEL_BACKENDS: [&str; 2] = ["ollama", "openai"];

pub(super) fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Dependencies), Box::new(LlmBackends)]
}

/// Every probe that fails, with its reason.
struct Dependencies;

#[async_trait]
impl Check for Dependencies {
    fn name(&self) -> &'static str {
        "dependencies"
    }

    fn title(&self) -> &'static str {
        "Services that do not answer as they should"
    }

    async fn run(&self, context: &Context) -> Result<Table, CheckError> {
        let all = context.pipeline().probes().list(LOOKED_THROUGH);
        let good = format!("all {} probed services answer as they should", all.total);
        let note = if all.total == 0 { "no service is probed" } else { &good };
        let down: Vec<ProbeSnapshot> = all.items.into_iter().filter(|probe| !probe.up).collect();
        let failing = down.len();
        let rows = down.into_iter().map(|probe| {
            let since = age(context.now.since(probe.since).as_secs_f64());
            [probe.kind, probe.probe, probe.target, since, text(probe.reason.as_deref())]
        });
        let table = Table::new(["kind", "probe", "target", "down for", "why"], rows).or_else_note(note);
        Ok(match failing {
            0 => table.judged(CheckVerdict::Fine, note),
            failing => {
                table.judged(CheckVerdict::Bad, format!("{} down", counted(failing, "probed service")))
            }
        })
    }
}

/// Every model backend: whether it answers, which models it holds, how quick it is.
struct LlmBackends;

#[async_trait]
impl Check for LlmBackends {
    fn name(&self) -> &'static str {
        "llm_backends"
    }

    fn title(&self) -> &'static str {
        "Model backends"
    }

    async fn run(&self, context: &Context) -> Result<Table, CheckError> {
        let probes = context.pipeline().probes().list(LOOKED_THROUGH).items.into_iter();
        let mut backends: Vec<ProbeSnapshot> =
            probes.filter(|probe| MODEL_BACKENDS.contains(&probe.kind.as_str())).collect();
        backends.sort_by_key(|backend| backend.up);
        let (failing, known) = (backends.iter().filter(|backend| !backend.up).count(), backends.len());
        let rows = backends.into_iter().map(|backend| {
            let latency = format!("{:.0} ms", backend.latency.as_secs_f64() * 1e3);
            let since = age(context.now.since(backend.since).as_secs_f64());
            let fact = |name: &str| text(backend.facts.get(name).map(String::as_str));
            [
                backend.probe.clone(),
                format!("{} for {since}", if backend.up { "up" } else { "down" }),
                loaded(&backend),
                latency,
                fact("time to first token seconds"),
                fact("tokens per second"),
                last_error(&backend, context),
            ]
        });
        let columns = ["backend", "state", "models", "latency", "first token (s)", "tokens/s", "last error"];
        let none_known = "no model backend is probed, and none was found on the usual ports";
        let table = Table::new(columns, rows).or_else_note(none_known);
        Ok(match (failing, known) {
            (_, 0) => table.judged(CheckVerdict::Fine, none_known),
            (0, _) => table.judged(CheckVerdict::Fine, "every model backend answers"),
            _ => table
                .judged(CheckVerdict::Bad, format!("{} cannot be used", counted(failing, "model backend"))),
        })
    }
}

/// The models in memory, or how many there are where the backend does not tell.
fn loaded(backend: &ProbeSnapshot) -> String {
    if backend.models.iter().all(|model| model.loaded.is_none()) {
        return backend.facts.get("models").map_or_else(none, |count| format!("{count} served"));
    }
    let loaded = backend.models.iter().filter(|model| model.loaded == Some(true)).map(|model| {
        let size = model.size_bytes.map_or_else(String::new, |size| format!(" ({})", bytes(size)));
        format!("{}{size}", model.name)
    });
    let loaded: Vec<String> = loaded.collect();
    if loaded.is_empty() { "none loaded".to_owned() } else { loaded.join(", ") }
}

fn last_error(backend: &ProbeSnapshot, context: &Context) -> String {
    match (&backend.reason, &backend.last_failure) {
        (Some(reason), _) => reason.clone(),
        (None, Some((at, reason))) => {
            format!("{} ago: {reason}", age(context.now.since(*at).as_secs_f64()))
        }
        (None, None) => none(),
    }
}
