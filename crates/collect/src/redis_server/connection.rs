//! One connection to a Redis server, shared by its collectors, that mends itself.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError,
};
use tokio::sync::Mutex;

use super::RedisConfig;
use crate::collector::CollectError;
use crate::redis_queue::MappingError;

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long one command may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(4);
/// After a failure the next attempt waits this long, then twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What is said of an address that asks for TLS.
const NO_TLS: &str = "this program speaks to Redis without TLS only: use redis:// or unix://";

/// A server, and the connection to it while there is one.
pub(crate) struct Server {
    address: String,
    info: ConnectionInfo,
    password_file: Option<PathBuf>,
    link: Mutex<Link>,
}

#[derive(Default)]
struct Link {
    connection: Option<MultiplexedConnection>,
    /// After failures: when to try again, the pause after that, and what went wrong.
    down: Option<Down>,
}

struct Down {
    retry_at: Instant,
    pause: Duration,
    reason: String,
}

impl Server {
    /// Checks the address; connects to nothing.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, MappingError> {
        let name = config.name.clone().unwrap_or_else(|| "(unnamed)".to_owned());
        let fail = |problem: &str| MappingError::Server { name: name.clone(), problem: problem.to_owned() };
        if ["rediss:", "valkeys:"].iter().any(|scheme| config.url.starts_with(scheme)) {
            return Err(fail(NO_TLS));
        }
        let info =
            config.url.as_str().into_connection_info().map_err(|_| {
                fail("the url is no address of a Redis: write it like redis://127.0.0.1:6379/0")
            })?;
        let address = match info.addr() {
            ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
            ConnectionAddr::Unix(path) => path.display().to_string(),
            _ => return Err(fail(NO_TLS)),
        };
        Ok(Self { address, info, password_file: config.password_file.clone(), link: Mutex::default() })
    }

    /// Host and port, or the path of the socket; never a password.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A connection that has just answered. Connects when there is none, but soon after a failure
    /// says again what went wrong instead of trying.
    pub(crate) async fn connection(&self) -> Result<MultiplexedConnection, CollectError> {
        let mut link = self.link.lock().await;
        if let Some(connection) = &link.connection {
            let mut connection = connection.clone();
            // A server that was started anew since the last pass shows here, and costs no pass.
            let answer: Result<String, RedisError> = redis::cmd("PING").query_async(&mut connection).await;
            if answer.is_ok() {
                return Ok(connection);
            }
            link.connection = None;
        }
        if let Some(down) = &link.down
            && Instant::now() < down.retry_at
        {
            return Err(self.unreachable(down.reason.clone()));
        }
        match self.connect().await {
            Ok(connection) => {
                *link = Link { connection: Some(connection.clone()), down: None };
                Ok(connection)
            }
            Err(reason) => {
                let pause =
                    link.down.as_ref().map_or(FIRST_PAUSE, |down| (down.pause * 2).min(LONGEST_PAUSE));
                let retry_at = Instant::now() + pause;
                link.down = Some(Down { retry_at, pause, reason: reason.clone() });
                Err(self.unreachable(reason))
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, String> {
        let mut settings = self.info.redis_settings().clone();
        if let Some(path) = &self.password_file {
            let password = tokio::fs::read_to_string(path)
                .await
                .map_err(|error| format!("the password file {} cannot be read: {error}", path.display()))?;
            settings = settings.set_password(password.trim_end_matches(['\r', '\n']));
        }
        let info = self.info.clone().set_redis_settings(settings);
        let client = Client::open(info).map_err(|error| plain_error(&error))?;
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(ANSWER_LIMIT));
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&limits)
            .await
            .map_err(|error| plain_error(&error))?;
        // Connecting succeeds before a server that wants a password, or still loads, says so.
        let answer: Result<String, RedisError> = redis::cmd("PING").query_async(&mut connection).await;
        answer.map_err(|error| plain_error(&error))?;
        Ok(connection)
    }

    fn unreachable(&self, reason: String) -> CollectError {
        CollectError::Unreachable { what: format!("redis at {}", self.address), source: reason.into() }
    }
}

/// What could not be read, and why.
pub(crate) fn read_error(what: String, error: &RedisError) -> CollectError {
    CollectError::Read { what, source: plain_error(error).into() }
}

/// The reason alone, in plain words. The library's own texts name error numbers and its enums.
pub(crate) fn plain_error(error: &RedisError) -> String {
    if error.is_connection_refusal() {
        return "connection refused".to_owned();
    }
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    if error.is_connection_dropped() {
        return "the connection was closed".to_owned();
    }
    match (error.code(), error.detail()) {
        (Some("NOAUTH"), _) => "it wants a password".to_owned(),
        (Some("WRONGPASS"), _) => "it does not take this user and password".to_owned(),
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ if error.kind() == ErrorKind::AuthenticationFailed => {
            "it does not take this user and password".to_owned()
        }
        _ => error.to_string(),
    }
}
