//! Real services for tests: each is started on a free port, waited for, and ended when dropped.
//!
//! Nothing here imitates a service, but for one whose hardware is rarely at hand ([`Nvml`]). A service that is not installed is an error that says how to
//! install it. Start reading at [`Redis`].

pub mod chunks;
mod launch;
mod models;
mod nvml;
mod percent;
mod postgres;
mod prometheus;
pub mod protobuf;
mod python;
mod redis;
mod remote_write;
mod s3;
mod smtp;
mod tmux;
mod wait;
mod watchkeeper;

pub use launch::{Launched, free_port};
pub use models::Models;
pub use nvml::Nvml;
pub use percent::percent_encoded;
pub use postgres::Postgres;
pub use prometheus::Prometheus;
pub use python::python;
pub use redis::Redis;
pub use remote_write::{Series, remote_write};
pub use s3::S3;
pub use smtp::{Mail, Smtp};
pub use tmux::Tmux;
pub use wait::{eventually, within};
pub use watchkeeper::{Answer, FREE_RECEIVERS, Watchkeeper};
