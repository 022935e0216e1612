//! `url_password`: the password of `scheme://user:password@host`, with any scheme, without a user too. One with an `@`
//! or a `#` in it is taken whole.
//!
//! Not taken: masks (`****`), references (`${PASSWORD}`, `<password>`), passwords with a `/` that is not escaped,
//! and users without a password: who they are is no secret.

use super::{Detector, RedactError, Trigger, URL_PASSWORD, value};

pub(super) fn detector() -> Result<Detector, RedactError> {
    Detector::of_pattern(
        URL_PASSWORD,
        vec![Trigger::AtInUrl],
        r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@"'<>]*:(?P<secret>[^\s/?"'<>]+)@"#,
        |text, at| !value::is_stand_in(&text[at.clone()]) && !is_port(&text[at.clone()]),
    )
}

/// `http://host:8080#a@b`: what stands there is a port and a fragment.
fn is_port(secret: &str) -> bool {
    let port = secret.split_once('#').map(|(port, _)| port);
    port.is_some_and(|port| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()))
}
