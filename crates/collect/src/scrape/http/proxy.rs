//! Which proxy a request goes through, if any.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{ClientBuilder, Proxy, Url};

use super::keys::ConnectionKeys;
use super::no_proxy::NoProxy;

/// The ways of one client.
#[derive(Debug, PartialEq)]
pub(super) struct Route {
    http: Option<Url>,
    https: Option<Url>,
    /// What is asked without a proxy; nothing when all goes through one, this host too.
    direct: Option<NoProxy>,
    /// Headers of requests for a connection, which go to the proxy alone.
    connect: HeaderMap,
}

impl Route {
    /// Checks the keys; `variable` gives variables of the environment.
    pub(super) fn new(
        keys: &ConnectionKeys<'_>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        if keys.proxy_from_environment && keys.proxy_url.is_some() {
            return Err("`proxy_url` and `proxy_from_environment` are both set; keep one".to_owned());
        }
        if keys.proxy_from_environment && !keys.no_proxy.is_empty() {
            return Err("`no_proxy` and `proxy_from_environment` are both set; keep one".to_owned());
        }
        let has_proxy = keys.proxy_from_environment || keys.proxy_url.is_some();
        for (key, is_set) in [
            ("no_proxy", !keys.no_proxy.is_empty()),
            ("proxy_connect_header", !keys.proxy_connect_header.is_empty()),
        ] {
            if is_set && !has_proxy {
                return Err(format!("`{key}` is set, and there is no proxy: set `proxy_url` too"));
            }
        }
        let connect = connect_headers(keys)?;
        if let Some(url) = keys.proxy_url {
            let url = proxy_url("`proxy_url`", url)?;
            let direct = (!keys.no_proxy.is_empty()).then(|| NoProxy::of(keys.no_proxy));
            return Ok(Self { http: Some(url.clone()), https: Some(url), direct, connect });
        }
        if !keys.proxy_from_environment {
            return Ok(Self { http: None, https: None, direct: None, connect });
        }
        let of = |large: &str, small: &str| {
            let set = |name: &str| variable(name).filter(|value| !value.is_empty());
            set(large)
                .map(|value| (large.to_owned(), value))
                .or_else(|| Some((small.to_owned(), set(small)?)))
        };
        let proxy = |set: Option<(String, String)>| {
            set.map(|(name, value)| proxy_url(&format!("the variable `{name}`"), &value)).transpose()
        };
        Ok(Self {
            http: proxy(of("HTTP_PROXY", "http_proxy"))?,
            https: proxy(of("HTTPS_PROXY", "https_proxy"))?,
            direct: Some(NoProxy::of(&of("NO_PROXY", "no_proxy").map(|(_, list)| list).unwrap_or_default())),
            connect,
        })
    }

    /// Has a client go these ways, and no others.
    pub(super) fn apply(self, builder: ClientBuilder) -> ClientBuilder {
        let Self { http, https, direct, connect } = self;
        // What goes over HTTP needs no connection of its own, so a proxy gets these headers for HTTPS alone.
        let plain = Proxy::custom({
            let direct = direct.clone();
            move |url| http.clone().filter(|_| url.scheme() == "http" && goes_through(direct.as_ref(), url))
        });
        let secured = Proxy::custom(move |url| {
            https.clone().filter(|_| url.scheme() == "https" && goes_through(direct.as_ref(), url))
        });
        // Without these the client would look at the environment by itself.
        builder.no_proxy().proxy(plain).proxy(secured.headers(connect))
    }
}

fn goes_through(direct: Option<&NoProxy>, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    !direct.is_some_and(|direct| direct.has(host, url.port_or_known_default()))
}

/// The address of a proxy, which may be written without `http://`.
fn proxy_url(name: &str, text: &str) -> Result<Url, String> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&with_scheme).ok().filter(Url::has_host);
    // The text may hold a password.
    let url = url.ok_or_else(|| format!("{name} is no address of a proxy"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{name} is a proxy of {}; those of http and https are known", url.scheme()));
    }
    Ok(url)
}

fn connect_headers(keys: &ConnectionKeys<'_>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (key, values) in keys.proxy_connect_header {
        let name = HeaderName::from_bytes(key.as_bytes())
            .map_err(|_| format!("`proxy_connect_header`: `{key}` is no name of a header"))?;
        for value in values {
            let mut value = HeaderValue::from_str(value).map_err(|_| {
                format!("a value of `{key}` in `proxy_connect_header` has characters that cannot be sent")
            })?;
            value.set_sensitive(true);
            headers.append(name.clone(), value);
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::scrape::config::TlsConfig;

    fn route(variables: &[(&str, &str)]) -> Result<Route, String> {
        let keys = ConnectionKeys {
            tls: &TlsConfig::default(),
            proxy_url: None,
            no_proxy: "",
            proxy_from_environment: true,
            proxy_connect_header: &BTreeMap::new(),
        };
        let of = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        Route::new(&keys, |name| of(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn the_environment_says_which_proxy_is_gone_through() {
        let url = |text: &str| Url::parse(text).expect("an address");
        let both = route(&[
            ("HTTP_PROXY", "a:1"),
            ("http_proxy", "b:1"),
            ("HTTPS_PROXY", ""),
            ("https_proxy", "https://c:1"),
            ("no_proxy", "example.org"),
        ]);
        let both = both.expect("a route");
        assert_eq!((both.http, both.https), (Some(url("http://a:1")), Some(url("https://c:1"))));
        let direct = both.direct.expect("a list");
        assert!(!goes_through(Some(&direct), &url("http://a.example.org:9100/metrics")));
        assert!(!goes_through(Some(&direct), &url("http://[::1]:9100/metrics")));
        assert!(goes_through(Some(&direct), &url("http://example.com/metrics")));
        let none = route(&[]).expect("a route");
        assert_eq!((none.http, none.https), (None, None));
        let error = route(&[("HTTPS_PROXY", "socks5://me:hunter2@a:1")]).expect_err("none that is known");
        assert_eq!(
            error,
            "the variable `HTTPS_PROXY` is a proxy of socks5; those of http and https are known"
        );
    }
}
