//! Users: who may log in, and as what.

use model::Timestamp;
use sqlx::Row as _;

use crate::database::{Database, Row, millis, uncount};
use crate::error::during;
use crate::password::Passwords;
use crate::{Role, StateError};

const MAX_NAME_CHARS: usize = 64;
/// A bound on the table; far above any team.
const MAX_USERS: u64 = 10_000;

/// A user, without the password.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The id: the name can change, this cannot.
    pub id: String,
    /// The name that is typed in.
    pub name: String,
    /// What the user is.
    pub role: Role,
    /// When the user was made.
    pub created_at: Timestamp,
    /// Since when the user cannot log in.
    pub disabled_at: Option<Timestamp>,
}

/// The users.
#[derive(Clone, Debug)]
pub struct Users {
    pub(crate) database: Database,
    pub(crate) passwords: Passwords,
}

const COLUMNS: &str = "id, name, password_hash, role, created_ms, disabled_ms";

impl Users {
    /// Makes a user.
    pub async fn create(&self, name: &str, password: &str, role: Role) -> Result<User, StateError> {
        check_name(name, MAX_NAME_CHARS)?;
        let hash = self.passwords.hash(password).await?;
        if self.count().await? >= MAX_USERS {
            return Err(StateError::TooMany { what: "users", max: MAX_USERS });
        }
        let user = User {
            id: uuid::Uuid::now_v7().to_string(),
            name: name.to_owned(),
            role,
            created_at: Timestamp::from_millis(Timestamp::now().as_millis()),
            disabled_at: None,
        };
        sqlx::query(
            "INSERT INTO users (id, name, password_hash, role, created_ms) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&user.id)
        .bind(&user.name)
        .bind(hash)
        .bind(role.as_str())
        .bind(millis(user.created_at))
        .execute(&self.database.write)
        .await
        .map_err(|source| match &source {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => {
                StateError::Taken { what: "user", name: name.to_owned() }
            }
            _ => StateError::Database { doing: "adding a user", source },
        })?;
        Ok(user)
    }

    /// The user whose name and password these are. A wrong name takes as long as a wrong password,
    /// and a disabled user as long as either.
    pub async fn verify(&self, name: &str, password: &str) -> Result<Option<User>, StateError> {
        let row = sqlx::query(
            "SELECT id, name, password_hash, role, created_ms, disabled_ms FROM users WHERE name = $1",
        )
        .bind(name)
        .fetch_optional(&self.database.read)
        .await
        .map_err(during("looking a user up"))?;
        let hash = row.as_ref().map(|row| row.try_get("password_hash")).transpose();
        let hash = hash.map_err(during("reading a user"))?;
        let right = self.passwords.verify(password, hash).await?;
        let user = row.as_ref().map(user).transpose()?;
        Ok(user.filter(|user| right && user.disabled_at.is_none()))
    }

    /// The user of an id.
    pub async fn get(&self, id: &str) -> Result<Option<User>, StateError> {
        self.find("id", id).await
    }

    /// The user of a name.
    pub async fn by_name(&self, name: &str) -> Result<Option<User>, StateError> {
        self.find("name", name).await
    }

    async fn find(&self, column: &'static str, value: &str) -> Result<Option<User>, StateError> {
        let mut query = sqlx::QueryBuilder::new(format!("SELECT {COLUMNS} FROM users WHERE {column} = "));
        let row = query
            .push_bind(value)
            .build()
            .fetch_optional(&self.database.read)
            .await
            .map_err(during("looking a user up"))?;
        row.as_ref().map(user).transpose()
    }

    /// All users, by name.
    pub async fn list(&self) -> Result<Vec<User>, StateError> {
        sqlx::query("SELECT id, name, password_hash, role, created_ms, disabled_ms FROM users ORDER BY name")
            .fetch_all(&self.database.read)
            .await
            .map_err(during("listing users"))?
            .iter()
            .map(user)
            .collect()
    }

    /// How many users there are; none means that this is a first start.
    pub async fn count(&self) -> Result<u64, StateError> {
        sqlx::query_scalar("SELECT COUNT(*) FROM users")
            .fetch_one(&self.database.read)
            .await
            .map(uncount)
            .map_err(during("counting users"))
    }

    /// Gives a user another password, and ends the user's sessions and login links.
    pub async fn set_password(&self, id: &str, password: &str) -> Result<(), StateError> {
        let hash = self.passwords.hash(password).await?;
        let doing = "changing a password";
        let mut transaction = self.database.begin(doing).await?;
        let changed = sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1")
            .bind(id)
            .bind(hash)
            .execute(&mut *transaction)
            .await
            .map_err(during(doing))?;
        found(changed.rows_affected())?;
        end_logins(&mut transaction, id).await?;
        transaction.commit().await.map_err(during(doing))
    }

    /// Gives a user another role.
    pub async fn set_role(&self, id: &str, role: Role) -> Result<(), StateError> {
        let changed = sqlx::query("UPDATE users SET role = $2 WHERE id = $1")
            .bind(id)
            .bind(role.as_str())
            .execute(&self.database.write)
            .await
            .map_err(during("changing a role"))?;
        found(changed.rows_affected())
    }

    /// Keeps a user from logging in, and ends the user's sessions and login links.
    pub async fn disable(&self, id: &str, now: Timestamp) -> Result<(), StateError> {
        let doing = "disabling a user";
        let mut transaction = self.database.begin(doing).await?;
        let changed = sqlx::query("UPDATE users SET disabled_ms = $2 WHERE id = $1")
            .bind(id)
            .bind(millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(during(doing))?;
        found(changed.rows_affected())?;
        end_logins(&mut transaction, id).await?;
        transaction.commit().await.map_err(during(doing))
    }

    /// Lets a disabled user log in again.
    pub async fn enable(&self, id: &str) -> Result<(), StateError> {
        let changed = sqlx::query("UPDATE users SET disabled_ms = NULL WHERE id = $1")
            .bind(id)
            .execute(&self.database.write)
            .await
            .map_err(during("enabling a user"))?;
        found(changed.rows_affected())
    }

    /// Removes a user with sessions and links; the last administrator stays. What the user did stays in
    /// the audit log.
    pub async fn delete(&self, id: &str) -> Result<(), StateError> {
        // One statement: two administrators who remove each other at once must not both succeed.
        let deleted = sqlx::query(
            "DELETE FROM users WHERE id = $1 AND (role <> $2 OR disabled_ms IS NOT NULL OR EXISTS
             (SELECT 1 FROM users AS other
              WHERE other.id <> $1 AND other.role = $2 AND other.disabled_ms IS NULL))",
        )
        .bind(id)
        .bind(Role::Admin.as_str())
        .execute(&self.database.write)
        .await
        .map_err(during("deleting a user"))?;
        if deleted.rows_affected() == 0 && self.get(id).await?.is_some() {
            return Err(StateError::LastAdministrator);
        }
        found(deleted.rows_affected())
    }
}

async fn end_logins(transaction: &mut crate::database::Transaction, user_id: &str) -> Result<(), StateError> {
    for statement in ["DELETE FROM sessions WHERE user_id = $1", "DELETE FROM login_links WHERE user_id = $1"]
    {
        sqlx::query(statement)
            .bind(user_id)
            .execute(&mut **transaction)
            .await
            .map_err(during("ending a user's logins"))?;
    }
    Ok(())
}

fn found(rows: u64) -> Result<(), StateError> {
    if rows == 0 { Err(StateError::NotFound("user")) } else { Ok(()) }
}

/// Names are shown in logs, mails and pages: no control characters, no quotes, no markup.
pub(crate) fn check_name(name: &str, max: usize) -> Result<(), StateError> {
    let fits = (1..=max).contains(&name.chars().count()) && name.trim() == name;
    if fits && name.chars().all(|c| c.is_alphanumeric() || "._-@+ ".contains(c)) {
        return Ok(());
    }
    Err(StateError::BadName { name: name.chars().take(max).collect(), max })
}

pub(crate) fn user(row: &Row) -> Result<User, StateError> {
    let read = || -> Result<(User, String), sqlx::Error> {
        let user = User {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            role: Role::Viewer,
            created_at: Timestamp::from_millis(row.try_get("created_ms")?),
            disabled_at: row.try_get::<Option<i64>, _>("disabled_ms")?.map(Timestamp::from_millis),
        };
        Ok((user, row.try_get("role")?))
    };
    let (user, role) = read().map_err(during("reading a user"))?;
    Ok(User { role: role.parse()?, ..user })
}
