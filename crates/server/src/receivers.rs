//! The ports that OpenTelemetry's exporters know: 4317, which is meant for gRPC, and 4318, for HTTP.
//!
//! They are a courtesy of the default configuration: where another program has one of them, that is said and the
//! server runs without. What somebody has set is theirs to have, or the server does not start. Start reading at
//! [`Receivers::bind`].

use std::net::SocketAddr;

use prometheus::{IntGaugeVec, Opts, Registry};
use tokio::net::TcpListener;

use crate::Config;
use crate::config::ReceiverAddress;

/// What a port is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// gRPC.
    Grpc,
    /// HTTP.
    Http,
}

impl Transport {
    /// Its name, as in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }

    /// The port that is set nowhere in exporters because they know it.
    const fn usual_port(self) -> u16 {
        match self {
            Self::Grpc => 4317,
            Self::Http => 4318,
        }
    }

    /// The setting that says where it is.
    const fn key(self) -> &'static str {
        match self {
            Self::Grpc => "server.otlp.grpc_listen",
            Self::Http => "server.otlp.http_listen",
        }
    }

    fn setting(self, config: &Config) -> ReceiverAddress {
        match self {
            Self::Grpc => config.otlp.grpc_listen,
            Self::Http => config.otlp.http_listen,
        }
    }
}

/// A port that is set cannot be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address} for OpenTelemetry; set `{key}` to another address, to `auto` or to `off`"
)]
pub struct ReceiverError {
    /// Where.
    pub address: SocketAddr,
    /// The setting.
    pub key: &'static str,
    /// Why not.
    source: std::io::Error,
}

/// How a receiver does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverStatus {
    /// What it is meant for.
    pub transport: Transport,
    /// Where it listens, or would.
    pub address: SocketAddr,
    /// Why it does not listen.
    pub fault: Option<String>,
}

/// The ports, as far as they could be had.
#[derive(Debug, Default)]
pub struct Receivers {
    pub(crate) listeners: Vec<TcpListener>,
    status: Vec<ReceiverStatus>,
}

impl Receivers {
    /// Listens where the configuration says.
    ///
    /// # Errors
    /// When an address that is set cannot be had.
    pub async fn bind(config: &Config) -> Result<Self, ReceiverError> {
        let mut receivers = Self::default();
        for transport in [Transport::Grpc, Transport::Http] {
            receivers.open(transport, config).await?;
        }
        Ok(receivers)
    }

    async fn open(&mut self, transport: Transport, config: &Config) -> Result<(), ReceiverError> {
        let (setting, key) = (transport.setting(config), transport.key());
        let Some(address) = setting.resolve(config.listen.ip(), transport.usual_port()) else {
            return Ok(());
        };
        let bound = TcpListener::bind(address).await;
        let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let status = match bound {
            Ok((address, listener)) => {
                self.listeners.push(listener);
                ReceiverStatus { transport, address, fault: None }
            }
            Err(source) if matches!(setting, ReceiverAddress::At(_)) => {
                return Err(ReceiverError { address, key, source });
            }
            Err(error) => {
                tracing::warn!(
                    %address, %error,
                    "cannot listen there for OpenTelemetry; set `{key}` to an address that is free, or to `off`. The main \
                     port takes OpenTelemetry over HTTP in any case"
                );
                let fault = format!("{error}; set `{key}` to an address that is free, or to `off`");
                ReceiverStatus { transport, address, fault: Some(fault) }
            }
        };
        self.status.push(status);
        Ok(())
    }

    /// The receivers that are not turned off, and how they do.
    pub fn status(&self) -> &[ReceiverStatus] {
        &self.status
    }

    /// Where they listen.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.status.iter().filter(|status| status.fault.is_none()).map(|status| status.address)
    }

    /// Shows how they do among our own metrics.
    pub(crate) fn register(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        let up = IntGaugeVec::new(
            Opts::new(
                "watchkeeper_otlp_receiver_up",
                "Whether the port that OpenTelemetry's exporters know is listened on; nothing where it is turned off.",
            ),
            &["transport"],
        )?;
        registry.register(Box::new(up.clone()))?;
        for status in &self.status {
            up.with_label_values(&[status.transport.as_str()]).set(i64::from(status.fault.is_none()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn taken() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    fn config(grpc: &str, http: &str) -> Config {
        let mut config = Config::default();
        config.otlp.grpc_listen = grpc.parse().expect("a setting");
        config.otlp.http_listen = http.parse().expect("a setting");
        config
    }

    #[tokio::test]
    async fn an_address_that_is_set_and_taken_is_an_error_that_names_the_setting() {
        let (_other, address) = taken().await;
        let refused = Receivers::bind(&config("off", &address.to_string())).await.expect_err("it is taken");
        let text = crate::problem::chain(&refused);
        assert!(text.contains(&address.to_string()) && text.contains("`server.otlp.http_listen`"), "{text}");
        assert!(text.contains("in use"), "the cause is told: {text}");
    }

    #[tokio::test]
    async fn what_is_turned_off_is_nowhere_and_what_is_set_is_shown() {
        let receivers = Receivers::bind(&config("off", "127.0.0.1:0")).await.expect("a free port");
        let [status] = receivers.status() else { panic!("one is off: {receivers:?}") };
        assert_eq!((status.transport, &status.fault), (Transport::Http, &None));
        assert_ne!(status.address.port(), 0, "where it really listens");
        let registry = Registry::new();
        receivers.register(&registry).expect("once");
        let shown = collect::encode_text(&registry);
        assert!(shown.contains("watchkeeper_otlp_receiver_up{transport=\"http\"} 1"), "{shown}");
        assert!(!shown.contains("grpc"), "{shown}");
    }

    #[tokio::test]
    async fn a_usual_port_that_another_has_is_told_and_no_error() {
        // An address of this machine that nothing else listens at.
        let main: SocketAddr = "127.43.17.1:0".parse().expect("an address");
        let config = Config { listen: main, ..config("auto", "off") };
        let _held = TcpListener::bind((main.ip(), 4317)).await.expect("free");
        let receivers = Receivers::bind(&config).await.expect("no error");
        let [status] = receivers.status() else { panic!("{receivers:?}") };
        let fault = status.fault.as_deref().expect("taken");
        assert!(fault.contains("`server.otlp.grpc_listen`"), "{fault}");
        assert_eq!(receivers.addresses().count(), 0);
    }
}
