//! How the first person, and the command line on this machine, are let in.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use model::Timestamp;
use state::{AuditEntry, Outcome, Role, Secret, State, StateError};

/// How long the link that logs in once can be used.
const LINK_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// The name of the first user.
const ADMIN: &str = "admin";

/// What is printed once.
pub(crate) struct FirstLogin {
    pub(crate) name: &'static str,
    pub(crate) password: String,
    pub(crate) link_token: Secret,
}

/// Makes the first user when there is none.
pub(crate) async fn make_first_user(state: &State) -> Result<Option<FirstLogin>, StateError> {
    if state.users().count().await? > 0 {
        return Ok(None);
    }
    let password = random_text()?;
    let user = state.users().create(ADMIN, &password, Role::Admin).await?;
    let link_token = state.links().create(&user.id, LINK_LIFETIME, Timestamp::now()).await?;
    audit(state, "user.create", ADMIN, "first start").await?;
    Ok(Some(FirstLogin { name: ADMIN, password, link_token }))
}

/// Writes an action of the command line into the audit log.
pub(crate) async fn audit(state: &State, action: &str, target: &str, why: &str) -> Result<(), StateError> {
    let entry = AuditEntry {
        time: Timestamp::now(),
        actor: "local".to_owned(),
        action: action.to_owned(),
        target: Some(target.to_owned()),
        detail: serde_json::json!({ "by": why }),
        client_ip: None,
        outcome: Outcome::Ok,
    };
    state.audit().append(&entry).await
}

/// Where the token of this machine is kept.
pub(crate) fn local_token_path(data_dir: &Path) -> PathBuf {
    data_dir.join("local.token")
}

/// Makes a new token for the command line on this machine and writes it where only the owner of the
/// data can read it. Each start makes another.
pub(crate) fn write_local_token(data_dir: &Path) -> anyhow::Result<String> {
    let token = format!("wkl_{}", random_text()?);
    let path = local_token_path(data_dir);
    write_for_the_owner(&path, &token)
        .with_context(|| format!("the local token {} could not be written", path.display()))?;
    Ok(token)
}

/// Keeps how to log in at first where only the owner of the data can read it.
pub(crate) fn keep_first_login(data_dir: &Path, text: &str) -> anyhow::Result<PathBuf> {
    let path = data_dir.join("first-login");
    write_for_the_owner(&path, text)
        .with_context(|| format!("the first login could not be written to {}", path.display()))?;
    Ok(path)
}

/// Writes a line to a file that is there whole or not at all, and for its owner alone.
fn write_for_the_owner(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = path.with_added_extension("new");
    // A draft of an interrupted start may have another mode.
    let _ = std::fs::remove_file(&draft);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}

/// The token of this machine, if it can be read.
pub(crate) fn read_local_token(data_dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(local_token_path(data_dir)).ok()?;
    Some(text.trim().to_owned()).filter(|token| !token.is_empty())
}

/// 144 random bits, without letters that are mistaken for others and without what shells read.
pub(crate) fn random_text() -> Result<String, StateError> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0u8; 29];
    getrandom::fill(&mut bytes).map_err(|error| StateError::Crypto {
        doing: "reading random bytes of the system",
        reason: error.to_string(),
    })?;
    Ok(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_local_token_is_new_at_each_start_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = write_local_token(folder.path()).expect("written");
        let second = write_local_token(folder.path()).expect("written");
        assert_ne!(first, second);
        assert_eq!(read_local_token(folder.path()), Some(second));
        let mode = std::fs::metadata(local_token_path(folder.path())).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn only_the_first_start_makes_a_user() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(&folder.path().join("state.db")).await.expect("open");
        let login = make_first_user(&state).await.expect("made").expect("the first");
        let user = state
            .users()
            .verify(login.name, &login.password)
            .await
            .expect("asked")
            .expect("the right password");
        assert_eq!(user.role, Role::Admin);
        assert!(make_first_user(&state).await.expect("asked").is_none());
        let redeemed =
            state.links().redeem(login.link_token.reveal(), Timestamp::now()).await.expect("asked");
        assert_eq!(redeemed.map(|user| user.name), Some("admin".to_owned()));
    }
}
