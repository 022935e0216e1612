//! The section `[syslog]`.

use std::net::SocketAddr;
use std::time::Duration;

use model::{ByteSize, DurationText};

use super::UtcOffset;

/// Where messages of syslog are listened for, and how much is taken. Off unless an address is set.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyslogConfig {
    /// The address and port for messages over UDP: `127.0.0.1:5514`. Ports below 1024 need a right of their own.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<SocketAddr>,
    /// The same over TCP.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<SocketAddr>,
    /// The most connections that are open at once; further ones are closed as they come.
    pub max_connections: usize,
    /// After how long without a byte a connection is closed. What a sender writes into one that was closed may be
    /// lost, so it is long.
    #[schemars(with = "String")]
    pub idle_timeout: DurationText,
    /// How much may wait to be stored, for UDP and for TCP each. Beyond it messages over UDP are dropped, and those
    /// over TCP are not read until there is room.
    #[schemars(with = "String")]
    pub max_queue: ByteSize,
    /// How far the clocks of senders that name no offset are ahead of universal time: `+02:00`.
    #[schemars(with = "String")]
    pub utc_offset: UtcOffset,
}

impl Default for SyslogConfig {
    fn default() -> Self {
        Self {
            udp: None,
            tcp: None,
            max_connections: 256,
            idle_timeout: DurationText(Duration::from_secs(3600)),
            max_queue: ByteSize(16 << 20),
            utc_offset: UtcOffset::default(),
        }
    }
}
