//! The commands, one file each.

pub(crate) mod access;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod key;
pub(crate) mod man;
pub(crate) mod query;
pub(crate) mod serve;
pub(crate) mod snapshot;
pub(crate) mod top;
pub(crate) mod user;
pub(crate) mod version;
