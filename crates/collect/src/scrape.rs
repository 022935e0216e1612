//! Scraping: Prometheus exporters are found, asked, and what they show is stored.
//!
//! A *job* says where targets are found ([`discovery`]) and how they are asked ([`http`]); relabelling makes targets of
//! what was found ([`target`]), and each has a task of its own ([`scraper`]), so that one that is slow, silent, huge or
//! nonsense costs nobody but itself. What a target shows becomes series ([`series`]) that end when it no longer shows
//! them. Jobs come from `[[scrape]]` and from Prometheus' own files, which are read again when they change.
//! Start reading at [`Scrapes`].

mod body;
mod config;
mod deadline;
mod discovery;
mod environment;
mod error;
mod failure_log;
mod files;
mod form;
pub(crate) mod glob;
mod globals;
mod http;
mod job;
mod metrics;
mod pool;
mod protocols;
mod report;
mod room;
mod said;
mod scraper;
mod scrapes;
mod series;
mod status;
mod store;
mod target;
mod turn;

#[cfg(test)]
mod tests;

pub use config::{
    Authorization, BasicAuth, FileSdConfig, HttpHeader, HttpSdConfig, OAuth2, ScrapeConfig, ScrapingConfig,
    StaticConfig, TlsConfig,
};
pub use error::ScrapeSetupError;
pub use form::ScrapeWarning;
pub use protocols::{EscapingScheme, ScrapeProtocol};
pub use scrapes::Scrapes;
pub use status::{DroppedTarget, Health, PoolStatus, TargetMetadata, TargetStatus};
