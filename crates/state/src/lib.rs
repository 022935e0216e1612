//! What people decide, and what must outlive a restart: users, sessions, API keys, alert states,
//! queued notifications and the audit log.
//!
//! The only crate that speaks SQL. Each sub-store is one small file over one table or two. Knows
//! nothing of HTTP, of rules or of how a notification is sent; callers decide, this crate remembers.
//! Times are kept in whole milliseconds.
//!
//! Start reading at [`State`].

mod alerts;
mod attempts;
mod audit;
mod database;
mod deliveries;
mod error;
mod keys;
mod links;
mod page;
mod password;
mod retention;
mod scope;
mod secret;
mod sessions;
#[cfg(test)]
mod tests;
mod users;

pub use alerts::{AlertFilter, AlertRecord, AlertState, AlertStates, Commit, Transition};
pub use attempts::LoginAttempts;
pub use audit::{
    Audit, AuditEntry, AuditExport, AuditFault, AuditFileError, AuditFilter, AuditFlaw, AuditFormat,
    AuditHash, AuditHead, AuditRecord, AuditStart, AuditVerdict, AuditVerification, BadAuditHash, Outcome,
    UnknownAuditFormat, verify_audit_file,
};
pub use database::State;
pub use deliveries::{Deliveries, Delivery, DeliveryCounts, DeliveryFilter, DeliveryState, NewDelivery};
pub use error::StateError;
pub use keys::{ApiKey, ApiKeys, NewApiKey};
pub use links::LoginLinks;
pub use page::Page;
pub use password::MIN_PASSWORD_CHARS;
pub use retention::{Config, Swept};
pub use scope::{Role, Scope, Scopes};
pub use secret::Secret;
pub use sessions::{NewSession, Session, Sessions};
pub use users::{User, Users};
