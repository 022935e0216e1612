//! Speaking to a running Watchkeeper.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::address::Address;
use crate::config;
use crate::exit::Failure;
use crate::{first_start, house, pinned};

const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest that an answer may take which comes bit by bit.
const LONG_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3600);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the server is, and how it lets us in.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Connection {
    /// The address of the server [default: where the configuration lets it listen, http://127.0.0.1:7654]
    #[arg(long, value_name = "URL", env = "WATCHKEEPER_URL", value_hint = clap::ValueHint::Url)]
    pub(crate) url: Option<String>,
    /// An API key; on the server's own machine none is needed
    #[arg(long, value_name = "KEY", env = "WATCHKEEPER_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// A PEM file with the issuer of the server's certificate, where the system does not know it [default:
    /// without --url, only the certificate that the configuration names is trusted]
    #[arg(long, value_name = "FILE", env = "WATCHKEEPER_CA")]
    pub(crate) ca: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Where the server of this machine and its data are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Place {
    /// The folder that holds what the server keeps
    #[arg(long, value_name = "DIR", env = "WATCHKEEPER_DATA_DIR", value_hint = clap::ValueHint::DirPath)]
    data_dir: Option<PathBuf>,
    /// The configuration of the server: where it listens, and that folder [default: ./watchkeeper.toml, else
    /// /etc/watchkeeper/watchkeeper.toml]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: Option<PathBuf>,
}

impl Place {
    /// Where the server is.
    fn address(&self) -> Result<Address, Failure> {
        let loaded = self.if_readable()?;
        Ok(Address::of(&loaded.map(|loaded| loaded.settings.server).unwrap_or_default()))
    }

    /// The configuration, unless it is one that nobody has named and that is not ours to read: then
    /// what is usual holds.
    fn if_readable(&self) -> Result<Option<config::Loaded>, Failure> {
        if self.config.is_none()
            && let Some(hidden) = config::hidden()
        {
            eprintln!(
                "note: {} cannot be read: the defaults are taken; --url says otherwise",
                hidden.display()
            );
            return Ok(None);
        }
        self.configuration().map(Some)
    }

    /// The configuration of the server.
    pub(crate) fn configuration(&self) -> Result<config::Loaded, Failure> {
        config::read(self.config.as_deref()).map_err(Failure::usage)
    }

    /// The folder, if it was named.
    pub(crate) fn named_data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    /// The folder.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.data_dir {
            return Ok(path.clone());
        }
        let loaded = self.if_readable()?;
        let configured = loaded.and_then(|loaded| loaded.settings.data_dir);
        Ok(house::data_dir(None, configured.as_deref())?)
    }
}

/// The certificates in a PEM file that is to be trusted.
fn issuers(path: &Path) -> anyhow::Result<Vec<reqwest::Certificate>> {
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let issuers = reqwest::Certificate::from_pem_bundle(&pem)
        .with_context(|| format!("{} holds no certificate in PEM form", path.display()))?;
    anyhow::ensure!(!issuers.is_empty(), "{} holds no certificate in PEM form", path.display());
    Ok(issuers)
}

/// A name as one segment of a path, whatever is in it.
pub(crate) fn segment(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => {
                text.push(char::from(byte));
            }
            _ => drop(write!(text, "%{byte:02X}")),
        }
    }
    text
}

/// What was found at the address of a server.
pub(crate) enum Opened {
    /// An answer of success, with its body still to be read.
    Answer(reqwest::Response),
    /// Nobody listens there.
    Nobody(Failure),
}

/// What became of a request that may be wrong in itself.
pub(crate) enum Posted {
    /// An answer of success, with its body still to be read.
    Answer(reqwest::Response),
    /// The problem with what was asked.
    Refused(Value),
    /// Nobody listens there.
    Nobody(Failure),
}

/// A client of one server.
pub(crate) struct Client {
    url: String,
    credential: Option<String>,
    /// Where the token of this machine was looked for.
    looked_in: PathBuf,
    http: reqwest::Client,
}

impl Client {
    /// A client that shows the key, or else the token of this machine.
    pub(crate) fn new(connection: &Connection) -> Result<Self, Failure> {
        let looked_in =
            if connection.key.is_some() { PathBuf::new() } else { connection.place.data_dir()? };
        let credential = connection.key.clone().or_else(|| first_start::read_local_token(&looked_in));
        let address = match &connection.url {
            Some(url) => Address { url: url.clone(), certificate: None },
            None => connection.place.address()?,
        };
        let mut http = reqwest::Client::builder().timeout(TIMEOUT).connect_timeout(CONNECT_TIMEOUT);
        if let Some(path) = &connection.ca {
            http = http.tls_certs_merge(issuers(path).context("--ca").map_err(Failure::Usage)?);
        } else if let Some(path) = &address.certificate {
            http = http.tls_backend_preconfigured(pinned::trusting(path).map_err(Failure::Unreachable)?);
        }
        let http = http.build().context("the HTTP client could not be made")?;
        let url = address.url.trim_end_matches('/').to_owned();
        Ok(Self { url, credential, looked_in, http })
    }

    /// The address of the server, when it is one.
    pub(crate) fn checked_address(&self) -> Result<String, Failure> {
        reqwest::Url::parse(&self.url)
            .map_err(|error| Failure::Usage(anyhow!("--url {}: {error}", self.url)))?;
        Ok(self.url.clone())
    }

