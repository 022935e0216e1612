//! Telling people: what a notification says, the channels that it goes over, and the queue on disk
//! from which it is sent.

mod backoff;
mod channel;
mod email;
mod links;
mod message;
mod text;
mod webhook;
mod worker;

pub(crate) use channel::{Channel, Route, open_all};
pub(crate) use message::{MAX_ALERTS, Notification, NotifiedAlert, Status};
pub(crate) use worker::{Health, Worker};
