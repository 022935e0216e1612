//! HTTP and OpenTelemetry's gRPC: routes, authentication, wire types, OpenAPI.
//!
//! A request passes the guards (id, host, load, body), then the gate of its group of routes (who asks,
//! and may they), then its handler, which asks another crate and shows the answer in a shape of
//! `wire`. The only crate that knows axum. It keeps nothing itself, and names no storage engine.
//!
//! Start reading at [`serve`], then at `routes::router`, which is the whole surface on one page.

mod access;
mod audit;
mod blocking;
mod chunks;
mod config;
mod context;
mod errors;
mod export;
mod guard;
mod live;
mod params;
mod problem;
mod receivers;
mod routes;
mod serve;
mod sql;
mod tail;
mod tls;
mod wire;

pub use config::{Config, NoReceiverAddress, OtlpConfig, OtlpNames, ReceiverAddress};
pub use context::Context;
pub use receivers::{ReceiverError, ReceiverStatus, Receivers, Transport};
pub use serve::{ServeError, serve};
pub use tls::{Tls, TlsError, TlsFiles};
