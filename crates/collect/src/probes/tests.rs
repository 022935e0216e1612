//! Probes against real services, and against servers that behave badly.

mod backends;
mod certificates;
mod databases;
mod hostile;
mod stage;
mod stores;
