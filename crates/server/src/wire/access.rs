//! Users, keys and sessions.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use state::Scopes;
use utoipa::ToSchema;

use super::{Show, shape};

/// Scopes are shown as a list of names.
impl Show<Vec<&'static str>> for Scopes {
    fn show(self) -> Vec<&'static str> {
        self.iter().map(state::Scope::as_str).collect()
    }
}

shape! {
    /// A user, without the password.
    User from state::User {
        /// The id.
        id: String,
        /// The name that is typed in.
        name: String,
        /// `viewer`, `operator` or `admin`.
        role: &'static str,
        /// When the user was made.
        #[schema(value_type = String, format = DateTime)]
        created_at: Timestamp,
        /// Since when the user cannot log in.
        #[schema(value_type = Option<String>, format = DateTime)]
        disabled_at: Option<Timestamp>,
    }
}

shape! {
    /// An API key, without the key.
    ApiKey from state::ApiKey {
        /// The id.
        id: String,
        /// What it is for.
        name: String,
        /// How the key begins.
        prefix: String,
        /// `ingest`, `read`, `operate`, `admin`.
        #[schema(value_type = Vec<String>)]
        scopes: Vec<&'static str>,
        /// Who made it.
        created_by: String,
        /// When it was made.
        #[schema(value_type = String, format = DateTime)]
        created_at: Timestamp,
        /// When it ends.
        #[schema(value_type = Option<String>, format = DateTime)]
        expires_at: Option<Timestamp>,
        /// When it was last used, to the minute.
        #[schema(value_type = Option<String>, format = DateTime)]
        last_used_at: Option<Timestamp>,
        /// When it was revoked.
        #[schema(value_type = Option<String>, format = DateTime)]
        revoked_at: Option<Timestamp>,
    }
}

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewApiKey {
    /// The key itself. It is shown this once.
    pub(crate) secret: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub(crate) key: ApiKey,
}

/// A user to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// The name.
    pub(crate) name: String,
    /// The password, 12 characters at the least.
    pub(crate) password: String,
    /// `viewer`, `operator` or `admin`.
    pub(crate) role: String,
}

/// Another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The password, 12 characters at the least.
    pub(crate) password: String,
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRequest {
    /// What it is for.
    pub(crate) name: String,
    /// `ingest`, `read`, `operate`, `admin`.
    pub(crate) scopes: Vec<String>,
    /// When it ends; never, if left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default)]
    pub(crate) expires_at: Option<Timestamp>,
}

/// A name and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The name.
    pub(crate) username: String,
    /// The password.
    pub(crate) password: String,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// The user's or the key's name.
    pub(crate) name: String,
    /// `session`, `key`, `local` or `loopback`.
    pub(crate) kind: &'static str,
    /// The user's role, for a session.
    pub(crate) role: Option<&'static str>,
    /// What the caller may do.
    #[schema(value_type = Vec<String>)]
    pub(crate) scopes: Vec<&'static str>,
    /// What a page sends in the header `X-CSRF-Token` with every change, for a session.
    pub(crate) csrf_token: Option<String>,
    /// When the session ends if it is not used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
}
