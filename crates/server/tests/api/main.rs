//! The server over HTTP, with the real parts behind it.

mod access;
mod audit;
mod clients;
mod diagnosis;
mod docs;
mod errors;
mod export;
mod forms;
mod guards;
mod ingest;
mod language;
mod lists;
mod live;
mod login;
mod otlp;
mod packed;
mod page;
mod prometheus;
mod prometheus_rules;
mod remote;
mod requests;
mod rollups;
mod seeds;
mod sql;
mod stage;
mod tls;
