//! Asking over HTTP: who we are, whom we trust, how far we go.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};

use super::config::{Authorization, BasicAuth, HttpSdConfig, ScrapeConfig, TlsConfig};
use super::secret::Secret;
use crate::probes::plain;

/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 10;
/// How long a connection that is not used is kept: a little longer than most intervals.
const IDLE: Duration = Duration::from_secs(90);

/// A client with the credentials of a job, or of a server that lists targets.
#[derive(Debug)]
pub(super) struct HttpClient {
    client: Client,
    credentials: Option<Credentials>,
}

/// What is shown to be let in.
#[derive(Debug)]
enum Credentials {
    Basic { username: Secret, password: Option<Secret> },
    Other { kind: String, secret: Secret },
}

/// The keys that say how to ask.
pub(super) struct HttpKeys<'a> {
    basic_auth: Option<&'a BasicAuth>,
    authorization: Option<Authorization>,
    tls_config: &'a TlsConfig,
    follow_redirects: bool,
    proxy_url: Option<&'a String>,
}

impl<'a> HttpKeys<'a> {
    pub(super) fn of_job(config: &'a ScrapeConfig) -> Result<Self, String> {
        let bearer = Authorization {
            credentials: config.bearer_token.clone(),
            credentials_file: config.bearer_token_file.clone(),
            ..Authorization::default()
        };
        let has_bearer = bearer != Authorization::default();
        if has_bearer && config.authorization.is_some() {
            return Err("`bearer_token` and `authorization` are both set; keep one".to_owned());
        }
        Ok(Self {
            basic_auth: config.basic_auth.as_ref(),
            authorization: config.authorization.clone().or_else(|| has_bearer.then_some(bearer)),
            tls_config: &config.tls_config,
            follow_redirects: config.follow_redirects,
            proxy_url: config.proxy_url.as_ref(),
        })
    }

    pub(super) fn of_list(config: &'a HttpSdConfig) -> Self {
        Self {
            basic_auth: config.basic_auth.as_ref(),
            authorization: config.authorization.clone(),
            tls_config: &config.tls_config,
            follow_redirects: config.follow_redirects,
            proxy_url: config.proxy_url.as_ref(),
        }
    }

    fn credentials(&self, base: &Path) -> Result<Option<Credentials>, String> {
        match (self.basic_auth, &self.authorization) {
            (Some(_), Some(_)) => Err("`basic_auth` and `authorization` are both set; keep one".to_owned()),
            (Some(basic), None) => {
                let name = Some(&basic.username).filter(|name| !name.is_empty());
                let username = Secret::of("username", name, basic.username_file.as_ref(), base)?;
                let (password, file) = (basic.password.as_ref(), basic.password_file.as_ref());
                let password = Secret::of("password", password, file, base)?;
                Ok(Some(Credentials::Basic {
                    username: username.unwrap_or(Secret::Text(String::new())),
                    password,
                }))
            }
            (None, Some(other)) => {
                let (text, file) = (other.credentials.as_ref(), other.credentials_file.as_ref());
                let secret = Secret::of("credentials", text, file, base)?;
                let secret = secret.ok_or("`authorization` needs `credentials` or `credentials_file`")?;
                if other.r#type.eq_ignore_ascii_case("basic") {
                    return Err("`authorization` cannot be of type Basic: write `basic_auth`".to_owned());
                }
                Ok(Some(Credentials::Other { kind: other.r#type.clone(), secret }))
            }
            (None, None) => Ok(None),
        }
    }
}

impl HttpClient {
    pub(super) fn new(keys: &HttpKeys<'_>, base: &Path) -> Result<Self, String> {
        let redirects = if keys.follow_redirects { Policy::limited(MOST_REDIRECTS) } else { Policy::none() };
        let mut builder = Client::builder()
            .tls_backend_preconfigured(super::tls::client_config(keys.tls_config, base)?)
            .redirect(redirects)
            .user_agent(concat!("watchkeeper/", env!("CARGO_PKG_VERSION")))
            .http1_only()
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(IDLE);
        builder = match keys.proxy_url {
            // What is scraped is the target itself.
            None => builder.no_proxy(),
            Some(url) => {
                let proxy = reqwest::Proxy::all(url.as_str());
                builder.proxy(proxy.map_err(|_| "`proxy_url` is no address of a proxy".to_owned())?)
            }
        };
        let client =
            builder.build().map_err(|error| format!("no HTTP client can be made: {}", plain(&error)))?;
        Ok(Self { client, credentials: keys.credentials(base)? })
    }

    /// A request with the credentials. They are left behind where a redirect leads to another host.
    pub(super) async fn get(&self, url: Url) -> Result<RequestBuilder, String> {
        let request = self.client.get(url);
        Ok(match &self.credentials {
            None => request,
            Some(Credentials::Basic { username, password }) => {
                let password = match password {
                    Some(password) => Some(password.reveal().await?),
                    None => None,
                };
                request.basic_auth(username.reveal().await?, password)
            }
            Some(Credentials::Other { kind, secret }) => {
                let value = format!("{kind} {}", secret.reveal().await?);
                let mut value = HeaderValue::from_str(&value)
                    .map_err(|_| "the credentials have characters that cannot be sent".to_owned())?;
                value.set_sensitive(true);
                request.header(AUTHORIZATION, value)
            }
        })
    }
}

/// Why a request had no answer.
pub(super) fn reason(error: &reqwest::Error) -> String {
    if error.is_redirect() {
        return format!("redirected more than {MOST_REDIRECTS} times");
    }
    plain(error)
}

/// What is said of an answer that is no success.
pub(super) fn refused(response: &Response) -> Option<String> {
    let status = response.status();
    if status == reqwest::StatusCode::OK {
        return None;
    }
    let name = status.canonical_reason().map(|name| format!(" ({name})")).unwrap_or_default();
    Some(format!("it answers with status {}{name}", status.as_u16()))
}
