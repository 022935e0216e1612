//! What is shown to be let in.

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::keys::HttpKeys;
use super::oauth2::TokenSource;
use super::secret::Secret;
use crate::scrape::job::Surroundings;

/// What is shown with each request.
#[derive(Debug)]
pub(super) enum Credentials {
    None,
    Basic { username: Option<Secret>, password: Option<Secret> },
    Other { kind: String, secret: Secret },
    OAuth2(Box<TokenSource>),
}

impl Credentials {
    pub(super) fn new(keys: &HttpKeys<'_>, around: &Surroundings<'_>) -> Result<Self, String> {
        match (keys.basic_auth, &keys.authorization, keys.oauth2) {
            (None, None, None) => Ok(Self::None),
            (Some(basic), None, None) => {
                let of = |key, text, file| Secret::of(key, text, file, around.base);
                Ok(Self::Basic {
                    username: of("username", Some(&basic.username), basic.username_file.as_ref())?,
                    password: of("password", basic.password.as_ref(), basic.password_file.as_ref())?,
                })
            }
            (None, Some(other), None) => {
                let (text, file) = (other.credentials.as_ref(), other.credentials_file.as_ref());
                let secret = Secret::of("credentials", text, file, around.base)?;
                let secret = secret.ok_or("`authorization` needs `credentials` or `credentials_file`")?;
                let kind = Some(other.r#type.trim()).filter(|kind| !kind.is_empty()).unwrap_or("Bearer");
                if kind.eq_ignore_ascii_case("basic") {
                    return Err("`authorization` cannot be of type Basic: write `basic_auth`".to_owned());
                }
                Ok(Self::Other { kind: kind.to_owned(), secret })
            }
            (None, None, Some(client)) => Ok(Self::OAuth2(Box::new(TokenSource::new(client, around)?))),
            (Some(_), Some(_), _) => {
                Err("`basic_auth` and `authorization` are both set; keep one".to_owned())
            }
            (Some(_), _, Some(_)) => Err("`basic_auth` and `oauth2` are both set; keep one".to_owned()),
            (_, Some(_), Some(_)) => Err("`authorization` and `oauth2` are both set; keep one".to_owned()),
        }
    }

    /// Adds them to a request.
    pub(super) async fn add(&self, request: RequestBuilder) -> Result<RequestBuilder, String> {
        Ok(match self {
            Self::None => request,
            Self::Basic { username, password } => {
                let username = match username {
                    Some(username) => username.reveal().await?,
                    None => String::new(),
                };
                let password = match password {
                    Some(password) => Some(password.reveal().await?),
                    None => None,
                };
                request.basic_auth(username, password)
            }
            Self::Other { kind, secret } => {
                request.header(AUTHORIZATION, authorization(kind, &secret.reveal().await?)?)
            }
            Self::OAuth2(tokens) => request.header(AUTHORIZATION, tokens.header().await?),
        })
    }

    /// Takes note that they were not accepted.
    pub(super) fn refused(&self) {
        if let Self::OAuth2(tokens) = self {
            tokens.forget();
        }
    }
}

/// The value of the header, which no log shows.
pub(super) fn authorization(kind: &str, secret: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(&format!("{kind} {secret}"))
        .map_err(|_| "the credentials have characters that cannot be sent".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}
