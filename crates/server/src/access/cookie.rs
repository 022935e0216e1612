//! The session cookie.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

const NAME: &str = "watchkeeper_session";

/// The token in the request's cookies.
pub(crate) fn session_token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
}

/// The value of `Set-Cookie` that begins a session. Out of reach of scripts, and not sent along from
/// other sites.
pub(crate) fn begin(token: &str, max_age: Duration, https: bool) -> HeaderValue {
    let secure = if https { "; Secure" } else { "" };
    let text =
        format!("{NAME}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}", max_age.as_secs());
    HeaderValue::try_from(text).expect("a token is letters, digits, `-` and `_`")
}

/// The value of `Set-Cookie` that ends a session.
pub(crate) fn end() -> HeaderValue {
    HeaderValue::from_static("watchkeeper_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; xwatchkeeper_session=no"));
        headers.append(header::COOKIE, HeaderValue::from_static("b=2; watchkeeper_session=abc-_; c"));
        assert_eq!(session_token(&headers), Some("abc-_"));
        assert_eq!(session_token(&HeaderMap::new()), None);
    }
}
