//! `oauth2`: tokens of a server, for a client that has a secret (RFC 6749, 4.4).
//!
//! A token is asked for when there is none that is good, by one request for all targets of a job, and kept until
//! shortly before it ends or until a target does not accept it.

use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::credentials::authorization;
use super::keys::ConnectionKeys;
use super::secret::Secret;
use super::{reason, told};
use crate::body::{next_chunk, why_broken_off};
use crate::scrape::config::OAuth2;
use crate::scrape::job::Surroundings;

/// The most bytes of an answer that are read.
const MAX_BYTES: usize = 1 << 20;
/// How long the server may take; a scrape's own timeout can end it before.
const TIMEOUT: Duration = Duration::from_secs(30);
/// So long before its end a token is no longer used.
const LEEWAY: Duration = Duration::from_secs(10);

/// Where tokens come from.
#[derive(Debug)]
pub(super) struct TokenSource {
    client: Client,
    url: Url,
    id: String,
    secret: Option<Secret>,
    /// What is asked for, as it is sent.
    form: Vec<(String, String)>,
    /// Whoever has it asks; the others wait for what comes of that.
    turn: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// When a token was asked for in vain the last time, and why.
    failure: Option<(Instant, String)>,
    /// Whether the server wants to have the secret in the body of a request rather than in its head.
    is_in_body: bool,
}

#[derive(Clone, Debug)]
struct Token {
    header: HeaderValue,
    until: Option<Instant>,
}

/// What a server answers.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    token_type: String,
    /// Seconds, as a number or, against the standard, as a text.
    #[serde(default)]
    expires_in: serde_json::Value,
}

