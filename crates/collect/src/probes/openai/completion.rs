//! One small completion, streamed: the time to its first token, its tokens a second, whether it says
//! anything at all.

use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Completion;
use crate::body::next_chunk;
use crate::probes::http_client::{HttpClient, MAX_BODY_BYTES, broken, refused};
use crate::probes::prober::Found;

/// How a completion went.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Completed {
    /// How long the whole took.
    pub(super) took: Option<Duration>,
    /// How long until it first said something; of an answer in one piece, the whole.
    pub(super) first_token: Option<Duration>,
    /// Tokens a second, from the first to the last.
    pub(super) tokens_per_second: Option<f64>,
    /// Whether it ended well and said nothing.
    pub(super) is_empty: bool,
    /// What was wrong with it.
    pub(super) fault: Option<String>,
}

impl Completed {
    pub(super) fn failed(fault: String) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    pub(super) fn note(&self, found: &mut Found) {
        if let Some(took) = self.took {
            found.sample("llm_backend_completion_seconds", took.as_secs_f64());
            found.fact("completion seconds", format!("{:.3}", took.as_secs_f64()));
        }
        if let Some(first) = self.first_token {
            found.sample("llm_backend_time_to_first_token_seconds", first.as_secs_f64());
            found.fact("time to first token seconds", format!("{:.3}", first.as_secs_f64()));
        }
        if let Some(rate) = self.tokens_per_second {
            found.sample("llm_backend_tokens_per_second", rate);
            found.fact("tokens per second", format!("{rate:.1}"));
        }
    }
}

/// The body of the request.
pub(super) fn request(completion: &Completion, model: &str) -> Value {
    json!({
        "model": model,
        "messages": [{ "role": "user", "content": completion.prompt }],
        "max_tokens": completion.max_tokens,
        "temperature": 0,
        "stream": true,
        "stream_options": { "include_usage": true },
    })
}

/// A piece of a streamed answer, or one that came whole.
#[derive(Deserialize)]
struct Piece {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Said>,
    /// In an answer that came whole.
    message: Option<Said>,
}

/// Models that reason say so in a field of its own, which is an answer as well. Some backends send it
/// under both names at once.
#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    reasoning: Option<String>,
    reasoning_content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    completion_tokens: Option<u64>,
}

/// What has been heard of an answer so far.
struct Heard {
    begun: Instant,
    first: Option<Instant>,
    last: Option<Instant>,
    pieces: u64,
    tokens: Option<u64>,
    ended: bool,
}

/// Sends the request, and listens to the answer.
pub(super) async fn complete(
    client: &HttpClient,
    request: RequestBuilder,
    found: &mut Found,
) -> Result<Completed, String> {
    let mut heard =
        Heard { begun: Instant::now(), first: None, last: None, pieces: 0, tokens: None, ended: false };
    let mut response = client.send(request, found).await?;
    let status = response.status();
    if !status.is_success() {
        return Err(refused(status.as_u16(), "/v1/chat/completions"));
    }
    found.step = "reading the completion";
    let (mut rest, mut read) = (Vec::new(), 0);
    while let Some(chunk) = next_chunk(&mut response).await.map_err(|error| broken(&error))? {
        read += chunk.len();
        if read > MAX_BODY_BYTES {
            return Err("the answer is too large: stopped after 1 MiB".to_owned());
        }
        rest.extend_from_slice(&chunk);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            heard.line(&line)?;
        }
        if heard.ended {
            break;
        }
    }
    heard.line(&rest)?;
    Ok(heard.completed())
}

impl Heard {
    /// Takes note of a line: an event of a stream, or JSON in one piece.
    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let line = line.trim_ascii();
        let data = line.strip_prefix(b"data:").unwrap_or(line).trim_ascii();
        if data == b"[DONE]" {
            self.ended = true;
            return Ok(());
        }
        // Blank lines, comments and names of events.
        if !data.starts_with(b"{") {
            return Ok(());
        }
        let piece: Piece =
            serde_json::from_slice(data).map_err(|_| "the answer is not the JSON that it should be")?;
        if piece.error.is_some() {
            return Err("the backend reports an error in its answer".to_owned());
        }
        if let Some(tokens) = piece.usage.and_then(|usage| usage.completion_tokens) {
            self.tokens = Some(tokens);
        }
        let said = |text: Option<String>| text.is_some_and(|text| !text.trim().is_empty());
        let speaks = piece.choices.into_iter().filter_map(|choice| choice.delta.or(choice.message));
        let texts = speaks.flat_map(|heard| [heard.content, heard.reasoning, heard.reasoning_content]);
        if texts.fold(false, |any, text| any | said(text)) {
            let now = Instant::now();
            self.first.get_or_insert(now);
            self.last = Some(now);
            self.pieces += 1;
        }
        Ok(())
    }

    fn completed(&self) -> Completed {
        let is_empty = self.first.is_none();
        let spoken = self.first.zip(self.last).map(|(first, last)| last - first);
        let tokens = self.tokens.unwrap_or(self.pieces);
        // Between n tokens lie n - 1 times; of an answer in one piece there is only the whole.
        let (tokens, seconds) = match spoken {
            Some(spoken) if self.pieces > 1 => (tokens.saturating_sub(1), spoken.as_secs_f64()),
            _ => (tokens, self.begun.elapsed().as_secs_f64()),
        };
        Completed {
            took: Some(self.begun.elapsed()),
            first_token: self.first.map(|first| first - self.begun),
            tokens_per_second: (!is_empty && tokens > 0 && seconds > 0.0).then(|| tokens as f64 / seconds),
            is_empty,
            fault: is_empty.then(|| "the completion was empty: the model says nothing".to_owned()),
        }
    }
}
