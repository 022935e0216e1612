//! Users and keys, wherever they are: in the state database of this machine, or behind the API of a
//! server. Both give the same JSON.

use anyhow::{Context as _, anyhow};
use model::Timestamp;
use serde_json::{Value, json};
use state::{ApiKey, Page, Role, Scope, Scopes, State, User};

use crate::client::{Client, Connection, segment};
use crate::exit::Failure;
use crate::first_start;

/// A way to users and keys.
pub(crate) enum Access {
    /// The state database itself; it bears a server that uses it at the same time.
    Here(State),
    /// The API of a server.
    There(Client),
}

impl Access {
    /// The API when an address is given, else the database of this machine.
    pub(crate) async fn open(connection: &Connection) -> Result<Self, Failure> {
        if connection.url.is_some() || connection.key.is_some() {
            return Ok(Self::There(Client::new(connection)?));
        }
        let data_dir = connection.place.data_dir()?;
        let database = data_dir.join("state.db");
        // A new one here would take users and keys that no server ever sees.
        let there =
            database.try_exists().with_context(|| format!("cannot look into {}", data_dir.display()))?;
        if !there {
            return Err(Failure::Usage(anyhow!(
                "there is no state database in {}; --data-dir names another folder, and the first `watchkeeper serve` makes one",
                data_dir.display()
            )));
        }
        Ok(Self::Here(State::open(&database).await?))
    }

    pub(crate) async fn users(&self) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Here(state) => Ok(state.users().list().await?.iter().map(user_json).collect()),
            Self::There(client) => client.list("/api/v1/users", &[]).await,
        }
    }

    pub(crate) async fn add_user(&self, name: &str, password: &str, role: Role) -> Result<Value, Failure> {
        match self {
            Self::Here(state) => {
                let user = state.users().create(name, password, role).await?;
                first_start::audit(state, "user.create", name, "command line").await?;
                Ok(user_json(&user))
            }
            Self::There(client) => {
                let body = json!({ "name": name, "password": password, "role": role.as_str() });
                client.post("/api/v1/users", &body).await
            }
        }
    }

    pub(crate) async fn set_password(&self, name: &str, password: &str) -> Result<(), Failure> {
        match self {
            Self::Here(state) => {
                let user = named(state, name).await?;
                state.users().set_password(&user.id, password).await?;
                first_start::audit(state, "user.password", name, "command line").await?;
            }
            Self::There(client) => {
                let path = format!("/api/v1/users/{}/password", segment(name));
                client.post(&path, &json!({ "password": password })).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn remove_user(&self, name: &str) -> Result<(), Failure> {
        match self {
            Self::Here(state) => {
                let user = named(state, name).await?;
                state.users().delete(&user.id).await?;
                first_start::audit(state, "user.remove", name, "command line").await?;
            }
            Self::There(client) => {
                client.delete(&format!("/api/v1/users/{}", segment(name))).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn keys(&self) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Here(state) => {
                let mut keys = Vec::new();
                loop {
                    let page = Page { offset: keys.len() as u64, limit: Page::MAX_LIMIT };
                    let more = state.keys().list(page).await?;
                    if more.is_empty() {
                        return Ok(keys);
                    }
                    keys.extend(more.iter().map(key_json));
                }
            }
            Self::There(client) => client.list("/api/v1/keys", &[]).await,
        }
    }

    /// The new key with its `secret`.
    pub(crate) async fn create_key(
        &self,
        name: &str,
        scopes: Scopes,
        expires_at: Option<Timestamp>,
    ) -> Result<Value, Failure> {
        match self {
            Self::Here(state) => {
                let new = state.keys().create(name, scopes, "local", expires_at, Timestamp::now()).await?;
                first_start::audit(state, "key.create", name, "command line").await?;
                let mut json = key_json(&new.key);
                json["secret"] = new.secret.reveal().into();
                Ok(json)
            }
            Self::There(client) => {
                let scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
                let expires_at = expires_at.map(|time| time.to_string());
                let body = json!({ "name": name, "scopes": scopes, "expires_at": expires_at });
                client.post("/api/v1/keys", &body).await
            }
        }
    }

    pub(crate) async fn revoke_key(&self, id: &str) -> Result<(), Failure> {
        match self {
            Self::Here(state) => {
                state.keys().revoke(id, Timestamp::now()).await?;
                first_start::audit(state, "key.revoke", id, "command line").await?;
            }
            Self::There(client) => {
                client.delete(&format!("/api/v1/keys/{}", segment(id))).await?;
            }
        }
        Ok(())
    }
}

async fn named(state: &State, name: &str) -> Result<User, Failure> {
    let user = state.users().by_name(name).await?;
    Ok(user.with_context(|| format!("there is no user `{name}`; `watchkeeper user list` shows all"))?)
}

fn user_json(user: &User) -> Value {
    let User { id, name, role, created_at, disabled_at } = user;
    json!({ "id": id, "name": name, "role": role.as_str(), "created_at": created_at, "disabled_at": disabled_at })
}

fn key_json(key: &ApiKey) -> Value {
    let scopes: Vec<&str> = key.scopes.iter().map(Scope::as_str).collect();
    json!({
        "id": key.id, "name": key.name, "prefix": key.prefix, "scopes": scopes, "created_by": key.created_by,
        "created_at": key.created_at, "expires_at": key.expires_at, "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    })
}

/// The key that a person means: by its id, or by its name when only one in use has it.
pub(crate) fn key_id(keys: &[Value], wanted: &str) -> Result<String, Failure> {
    let text = |key: &Value, name: &str| key[name].as_str().unwrap_or_default().to_owned();
    if keys.iter().any(|key| text(key, "id") == wanted) {
        return Ok(wanted.to_owned());
    }
    let matching: Vec<String> = keys
        .iter()
        .filter(|key| key["revoked_at"].is_null() && text(key, "name") == wanted)
        .map(|key| text(key, "id"))
        .collect();
    match matching.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(Failure::Other(anyhow!(
            "there is no key `{wanted}` in use; `watchkeeper key list` shows all"
        ))),
        ids => Err(Failure::Other(anyhow!(
            "{} keys are called `{wanted}`; name one by its id: {}",
            ids.len(),
            ids.join(", ")
        ))),
    }
}

/// A list as a table.
pub(crate) fn table(columns: &[(&str, &str)], items: &[Value]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(columns.iter().map(|(title, _)| *title));
    for item in items {
        table.add_row(columns.iter().map(|(_, key)| match &item[*key] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        }));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_meant_by_its_id_or_its_name() {
        let keys = [
            json!({ "id": "1", "name": "a", "revoked_at": null }),
            json!({ "id": "2", "name": "b", "revoked_at": null }),
            json!({ "id": "3", "name": "b", "revoked_at": null }),
            json!({ "id": "4", "name": "a", "revoked_at": "2025-08-01T21:30:00Z" }),
        ];
        assert_eq!(key_id(&keys, "a").ok(), Some("1".to_owned()));
        assert_eq!(key_id(&keys, "3").ok(), Some("3".to_owned()));
        for unclear in ["b", "c"] {
            assert!(key_id(&keys, unclear).is_err(), "{unclear}");
        }
    }
}
