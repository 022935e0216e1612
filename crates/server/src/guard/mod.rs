//! What every request passes before it reaches a route: an id, headers, names, limits.
//!
//! Knows nothing of who asks (that is [`crate::access`]) and nothing of the routes.

pub(crate) mod body;
pub(crate) mod edge;
pub(crate) mod hosts;
pub(crate) mod linger;
pub(crate) mod load;
pub(crate) mod memory;
pub(crate) mod packing;
mod places;
pub(crate) mod stall;
