//! The server over HTTP, with the real parts behind it.

mod access;
mod errors;
mod guards;
mod ingest;
mod lists;
mod login;
mod prometheus;
mod stage;
mod tls;
