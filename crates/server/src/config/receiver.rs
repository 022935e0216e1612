//! Where a receiver of OpenTelemetry listens, as a setting.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a receiver listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiverAddress {
    /// On its usual port, beside the main one; where that port is taken there is no receiver.
    #[default]
    Auto,
    /// Nowhere.
    Off,
    /// Here, or the server does not start.
    At(SocketAddr),
}

impl ReceiverAddress {
    /// The address: its own, or `port` at the address of the main listener.
    pub(crate) fn resolve(self, main: IpAddr, port: u16) -> Option<SocketAddr> {
        match self {
            Self::Auto => Some(SocketAddr::new(main, port)),
            Self::Off => None,
            Self::At(address) => Some(address),
        }
    }
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address to listen on: write it like 127.0.0.1:4317, or `auto` or `off`")]
pub struct NoReceiverAddress(String);

impl FromStr for ReceiverAddress {
    type Err = NoReceiverAddress;

    fn from_str(text: &str) -> Result<Self, NoReceiverAddress> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            address => address.parse().map(Self::At).map_err(|_| NoReceiverAddress(address.to_owned())),
        }
    }
}

impl fmt::Display for ReceiverAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Off => f.write_str("off"),
            Self::At(address) => address.fmt(f),
        }
    }
}

impl Serialize for ReceiverAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReceiverAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_where_it_is_set_beside_the_main_port_or_nowhere() {
        let main: IpAddr = [10, 0, 0, 5].into();
        let cases = [
            ("auto", Some("10.0.0.5:4317")),
            ("off", None),
            ("127.0.0.1:14317", Some("127.0.0.1:14317")),
            ("[::]:4317", Some("[::]:4317")),
        ];
        for (text, expected) in cases {
            let setting: ReceiverAddress = text.parse().expect("a setting");
            let resolved = setting.resolve(main, 4317).map(|address| address.to_string());
            assert_eq!((resolved.as_deref(), setting.to_string().as_str()), (expected, text));
        }
        for text in ["", "4317", "localhost:4317", "Off", "127.0.0.1"] {
            let error = text.parse::<ReceiverAddress>().expect_err("no address");
            assert!(error.to_string().contains("write it like 127.0.0.1:4317"), "{error}");
        }
    }
}
