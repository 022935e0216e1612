//! What a caller may do: scopes of keys and roles of users.

use std::fmt;
use std::str::FromStr;

use crate::StateError;

/// One thing that a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Send telemetry.
    Ingest,
    /// Read everything but secrets.
    Read,
    /// Acknowledge, resolve and act on the pipeline.
    Operate,
    /// Manage users, keys and settings; includes every other scope.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::Operate, Self::Admin];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Ingest => 1,
            Self::Read => 2,
            Self::Operate => 4,
            Self::Admin => 8,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| unknown("a scope", text))
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// No scope.
    pub const NONE: Self = Self(0);

    /// Whether the set allows what `scope` allows: `admin` allows all, `operate` allows `read`.
    pub const fn allows(self, scope: Scope) -> bool {
        let enough = match scope {
            Scope::Ingest | Scope::Operate | Scope::Admin => scope.bit() | Scope::Admin.bit(),
            Scope::Read => Scope::Read.bit() | Scope::Operate.bit() | Scope::Admin.bit(),
        };
        self.0 & enough != 0
    }

    /// The scopes that were put in.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl fmt::Display for Scopes {
    /// Names joined by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            write!(f, "{}{scope}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::parse).collect()
    }
}

/// What a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Looks, acknowledges, acts.
    Operator,
    /// Does everything.
    Admin,
}

impl Role {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// What it may do.
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Viewer => [Scope::Read].into_iter().collect(),
            Self::Operator => [Scope::Read, Scope::Operate].into_iter().collect(),
            Self::Admin => Scope::ALL.into_iter().collect(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        [Self::Viewer, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| unknown("a role", text))
    }
}

pub(crate) fn unknown(what: &'static str, text: &str) -> StateError {
    StateError::Corrupt { what, text: text.chars().take(64).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_the_lesser_ones_and_never_a_greater() {
        let cases = [
            ("ingest", [true, false, false, false]),
            ("read", [false, true, false, false]),
            ("operate", [false, true, true, false]),
            ("admin", [true, true, true, true]),
            ("ingest,read", [true, true, false, false]),
            ("", [false, false, false, false]),
        ];
        for (text, allowed) in cases {
            let scopes: Scopes = text.parse().expect("known scopes");
            assert_eq!(Scope::ALL.map(|scope| scopes.allows(scope)), allowed, "{text}");
            assert_eq!(scopes.to_string(), text);
        }
        assert!("root".parse::<Scopes>().is_err());
    }
}
