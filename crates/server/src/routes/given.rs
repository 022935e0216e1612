//! Parameters as programs of others send them: unknown ones are passed over, empty ones are not there, and a name may
//! occur more than once.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use crate::problem::{Kind, Problem};

/// The query parameters of a request.
pub(super) struct Given(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Given {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let Query(given) =
            read.map_err(|_| Problem::new(Kind::BadParameter, "The query parameters cannot be read."))?;
        Ok(Self(given))
    }
}

impl Given {
    /// The first value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let is_it = move |(key, value): &&(String, String)| key == name && !value.is_empty();
        self.0.iter().filter(is_it).map(|(_, value)| value.as_str())
    }

    /// A value that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| wrong(name, "it is missing"))
    }

    /// A value as `read` makes it of its text.
    pub(super) fn read<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let read = |text| read(text).ok_or_else(|| wrong(name, &format!("expected {expected}")));
        self.get(name).map(read).transpose()
    }
}

/// A parameter that cannot be taken, and why.
pub(super) fn wrong(name: &str, reason: &str) -> Problem {
    Problem::new(Kind::BadParameter, format!("Invalid parameter `{name}`: {reason}."))
}
