//! Hiding secrets in what is shown.

/// What stands in the place of a secret.
const MASK: &str = "********";

/// Replaces every secret in `table`: values of keys that name secrets, and passwords in URLs.
pub(super) fn mask(table: &mut toml::Table) {
    for (key, value) in table.iter_mut() {
        mask_value(is_secret(key), value);
    }
}

fn mask_value(secret: bool, value: &mut toml::Value) {
    match value {
        toml::Value::String(text) if secret && !text.is_empty() || is_private_key(text) => {
            MASK.clone_into(text);
        }
        toml::Value::String(text) => {
            if let Some(masked) = without_password(text) {
                *text = masked;
            }
        }
        toml::Value::Array(items) => items.iter_mut().for_each(|item| mask_value(secret, item)),
        toml::Value::Table(inner) => {
            for (key, value) in inner.iter_mut() {
                mask_value(secret || is_secret(key), value);
            }
        }
        _ => {}
    }
}

/// Every secret in `table`: what [`mask`] would hide.
pub(super) fn secrets(table: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    table.iter().for_each(|(key, value)| gather(is_secret(key), value, &mut found));
    found
}

fn gather(secret: bool, value: &toml::Value, into: &mut Vec<String>) {
    match value {
        toml::Value::String(text) if secret || is_private_key(text) => into.push(text.clone()),
        toml::Value::String(text) => into.extend(of_url(text)),
        toml::Value::Array(items) => items.iter().for_each(|item| gather(secret, item, into)),
        toml::Value::Table(inner) => {
            inner.iter().for_each(|(key, value)| gather(secret || is_secret(key), value, into));
        }
        _ => {}
    }
}

/// The password and the query of a URL.
fn of_url(text: &str) -> Vec<String> {
    let Some((_, rest)) = text.split_once("://") else { return Vec::new() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
    let query = path.split_once('?').map(|(_, query)| query);
    password.map(|(_, password)| password).into_iter().chain(query).map(str::to_owned).collect()
}

/// A key in PEM, whatever it stands at.
fn is_private_key(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
}

/// Headers of a webhook are secrets as well: they carry its authorization.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let named = [
        "password",
        "secret",
        "token",
        "api_key",
        "secret_access_key",
        "headers",
        "proxy_connect_header",
        "authorization",
        "credentials",
        "hash_key",
    ];
    // A path to a secret is not the secret.
    !key.ends_with("_file") && named.iter().any(|name| key == *name || key.ends_with(&format!("_{name}")))
}

/// The URL without its password and without its query, which often carries a token.
fn without_password(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:{MASK}@{host}"),
            None => format!("{user}@{host}"),
        },
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        Some((path, _)) => format!("{path}?{MASK}"),
        None => path.to_owned(),
    };
    Some(format!("{scheme}://{authority}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_the_rest_is_not() {
        let mut table: toml::Table = toml::from_str(
            "password = 'p'\nempty_password = ''\npassword_file = '/run/p'\nurl = 'redis://me:p@host:6379/0'\n\
             hook = 'https://h/x?token=p'\n[list.headers]\nAuthorization = 'Bearer p'\n[[redis]]\nsmtp_password = 'p'\nsecret_access_key = 'p'\n\
             [tls]\nkey = '-----BEGIN PRIVATE KEY-----'\nca = 'open'\n[proxy_connect_header]\nA = ['p']\n",
        )
        .expect("TOML");
        let mut found = secrets(&table);
        found.sort_unstable();
        assert_eq!(
            found,
            ["", "-----BEGIN PRIVATE KEY-----", "Bearer p", "p", "p", "p", "p", "p", "token=p"]
        );
        mask(&mut table);
        let shown = toml::to_string(&table).expect("TOML");
        let expected = "empty_password = \"\"\nhook = \"https://h/x?********\"\npassword = \"********\"\n\
                        password_file = \"/run/p\"\nurl = \"redis://me:********@host:6379/0\"\n\n\
                        [list.headers]\nAuthorization = \"********\"\n\n[proxy_connect_header]\nA = [\"********\"]\n\n\
                        [[redis]]\nsecret_access_key = \"********\"\nsmtp_password = \"********\"\n\n\
                        [tls]\nca = \"open\"\nkey = \"********\"\n";
        assert_eq!(shown, expected);
    }
}
