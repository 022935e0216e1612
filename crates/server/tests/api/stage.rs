//! A running server with real parts, in a folder and on a port of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use state::{Role, Scope, Scopes, State};
use store::TelemetryStore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "wkl_the_token_of_this_machine";
pub(crate) const PASSWORD: &str = "a long enough password";

pub(crate) struct Stage {
    pub(crate) address: SocketAddr,
    /// The receivers of OpenTelemetry: that of gRPC, and that of HTTP.
    pub(crate) receivers: Vec<SocketAddr>,
    pub(crate) client: Client,
    pub(crate) state: State,
    pub(crate) pipeline: Arc<pipeline::Pipeline>,
    pub(crate) store: Arc<dyn TelemetryStore>,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), server::ServeError>>,
    _folder: tempfile::TempDir,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Asserts that it is a problem of this status, and gives its detail.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        for key in ["type", "title", "detail"] {
            assert!(self.body[key].as_str().is_some_and(|text| !text.is_empty()), "no {key}: {self:?}");
        }
        self.body["detail"].as_str().expect("checked")
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut server::Config)) -> Self {
        Self::over(None, change).await
    }

    /// A server that speaks HTTPS when there is something to speak it with.
    pub(crate) async fn over(tls: Option<server::Tls>, change: impl FnOnce(&mut server::Config)) -> Self {
        Self::start(tls, promql::Limits::default(), change).await
    }

    /// A server whose metric queries have these limits.
    pub(crate) async fn limited(limits: promql::Limits) -> Self {
        Self::start(None, limits, |_| {}).await
    }

    async fn start(
        tls: Option<server::Tls>,
        limits: promql::Limits,
        change: impl FnOnce(&mut server::Config),
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut config = server::Config { listen: address, ..server::Config::default() };
        let anywhere = server::ReceiverAddress::At(SocketAddr::from(([127, 0, 0, 1], 0)));
        (config.otlp.grpc_listen, config.otlp.http_listen) = (anywhere, anywhere);
        change(&mut config);
        let bound = server::Receivers::bind(&config).await.expect("free ports");
        let receivers = bound.addresses().collect();
        let context = context(folder.path(), limits).await;
        let (state, pipeline) = (context.state.clone(), Arc::clone(&context.pipeline));
        let store = Arc::clone(&context.store);
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&context.alerts).run(stop.clone()));
        let task = tokio::spawn(server::serve(listener, bound, tls, config, context, stop.clone()));
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { address, receivers, client, state, pipeline, store, stop, task, _folder: folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request without credentials.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// A request as the command line on this machine makes it.
    pub(crate) fn local(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(TOKEN)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.local(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.local(Method::POST, path).json(body)).await
    }

    pub(crate) async fn key(&self, scopes: &[Scope]) -> String {
        let scopes: Scopes = scopes.iter().copied().collect();
        let now = model::Timestamp::now();
        let new = self.state.keys().create("test", scopes, "test", None, now).await.expect("a key");
        new.secret.reveal().to_owned()
    }

    pub(crate) async fn user(&self, name: &str, role: Role) {
        self.state.users().create(name, PASSWORD, role).await.expect("a user");
    }

    pub(crate) async fn log_in(&self, name: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "username": name, "password": password });
        answer(self.request(Method::POST, "/api/v1/login").json(&body)).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let is_stream = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
    // It has no end.
    let text = if is_stream { String::new() } else { response.text().await.expect("a body") };
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
}

/// Parameters as an address has them behind `?`, and the body of a form.
pub(crate) fn encoded(parameters: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://host/").expect("an address");
    url.query_pairs_mut().extend_pairs(parameters);
    url.query().unwrap_or_default().to_owned()
}

async fn context(folder: &std::path::Path, of_queries: promql::Limits) -> server::Context {
    let registry = ::prometheus::Registry::new();
    let path = folder.to_owned();
    let none = model::ByteSize(0);
    let config =
        engine::Config { disk_reserve_bytes: none, retention_free_bytes: none, ..engine::Config::default() };
    let retention = config.retention.0;
    let its_registry = registry.clone();
    let opened =
        tokio::task::spawn_blocking(move || engine::Engine::open(&path, config, &its_registry)).await;
    let store: Arc<dyn TelemetryStore> = opened.expect("no panic").expect("a store");
    let state = State::open(&folder.join("state.db")).await.expect("a state database");
    let redactor = ::ingest::Redactor::new(&::ingest::Redaction::default()).expect("rules");
    let limits = ::ingest::Limits::default();
    let ingest =
        ::ingest::Ingest::new(Arc::clone(&store), limits, redactor, retention, &registry).expect("ingest");
    let pipeline = pipeline::Pipeline::new(pipeline::Config::default(), &registry).expect("a pipeline");
    ingest.subscribe(Arc::clone(&pipeline) as Arc<dyn ::ingest::EventListener>);
    let promql = promql::Engine::new(Arc::clone(&store), of_queries);
    let parts = alert::Parts {
        engine: promql.clone(),
        pipeline: Arc::clone(&pipeline),
        store: Arc::clone(&store),
        state: state.clone(),
        ingest: Arc::clone(&ingest),
        http: Client::new(),
    };
    let rules = alert::RuleSet::parse(
        "test.yml",
        "groups:\n- name: g\n  rules:\n  - alert: Backlog\n    expr: queue_depth > 100\n    labels: {severity: warning}\n",
    );
    let alerts = alert::Alerts::new(
        alert::Config::default(),
        &alert::Channels::default(),
        rules.expect("rules"),
        parts,
        &registry,
    )
    .await
    .expect("alerts");
    let collectors = collect::Collectors::new(
        &collect::Config::default(),
        std::path::Path::new("/nonexistent"),
        Arc::clone(&ingest),
        &pipeline,
        &registry,
    );
    server::Context {
        version: "0.0.0-test",
        store,
        state,
        ingest,
        pipeline,
        collectors: collectors.expect("collectors"),
        alerts,
        promql,
        retention,
        registry,
        local_token: TOKEN.to_owned(),
    }
}
