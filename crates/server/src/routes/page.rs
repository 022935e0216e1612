//! The web page: the files of the built UI, embedded into the binary.
//!
//! They hold no data, so they need no login; without one the page shows the login form. Files under
//! `assets/` have a hash of what they hold in their names, so they are kept for ever; `index.html` names
//! them, and is asked for anew each time. A binary that was built without the UI shows how to build it.

use axum::extract::{Path, RawQuery, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use super::{Routes, no_such_path};

/// A file of the built UI.
struct File {
    /// Where it lies in the UI's folder.
    path: &'static str,
    bytes: &'static [u8],
    /// The same, packed by gzip.
    packed: Option<&'static [u8]>,
}

/// The build script lists them.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/ui_files.rs"));

const MISSING: File = File { path: "index.html", bytes: include_bytes!("page/missing.html"), packed: None };

/// The addresses that the UI itself knows. Others are not found, rather than a page that says so with
/// the status of success. `/login` is among them, but belongs to the login link. `/graph` is where links of
/// Prometheus lead: the UI makes an address of its own of it.
const VIEWS: &[&str] = &["/", "/alerts", "/alerts/{id}", "/explore", "/admin", "/graph"];
const VIEWS: &[&str] = &["/", "/explore", "/graph", "/logs", "/traces", "/traces/map", "/traces/{id}"];
const VIEWS: &[&str] =
    &["/", "/requests", "/requests/{id}", "/llm", "/hosts", "/hosts/{name}", "/explore", "/graph"];
const VIEWS: &[&str] = &[
    "/",
    "/queues",
    "/queues/{name}",
    "/workers",
    "/workers/{id}",
    "/documents",
    "/documents/{id}",
    "/explore",
    "/graph",
];

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Allows what this server itself serves, and nothing inline and nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Routes {
    let mut routes =
        OpenApiRouter::new().route("/assets/{file}", get(asset)).route("/favicon.svg", get(icon));
    // Whoever knows the API at `/prometheus` looks for its page there, too.
    routes = routes.route("/prometheus/graph", get(to_graph));
    for view in VIEWS {
        routes = routes.route(view, get(view_of_the_app));
    }
    routes
}

/// What answers may do in a browser.
pub(crate) fn content_security_policy() -> HeaderValue {
    HeaderValue::from_static(POLICY)
}

/// The page, which shows the view of its address by itself.
pub(super) fn app(headers: &HeaderMap) -> Response {
    FILES.iter().find(|file| file.path == "index.html").unwrap_or(&MISSING).answer(headers, ASK_AGAIN)
}

/// Whether somebody who reads pages asks, and no program.
pub(super) fn wants_a_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes().windows(9).any(|window| window == b"text/html"))
}

/// Leads people who follow a link to a page of the server, and are not logged in, to the login and from
/// there to the page. Programs get the problem.
pub(super) async fn or_login(request: Request, next: Next) -> Response {
    let reads = request.method() == Method::GET && wants_a_page(request.headers());
    let uri = request.uri().clone();
    let response = next.run(request).await;
    if !reads || response.status() != StatusCode::UNAUTHORIZED {
        return response;
    }
    // Only the path and the query: where the login leads to is always a place on this server.
    let here = uri.path_and_query().map_or("/", |here| here.as_str());
    Redirect::to(&format!("/login?next={}", encoded(here))).into_response()
}

/// A text as a value in a query, whatever is in it.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

async fn view_of_the_app(headers: HeaderMap) -> Response {
    app(&headers)
}

async fn to_graph(RawQuery(query): RawQuery) -> Redirect {
    Redirect::temporary(&query.map_or("/graph".to_owned(), |query| format!("/graph?{query}")))
}

async fn asset(Path(name): Path<String>, headers: HeaderMap, uri: Uri) -> Response {
    let found = FILES.iter().find(|file| file.path.strip_prefix("assets/") == Some(name.as_str()));
    match found {
        Some(file) => file.answer(&headers, FOR_EVER),
        None => no_such_path(uri).await.into_response(),
    }
}

async fn icon(headers: HeaderMap, uri: Uri) -> Response {
    match FILES.iter().find(|file| file.path == "favicon.svg") {
        Some(file) => file.answer(&headers, ASK_AGAIN),
        None => no_such_path(uri).await.into_response(),
    }
}

impl File {
    fn answer(&self, headers: &HeaderMap, caching: &'static str) -> Response {
        let head = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.kind())),
            (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        match self.packed.filter(|_| takes_gzip(headers)) {
            Some(packed) => {
                let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
                (StatusCode::OK, head, encoding, packed).into_response()
            }
            None => (StatusCode::OK, head, self.bytes).into_response(),
        }
    }

    fn kind(&self) -> &'static str {
        match self.path.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "woff2" => "font/woff2",
            _ => "application/octet-stream",
        }
    }
}

/// Whether the client takes gzip: names it, and not with the weight 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_value_ends_no_value() {
        assert_eq!(
            encoded("/docs/a-b.md?x=1&next=//evil#é"),
            "/docs/a-b.md%3Fx%3D1%26next%3D//evil%23%C3%A9"
        );
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (accepts, takes) in
            [("gzip, deflate, br", true), ("br;q=1, GZIP;q=0.5", true), ("gzip;q=0", false), ("br", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepts));
            assert_eq!(takes_gzip(&headers), takes, "{accepts}");
        }
    }
}
