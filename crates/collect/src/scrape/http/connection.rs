//! Clients that make connections: over which proxy, with which certificates, and how far redirects are followed.

use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::{Attempt, Policy};

use super::keys::ConnectionKeys;
use super::proxy::Route;
use crate::probes::plain;
use crate::scrape::job::Surroundings;

/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 10;
/// How long a connection that is not used is kept: a little longer than most intervals.
const IDLE: Duration = Duration::from_secs(90);

/// Why a redirect is not followed.
#[derive(Debug, thiserror::Error)]
pub(in crate::scrape) enum RedirectError {
    #[error("redirected more than {MOST_REDIRECTS} times")]
    TooMany,
    #[error("a redirect leads to another host, which the secrets in `http_headers` are not for")]
    Elsewhere,
}

impl ConnectionKeys<'_> {
    /// A client. One that `has_secrets` in its headers goes to no host but the first.
    pub(super) fn client(
        &self,
        follow_redirects: bool,
        has_secrets: bool,
        around: &Surroundings<'_>,
    ) -> Result<Client, String> {
        let redirects = if follow_redirects {
            Policy::custom(move |attempt| follow(attempt, has_secrets))
        } else {
            Policy::none()
        };
        let builder = Client::builder()
            .tls_backend_preconfigured(super::tls::client_config(self.tls, around)?)
            .redirect(redirects)
            .user_agent(concat!("watchkeeper/", env!("CARGO_PKG_VERSION")))
            .http1_only()
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(IDLE);
        let route = Route::new(self, |name| std::env::var(name).ok())?;
        let client = route.apply(builder).build();
        client.map_err(|error| format!("no HTTP client can be made: {}", plain(&error)))
    }
}

fn follow(attempt: Attempt<'_>, has_secrets: bool) -> reqwest::redirect::Action {
    if attempt.previous().len() > MOST_REDIRECTS {
        return attempt.error(RedirectError::TooMany);
    }
    let is_elsewhere =
        attempt.previous().first().is_some_and(|first| first.origin() != attempt.url().origin());
    if has_secrets && is_elsewhere {
        return attempt.error(RedirectError::Elsewhere);
    }
    attempt.follow()
}