/// What it answers when it gives no token.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl TokenSource {
    pub(super) fn new(config: &OAuth2, around: &Surroundings<'_>) -> Result<Self, String> {
        let required = [("client_id", &config.client_id), ("token_url", &config.token_url)];
        if let Some((key, _)) = required.into_iter().find(|(_, value)| value.is_empty()) {
            return Err(format!("`oauth2` needs `{key}`"));
        }
        let grant = config.grant_type.as_deref().filter(|grant| !grant.is_empty());
        if let Some(other) = grant.filter(|grant| *grant != "client_credentials") {
            return Err(format!("`oauth2`: the grant `{other}` is not known: `client_credentials` is"));
        }
        let url = Url::parse(&config.token_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or("`token_url` in `oauth2` must be an address of http or https")?;
        let mut form = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        if !config.scopes.is_empty() {
            form.push(("scope".to_owned(), config.scopes.join(" ")));
        }
        for (name, value) in &config.endpoint_params {
            match form.iter_mut().find(|(known, _)| known == name) {
                Some((known, set)) if known == "grant_type" => set.clone_from(value),
                Some(_) => return Err(format!("`endpoint_params` in `oauth2` cannot set `{name}`")),
                None => form.push((name.clone(), value.clone())),
            }
        }
        let (text, file) = (config.client_secret.as_ref(), config.client_secret_file.as_ref());
        Ok(Self {
            client: ConnectionKeys::from(config)
                .client(false, true, around)
                .map_err(|error| format!("`oauth2`: {error}"))?,
            url,
            id: config.client_id.clone(),
            secret: Secret::of("client_secret", text, file, around.base)?,
            form,
            turn: Semaphore::new(1),
            state: Mutex::default(),
        })
    }

    /// The header `Authorization` with a token that is good.
    pub(super) async fn header(&self) -> Result<HeaderValue, String> {
        let begun = Instant::now();
        if let Some(header) = self.known() {
            return Ok(header);
        }
        let turn = self.turn.acquire().await;
        let _turn = turn.map_err(|_| "no token can be asked for any more".to_owned())?;
        // Others may have asked while this one waited.
        if let Some(header) = self.known() {
            return Ok(header);
        }
        if let Some((at, failure)) = &self.state.lock().failure
            && *at >= begun
        {
            return Err(failure.clone());
        }
        let asked = tokio::time::timeout(TIMEOUT, self.ask()).await;
        let asked = asked.unwrap_or_else(|_| Err(format!("no whole answer within {TIMEOUT:?}")));
        let mut state = self.state.lock();
        match asked {
            Ok(token) => {
                state.failure = None;
                Ok(state.token.insert(token).header.clone())
            }
            Err(error) => {
                let shown = crate::probes::shown_url(&self.url);
                let error = format!("no token from {shown}: {error}");
                state.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Asks for another token the next time: this one is not accepted.
    pub(super) fn forget(&self) {
        self.state.lock().token = None;
    }

    fn known(&self) -> Option<HeaderValue> {
        let state = self.state.lock();
        let token = state.token.as_ref()?;
        token.until.is_none_or(|until| Instant::now() < until).then(|| token.header.clone())
    }

    async fn ask(&self) -> Result<Token, String> {
        let secret = match &self.secret {
            Some(secret) => secret.reveal().await?,
            None => String::new(),
        };
        let is_in_body = self.state.lock().is_in_body;
        let answer = self.request(&secret, is_in_body).await?;
        let is_unknown = matches!(answer.status(), StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
        if is_in_body || !is_unknown {
            return token_of(answer).await;
        }
        // Servers must know the head, and some do not.
        let other = self.request(&secret, true).await?;
        if !other.status().is_success() {
            return token_of(answer).await;
        }
        let token = token_of(other).await?;
        self.state.lock().is_in_body = true;
        Ok(token)
    }

    async fn request(&self, secret: &str, is_in_body: bool) -> Result<Response, String> {
        let mut form = self.form.clone();
        let mut request = self.client.post(self.url.clone()).header(ACCEPT, "application/json");
        if is_in_body {
            form.push(("client_id".to_owned(), self.id.clone()));
            form.push(("client_secret".to_owned(), secret.to_owned()));
        } else {
            request = request.basic_auth(self.encode(&self.id), Some(self.encode(secret)));
        }
        let request =
            request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(self.written(&form));
        request.send().await.map_err(|error| reason(&error))
    }

    /// A form, which is written as a query is.
    fn written(&self, form: &[(String, String)]) -> String {
        let mut url = self.url.clone();
        url.query_pairs_mut().clear().extend_pairs(form);
        url.query().unwrap_or_default().to_owned()
    }

    /// A text as it stands in a form.
    fn encode(&self, text: &str) -> String {
        self.written(&[(String::new(), text.to_owned())]).trim_start_matches('=').to_owned()
    }
}

async fn token_of(mut answer: Response) -> Result<Token, String> {
    let status = answer.status();
    let asked_at = Instant::now();
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut answer).await.map_err(|error| why_broken_off(&error))? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err("the answer has more than 1 MiB".to_owned());
        }
        bytes.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        let refusal: Refusal = serde_json::from_slice(&bytes).unwrap_or_default();
        let why = [refusal.error, refusal.error_description].into_iter().filter(|text| !text.is_empty());
        let why: String = std::iter::once(told(status))
            .chain(why)
            .collect::<Vec<_>>()
            .join(": ")
            .chars()
            .take(300)
            .collect();
        return Err(why);
    }
    let answer: Answer =
        serde_json::from_slice(&bytes).map_err(|_| "the answer is no JSON with a token".to_owned())?;
    if answer.access_token.is_empty() {
        return Err("the answer has no `access_token`".to_owned());
    }
    let kind = match answer.token_type.as_str() {
        kind if kind.is_empty() || kind.eq_ignore_ascii_case("bearer") => "Bearer",
        kind => kind,
    };
    let seconds = answer.expires_in.as_f64().or_else(|| answer.expires_in.as_str()?.parse().ok());
    let lasts = seconds.filter(|seconds| *seconds > 0.0);
    let lasts = lasts.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let until = lasts.and_then(|lasts| asked_at.checked_add(lasts.saturating_sub(LEEWAY)));
    Ok(Token { header: authorization(kind, &answer.access_token)?, until })
}
