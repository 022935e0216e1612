//! `watchkeeper key`: managing API keys.

use anyhow::anyhow;
use model::{DurationText, Timestamp};
use serde_json::json;
use state::{Scope, Scopes};

use super::access::{Access, key_id, table};
use crate::client::Connection;
use crate::exit::Failure;

/// What the command line says.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Key {
    /// Make a key; it is printed alone on the last line, this once
    #[command(
        after_help = "Examples:\n  watchkeeper key create grafana --scope read\n  watchkeeper key create ci --scope ingest,read --expires 30d"
    )]
    Create {
        /// What it is for
        name: String,
        /// What it may do: ingest, read, operate, admin; several times, or with commas
        #[arg(long, required = true, value_delimiter = ',', value_parser = scope)]
        scope: Vec<Scope>,
        /// When it ends, from now; never, if left out
        #[arg(long, value_name = "DURATION", value_parser = lifetime)]
        expires: Option<DurationText>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// List keys, without their secrets
    #[command(after_help = "Example:\n  watchkeeper key list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Revoke a key, for good
    #[command(after_help = "Example:\n  watchkeeper key revoke grafana")]
    Revoke {
        /// Its name, or its id when several have the name
        #[arg(value_name = "NAME")]
        wanted: String,
        #[command(flatten)]
        connection: Connection,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    text.parse().map_err(|_| "one of ingest, read, operate, admin".to_owned())
}

fn lifetime(text: &str) -> Result<DurationText, String> {
    let lifetime: DurationText = text.parse().map_err(|_| "a duration like 12h or 30d".to_owned())?;
    if lifetime.0.is_zero() { Err("more than zero".to_owned()) } else { Ok(lifetime) }
}

pub(crate) async fn run(command: &Key) -> Result<(), Failure> {
    match command {
        Key::Create { name, scope, expires, json, connection } => {
            let scopes: Scopes = scope.iter().copied().collect();
            let expires_at = expires.map(|duration| Timestamp::now().after(duration.0));
            let key = Access::open(connection).await?.create_key(name, scopes, expires_at).await?;
            if *json {
                println!("{key}");
            } else {
                let secret = key["secret"].as_str().ok_or_else(|| anyhow!("the server gave no key"))?;
                println!("made the key {name} with the scopes {scopes}; it is shown this once:\n{secret}");
            }
        }
        Key::List { json, connection } => {
            let keys = Access::open(connection).await?.keys().await?;
            if *json {
                println!("{}", json!(keys));
            } else {
                let columns = [
                    ("NAME", "name"),
                    ("BEGINS WITH", "prefix"),
                    ("SCOPES", "scopes"),
                    ("MADE BY", "created_by"),
                    ("MADE", "created_at"),
                    ("ENDS", "expires_at"),
                    ("LAST USED", "last_used_at"),
                    ("REVOKED", "revoked_at"),
                    ("ID", "id"),
                ];
                println!("{}", table(&columns, &keys));
            }
        }
        Key::Revoke { wanted, connection } => {
            let access = Access::open(connection).await?;
            let id = key_id(&access.keys().await?, wanted)?;
            access.revoke_key(&id).await?;
            println!("revoked {wanted}");
        }
    }
    Ok(())
}