    /// What `GET path` answers.
    pub(crate) async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut url = reqwest::Url::parse(&format!("{}{path}", self.url))
            .map_err(|error| Failure::Usage(anyhow!("--url {}: {error}", self.url)))?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        self.send(self.http.request(Method::GET, url)).await
    }

    /// The beginning of what `GET path` answers, for answers that are long and come slowly.
    pub(crate) async fn open(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Opened, Failure> {
        let mut url = reqwest::Url::parse(&format!("{}{path}", self.url))
            .map_err(|error| Failure::Usage(anyhow!("--url {}: {error}", self.url)))?;
        url.query_pairs_mut().extend_pairs(parameters);
        let request = self.http.request(Method::GET, url).timeout(LONG_TIMEOUT);
        let response = match self.begin(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Ok(Opened::Nobody(self.unreachable(error))),
            Err(error) => return Err(self.unreachable(error)),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(Opened::Answer(response));
        }
        let body = serde_json::from_slice(&self.text(response).await?).unwrap_or(Value::Null);
        Err(self.refused(status, &body))
    }

    /// The beginning of what `POST path` with a JSON body answers.
    pub(crate) async fn post_open(&self, path: &str, body: &Value) -> Result<Posted, Failure> {
        let request = self.http.request(Method::POST, format!("{}{path}", self.url)).json(body);
        let response = match self.begin(request.timeout(LONG_TIMEOUT)).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Ok(Posted::Nobody(self.unreachable(error))),
            Err(error) => return Err(self.unreachable(error)),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(Posted::Answer(response));
        }
        let body = serde_json::from_slice(&self.text(response).await?).unwrap_or(Value::Null);
        match status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Ok(Posted::Refused(body)),
            _ => Err(self.refused(status, &body)),
        }
    }

    /// The address of the server.
    pub(crate) fn address(&self) -> &str {
        &self.url
    }

    /// What `POST path` with a JSON body answers.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(self.http.request(Method::POST, format!("{}{path}", self.url)).json(body)).await
    }

    /// What `DELETE path` answers.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.send(self.http.request(Method::DELETE, format!("{}{path}", self.url))).await
    }

    /// All items of a list, page after page.
    pub(crate) async fn list(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        loop {
            let offset = items.len().to_string();
            let mut all = parameters.to_vec();
            all.extend([("limit", "500"), ("offset", offset.as_str())]);
            let mut page = self.get(path, &all).await?;
            let total = page["total"].as_u64().unwrap_or(0);
            let more = page["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let last = more.is_empty();
            items.extend(more);
            if last || items.len() as u64 >= total {
                return Ok(items);
            }
        }
    }

    async fn begin(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, reqwest::Error> {
        let request = match &self.credential {
            Some(credential) => request.bearer_auth(credential),
            None => request,
        };
        request.send().await
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let is_connect = error.is_connect();
        let said = format!("{:#}", anyhow::Error::from(error.without_url()));
        let hint = match is_connect {
            true if said.contains("certificate") => {
                "; --url names the server as its certificate does, --ca the issuer"
            }
            true => "; does `watchkeeper serve` run there?",
            false => "",
        };
        Failure::Unreachable(anyhow!("cannot reach {}{hint} ({said})", self.url))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let response = self.begin(request).await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let text = self.text(response).await?;
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        let body: Value = serde_json::from_slice(&text).map_err(|_| {
            Failure::Unreachable(anyhow!("{} answered {status}, and not as Watchkeeper does", self.url))
        })?;
        if status.is_success() { Ok(body) } else { Err(self.refused(status, &body)) }
    }

    /// The body of an answer. Whoever answers at that address may be anybody, so it has a bound.
    async fn text(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
        let mut text = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| {
                Failure::Unreachable(
                    anyhow::Error::from(error).context(format!("{} broke off its answer", self.url)),
                )
            })?;
            let Some(chunk) = chunk else { return Ok(text) };
            text.extend_from_slice(&chunk);
            if text.len() > MAX_ANSWER_BYTES {
                let most = MAX_ANSWER_BYTES >> 20;
                return Err(Failure::Unreachable(anyhow!("{} answers more than {most} MiB", self.url)));
            }
        }
    }

    fn refused(&self, status: StatusCode, body: &Value) -> Failure {
        let said =
            ["detail", "error"].iter().find_map(|key| body[*key].as_str()).unwrap_or("no reason given");
        match status {
            StatusCode::UNAUTHORIZED => {
                Failure::Unreachable(anyhow!("{} does not let us in: {said}{}", self.url, self.hint()))
            }
            StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST => {
                Failure::Unreachable(anyhow!("{} does not let us in: {said}", self.url))
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Failure::Unreachable(anyhow!("{} is too busy: {said}", self.url))
            }
            _ => Failure::Other(anyhow!("{said}")),
        }
    }

    /// Where else the token may be.
    fn hint(&self) -> String {
        if self.looked_in == Path::new("") {
            return String::new();
        }
        let path = first_start::local_token_path(&self.looked_in);
        format!(
            "\n(the token of this machine was looked for in {}: --data-dir names another folder, --key a key)",
            path.display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment_of_a_path() {
        assert_eq!(segment("llm-1_a~"), "llm-1_a~");
        assert_eq!(segment("../a b?c#d/%é"), "..%2Fa%20b%3Fc%23d%2F%25%C3%A9");
    }
}
