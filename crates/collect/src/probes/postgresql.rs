//! A PostgreSQL database: whether it takes connections, how many, what waits for locks, what is slow.

mod read;
mod statement;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use model::DurationText;
use pipeline::Pipeline;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::ProbeError;
use super::config::{Timing, interval, timeout};
use super::prober::{Found, Look, Prober};
use super::reason::{malformed, plain};
use crate::trust::{Authorities, Trust};

/// A PostgreSQL database: an entry of `[[probes.postgresql]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresqlProbe {
    /// What to call it; by default host, port and database.
    pub name: Option<String>,
    /// Where it is: `postgresql://user[:password]@host:5432/database`.
    pub url: String,
    /// The password, when it does not stand in the address.
    pub password: Option<String>,
    /// Whether the connection is encrypted, and whether the server must prove who it is.
    #[serde(default)]
    pub tls: PostgresqlTls,
    /// A file with the certificate (PEM) of an authority to trust beside those of this system, for `tls = "verify"`.
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

/// How a connection to PostgreSQL is encrypted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PostgresqlTls {
    /// Not at all.
    Off,
    /// When the server offers it, whatever its certificate is; as PostgreSQL's own programs do.
    #[default]
    Prefer,
    /// Always, with a certificate that is for this host and from a trusted authority.
    Verify,
}

struct Postgresql {
    config: Config,
    trust: Trust,
    verify: bool,
}

pub(super) fn prober(
    settings: &PostgresqlProbe,
    authorities: &Authorities,
    pipeline: &Arc<Pipeline>,
) -> Result<Prober, ProbeError> {
    let label = settings.name.as_deref().unwrap_or("(unnamed)");
    let fail = |problem: &str| ProbeError::new(label, problem);
    // The library's own text could quote the address, and with it a password.
    let mut config: Config = settings.url.parse().map_err(|_| {
        fail(if settings.url.contains("sslmode=verify") {
            "`sslmode` of this kind is not known: say `tls = \"verify\"` instead"
        } else {
            "`url` is no address of a database: write it like postgresql://user@db.example.org:5432/name"
        })
    })?;
    let target = target(&config).ok_or_else(|| fail("`url` names no host"))?;
    if let Some(password) = &settings.password {
        config.password(password);
    }
    config.application_name("watchkeeper");
    let trust = match settings.tls {
        PostgresqlTls::Off => {
            config.ssl_mode(SslMode::Disable);
            Trust::anybody()
        }
        PostgresqlTls::Prefer => Trust::anybody(),
        PostgresqlTls::Verify => {
            config.ssl_mode(SslMode::Require);
            Trust::verifying(authorities, settings.ca_file.as_deref())
        }
    };
    let trust = trust.map_err(|problem| fail(&problem))?;
    let timing = Timing::new(label, settings.interval, settings.timeout)?;
    let look = Postgresql { config, trust, verify: settings.tls == PostgresqlTls::Verify };
    Ok(Prober::new(settings.name.as_deref(), target, timing, Box::new(look), pipeline))
}

/// Host, port and database.
fn target(config: &Config) -> Option<String> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => config.get_hostaddrs().first()?.to_string(),
    };
    let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    Some(format!("{host}:{port}/{database}"))
}

#[async_trait]
impl Look for Postgresql {
    fn kind(&self) -> &'static str {
        "postgresql"
    }

    async fn look(&mut self, found: &mut Found) -> Result<(), String> {
        found.step = "connecting";
        let connected = self.config.connect(stream::Tls::new(&self.trust)).await;
        let shown = self.trust.take_shown();
        if let Some(shown) = &shown {
            super::tls::note(shown, found);
        }
        let fault = shown.and_then(|shown| shown.fault).filter(|_| self.verify);
        let (client, connection) = connected.map_err(|error| fault.unwrap_or_else(|| refusal(&error)))?;
        tokio::pin!(connection);
        let read = read::all(&client, found);
        let outcome = tokio::select! {
            outcome = read => outcome,
            ended = &mut connection => {
                Err(ended.err().map_or_else(|| "the connection was closed".to_owned(), |error| refusal(&error)))
            }
        };
        // Takes leave, so that the server logs no broken connection.
        drop(client);
        let _ = connection.await;
        outcome
    }
}

const NO_POSTGRESQL: &str = "what answers does not speak PostgreSQL's protocol";

/// Why the database did not do what was asked.
fn refusal(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("the database says: {} ({})", said.message(), said.code().code()),
        None => {
            let text = error.to_string();
            let junk = malformed(error).or_else(|| text.starts_with("unexpected message").then_some(text));
            junk.map_or_else(|| plain(error), |text| format!("{NO_POSTGRESQL} ({text})"))
        }
    }
}
