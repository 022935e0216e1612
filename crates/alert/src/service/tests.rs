//! Alerting as a whole, over a real state database, with results that the test chooses.

mod delivery;
mod diagnosis;
mod life;
mod listener;
mod real;
mod recording;
mod stage;

pub(crate) use stage::http_client;
