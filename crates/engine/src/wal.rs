//! The write-ahead log: what makes an acknowledged batch durable before it is in files.
//!
//! Batches are gathered into commits ([`queue`]), written and synced by one thread ([`writer`]) into
//! segments ([`segment`]) as records ([`record`]) with a payload ([`payload`]), and read back when the
//! store is opened ([`replay`]), decoded a little ahead ([`piece`]). docs/format/wal.md describes every byte.

pub(crate) mod payload;
mod piece;
pub(crate) mod queue;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod segment;
mod starts;
pub(crate) mod writer;
