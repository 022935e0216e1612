//! `watchkeeper user`: managing users.

use std::io::Read;

use anyhow::{Context as _, anyhow};
use serde_json::json;
use state::Role;

use super::access::{Access, table};
use crate::client::Connection;
use crate::exit::Failure;
use crate::first_start;

/// What the command line says.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum User {
    /// Make a user; without a password given, one is made up and printed on the last line
    #[command(
        after_help = "Examples:\n  watchkeeper user add anna --role operator\n  echo \"$PASSWORD\" | watchkeeper user add anna --password-stdin"
    )]
    Add {
        /// The name
        name: String,
        /// What the user may do: viewer, operator or admin
        #[arg(long, default_value = "viewer", value_parser = role)]
        role: Role,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        connection: Connection,
    },
    /// List users
    #[command(after_help = "Example:\n  watchkeeper user list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Set another password, and end the user's sessions; without one given, one is made up and printed
    #[command(after_help = "Example:\n  watchkeeper user passwd admin")]
    Passwd {
        /// The name
        name: String,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        connection: Connection,
    },
    /// Remove a user
    #[command(after_help = "Example:\n  watchkeeper user remove anna")]
    Remove {
        /// The name
        name: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// Where a password comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct Password {
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| "one of viewer, operator, admin".to_owned())
}

/// The longest password that is read.
const MAX_PASSWORD_BYTES: u64 = 8 << 10;

impl Password {
    /// The password, and whether it was made up here.
    fn get(&self) -> Result<(String, bool), Failure> {
        if !self.password_stdin {
            return Ok((first_start::random_text()?, true));
        }
        let mut text = String::new();
        std::io::stdin()
            .take(MAX_PASSWORD_BYTES)
            .read_to_string(&mut text)
            .context("reading standard input")?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(Failure::Usage(anyhow!("standard input holds no password")));
        }
        Ok((password.to_owned(), false))
    }

    fn tell(&self, name: &str, what: &str, password: &str, made_up: bool) {
        match (self.json, made_up) {
            (true, true) => println!("{}", json!({ "name": name, "password": password })),
            (true, false) => println!("{}", json!({ "name": name })),
            (false, true) => println!("{what} {name}; the password is\n{password}"),
            (false, false) => println!("{what} {name}"),
        }
    }
}

pub(crate) async fn run(command: &User) -> Result<(), Failure> {
    match command {
        User::Add { name, role, password, connection } => {
            let (secret, made_up) = password.get()?;
            Access::open(connection).await?.add_user(name, &secret, *role).await?;
            password.tell(name, &format!("made the {role}"), &secret, made_up);
        }
        User::List { json, connection } => {
            let users = Access::open(connection).await?.users().await?;
            if *json {
                println!("{}", json!(users));
            } else {
                let columns =
                    [("NAME", "name"), ("ROLE", "role"), ("MADE", "created_at"), ("DISABLED", "disabled_at")];
                println!("{}", table(&columns, &users));
            }
        }
        User::Passwd { name, password, connection } => {
            let (secret, made_up) = password.get()?;
            Access::open(connection).await?.set_password(name, &secret).await?;
            password.tell(name, "changed the password of", &secret, made_up);
        }
        User::Remove { name, connection } => {
            Access::open(connection).await?.remove_user(name).await?;
            println!("removed {name}");
        }
    }
    Ok(())
}
