use std::path::Path;

use serde_json::{Value, json};

use super::stage::configured;
use crate::scrape::config::{ScrapeConfig, ScrapingConfig};
use crate::scrape::error::chain;
use crate::scrape::globals::Globals;
use crate::scrape::job::{Job, Surroundings};
use crate::trust::Authorities;

/// Why jobs of our own cannot be used.
fn refused(jobs: &[Value]) -> String {
    let refused = configured(json!({}), jobs, Path::new("/nowhere"));
    refused.err().map(|error| chain(&error)).unwrap_or_default()
}

#[tokio::test]
async fn a_job_that_cannot_be_used_is_refused_with_its_name_and_the_key() {
    let cases = [
        (json!({ "job_name": "" }), "`job_name` is missing"),
        (
            json!({ "every": "1s", "timeout": "2s" }),
            "the timeout of 2s must be more than zero and not more than the interval of 1s",
        ),
        (json!({ "every": "1ms" }), "the interval must be from 100ms to 24h"),
        (
            json!({ "every": "1s", "scrape_interval": "1s" }),
            "`every` and `scrape_interval` are both set; keep one",
        ),
        (
            json!({ "relabel_configs": [{ "action": "hashmod", "target_label": "a" }] }),
            "`relabel_configs`: relabelling rule 1 (`hashmod`): `modulus` must be more than 0",
        ),
        (
            json!({ "basic_auth": { "username": "a" }, "bearer_token": "b" }),
            "`basic_auth` and `authorization` are both set; keep one",
        ),
        (
            json!({ "basic_auth": { "password": "a", "password_file": "b" } }),
            "`password` and `password_file` are both set; keep one",
        ),
        (json!({ "tls_config": { "cert_file": "a" } }), "a certificate and its key come together"),
        (json!({ "tls_config": { "ca_file": "ca.pem" } }), "the file /nowhere/ca.pem gives no certificate"),
        (
            json!({ "file_sd_configs": [{ "files": ["a.txt"] }] }),
            "`a.txt` in `file_sd_configs` must end with .yml, .yaml or .json",
        ),
        (
            json!({ "http_sd_configs": [{ "url": "ftp://a" }] }),
            "`url` in `http_sd_configs` must be an address of http or https",
        ),
        (json!({ "tls_config": { "min_version": "TLS9" } }), "`min_version`: `TLS9` is no version"),
        (json!({ "tls_config": { "max_version": "TLS11" } }), "leave neither TLS12 nor TLS13"),
        (
            json!({ "tls_config": { "min_version": "TLS13", "max_version": "TLS12" } }),
            "leave neither TLS12 nor TLS13",
        ),
        (json!({ "tls_config": { "ca": "a", "ca_file": "b" } }), "`ca` and `ca_file` are both set; keep one"),
        (json!({ "tls_config": { "ca": "a" } }), "`ca` gives no certificate: there is none in it"),
        (
            json!({ "http_headers": { "Host": { "values": ["b"] } } }),
            "`http_headers`: `host` cannot be set: it is set otherwise",
        ),
        (json!({ "http_headers": { "a b": {} } }), "`http_headers`: `a b` is no name of a header"),
        (
            json!({ "http_headers": { "a": { "secrets": ["hunter\n2"] } } }),
            "a value of `a` in `http_headers` has characters that cannot be sent",
        ),
        (json!({ "no_proxy": "a" }), "`no_proxy` is set, and there is no proxy: set `proxy_url` too"),
        (
            json!({ "proxy_connect_header": { "a": ["b"] } }),
            "`proxy_connect_header` is set, and there is no proxy: set `proxy_url` too",
        ),
        (
            json!({ "proxy_from_environment": true, "proxy_url": "http://a" }),
            "`proxy_url` and `proxy_from_environment` are both set; keep one",
        ),
        (
            json!({ "proxy_from_environment": true, "no_proxy": "a" }),
            "`no_proxy` and `proxy_from_environment` are both set; keep one",
        ),
        (json!({ "proxy_url": "http://me:hunter2@" }), "`proxy_url` is no address of a proxy"),
        (json!({ "proxy_url": "socks5://a:1" }), "`proxy_url` is a proxy of socks5; those of http and https"),
        (
            json!({ "oauth2": { "client_id": "a", "token_url": "http://a" }, "basic_auth": {} }),
            "`basic_auth` and `oauth2` are both set; keep one",
        ),
        (
            json!({ "oauth2": { "client_id": "a", "token_url": "http://a" }, "bearer_token": "b" }),
            "`authorization` and `oauth2` are both set; keep one",
        ),
        (json!({ "oauth2": { "client_id": "a" } }), "`oauth2` needs `token_url`"),
        (json!({ "oauth2": { "token_url": "http://a" } }), "`oauth2` needs `client_id`"),
        (
            json!({ "oauth2": { "client_id": "a", "token_url": "a" } }),
            "`token_url` in `oauth2` must be an address of http or https",
        ),
        (
            json!({ "oauth2": { "client_id": "a", "token_url": "http://a", "grant_type": "jwt" } }),
            "`oauth2`: the grant `jwt` is not known: `client_credentials` is",
        ),
        (
            json!({ "oauth2": {
                "client_id": "a", "token_url": "http://a", "scopes": ["b"], "endpoint_params": { "scope": "c" },
            } }),
            "`endpoint_params` in `oauth2` cannot set `scope`",
        ),
        (
            json!({ "oauth2": { "client_id": "a", "token_url": "http://a", "no_proxy": "b" } }),
            "`oauth2`: `no_proxy` is set, and there is no proxy",
        ),
        (
            json!({ "native_histogram_min_bucket_factor": -1.1 }),
            "`native_histogram_min_bucket_factor` must be a number that is not negative",
        ),
        (
            json!({ "http_sd_configs": [{ "url": "http://a", "no_proxy": "a" }] }),
            "`no_proxy` is set, and there is no proxy",
        ),
        (json!({ "scrape_protocols": [] }), "`scrape_protocols` takes one to five formats"),
        (json!({ "targets": ["http://a:1"] }), "`http://a:1` is no address: write it like host:9100"),
        (json!({ "labels": { "a": "b" } }), "`labels` are those of `targets`, and there are none"),
    ];
    for (mut keys, expected) in cases {
        let job = keys.as_object_mut().unwrap();
        job.entry("job_name").or_insert(json!("web"));
        let error = refused(&[keys.clone()]);
        assert!(error.starts_with("the job `") && error.contains(expected), "{keys}: {error}");
    }
    let twice = refused(&[json!({ "job_name": "web" }), json!({ "job_name": "web" })]);
    assert_eq!(twice, "the job `web` in [[scrape]]: there are two of this name: give each its own");
}

#[tokio::test]
async fn a_file_of_prometheus_that_cannot_be_used_is_refused_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prometheus.yml");
    let cases = [
        (
            "scrape_configs:\n  - job_name: a\n    scrape_intervall: 1s\n",
            ":3:5: unknown key `scrape_intervall`",
        ),
        (
            "scrape_configs:\n  - job_name: a\n    kubernetes_sd_configs:\n      - role: pod\n",
            ":3:5: `kubernetes_sd_configs` is not supported: let a program write what it finds into a file, and name \
             that in file_sd_configs",
        ),
        (
            "global:\n  scrape_interval: soon\n",
            ":2:20: `soon` is not a duration: write it like 15s, 5m, 1h30m or 7d",
        ),
        (
            "scrape_configs:\n  - job_name: a\n    relabel_configs:\n      - regex: '('\n",
            ":4:16: error parsing regexp: missing closing ): `(`",
        ),
        (
            "scrape_configs:\n  - job_name: a\n  - job_name: a\n",
            ":3:5: the job `a`: there are two of this name: give each its own",
        ),
        (
            "scrape_configs:\n  - job_name: a\n    every: 1s\n",
            ":2:5: the job `a`: unknown key `every`: it is for [[scrape]] alone",
        ),
        (
            "scrape_configs:\n  - job_name: a\n    scrape_timeout: 2m\n",
            ":2:5: the job `a`: the timeout of 2m must be",
        ),
        ("scrap_configs: []\n", ":1:1: unknown key `scrap_configs`"),
        (
            "global:\n  metric_name_validation_scheme: odd\nscrape_configs:\n  - job_name: a\n",
            ":4:5: the job `a`: `metric_name_validation_scheme`: `odd` is neither utf8 nor legacy",
        ),
        ("scrape_configs: [\n", ":"),
    ];
    for (text, expected) in cases {
        std::fs::write(&path, text).unwrap();
        let error = configured(json!({ "files": ["prometheus.yml"] }), &[], folder.path());
        let error = error.err().map(|error| chain(&error)).unwrap_or_default();
        let expected = format!("{}{expected}", path.display());
        assert!(error.starts_with(&expected), "{text}: {error}");
    }
    let missing = configured(json!({ "files": ["none.yml"] }), &[], folder.path());
    let missing = missing.err().map(|error| chain(&error)).unwrap_or_default();
    assert!(missing.starts_with("cannot read ") && missing.contains("none.yml: No such file"), "{missing}");
}

#[tokio::test]
async fn the_configuration_that_prometheus_documents_loads() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
global:
  scrape_interval: 15s
  scrape_timeout: 10s
  evaluation_interval: 30s
  external_labels:
    monitor: codelab
rule_files:
  - "first.rules"
remote_write:
  - url: http://remote1/push
    name: drop_expensive
scrape_configs:
  - job_name: prometheus
    honor_labels: true
    file_sd_configs:
      - files:
          - foo/*.slow.json
          - single/file.yml
        refresh_interval: 10m
    static_configs:
      - targets: ["localhost:9090", "localhost:9191"]
        labels:
          my: label
          your: label
    relabel_configs:
      - source_labels: [job, __meta_dns_name]
        regex: (.*)some-[regex]
        target_label: job
        replacement: foo-${1}
        action: replace
      - source_labels: [abc]
        target_label: cde
      - replacement: static
        target_label: abc
      - regex:
        replacement: static
        target_label: abc
      - source_labels: [foo]
        target_label: abc
        action: keepequal
    metric_relabel_configs:
      - source_labels: [__name__]
        regex: expensive_metric.*
        action: drop
  - job_name: service-x
    basic_auth:
      username: admin_name
      password: "multiline\nmysecret\ntest"
    scrape_interval: 50s
    scrape_timeout: 5s
    scrape_protocols: ["PrometheusText0.0.4"]
    body_size_limit: 10MB
    sample_limit: 1000
    metrics_path: /my_path
    scheme: https
    params:
      module: [http_2xx]
    tls_config:
      insecure_skip_verify: true
    enable_http2: false
    follow_redirects: false
    http_sd_configs:
      - url: http://1234.example/list
        refresh_interval: 30s
    always_scrape_classic_histograms: true
"#;
    std::fs::write(folder.path().join("prometheus.yml"), text).unwrap();
    let loaded = configured(json!({ "files": ["*.yml"] }), &[json!({ "job_name": "own" })], folder.path());
    let (scrapes, ..) = loaded.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(scrapes.job_count(), 3);
}

#[tokio::test]
async fn every_key_of_prometheus_may_stand_at_its_default_or_empty() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
global:
  keep_dropped_targets: 0
  metric_name_validation_scheme: utf8
  metric_name_escaping_scheme: allow-utf-8
  scrape_failure_log_file: ""
  extra_scrape_metrics: false
  convert_classic_histograms_to_nhcb: false
scrape_configs:
  - job_name: a
    oauth2: null
    http_headers: {}
    no_proxy: ""
    proxy_from_environment: false
    proxy_connect_header: {}
    scrape_failure_log_file: ""
    extra_scrape_metrics: false
    convert_classic_histograms_to_nhcb: false
    native_histogram_min_bucket_factor: 0
    keep_dropped_targets: 0
    scrape_classic_histograms: false
    bearer_token: ""
    basic_auth:
    params:
    static_configs:
      - targets:
        labels:
    file_sd_configs:
    relabel_configs:
    metric_relabel_configs:
    tls_config: { min_version: TLS12, max_version: TLS13, ca: "", cert: "", key: "" }
    http_sd_configs:
      - url: http://127.0.0.1:1/list
        no_proxy: ""
        http_headers: {}
"#;
    std::fs::write(folder.path().join("prometheus.yml"), text).unwrap();
    let loaded = configured(json!({ "files": ["prometheus.yml"] }), &[], folder.path());
    let (scrapes, ..) = loaded.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(scrapes.job_count(), 1);
}

#[tokio::test]
async fn sections_that_are_not_about_scraping_are_passed_over_with_a_warning_of_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prometheus.yml");
    let warned = |text: &str| -> Vec<String> {
        std::fs::write(&path, text).unwrap();
        let loaded = configured(json!({ "files": ["prometheus.yml"] }), &[], folder.path());
        let (scrapes, ..) = loaded.unwrap_or_else(|error| panic!("{text}: {}", chain(&error)));
        scrapes.warnings().iter().map(ToString::to_string).collect()
    };
    let text = "global:\n  evaluation_interval: 1m\nalerting:\n  alertmanagers: []\nrule_files:\n  - a.yml\n\
                remote_write: [{ url: http://a }]\nremote_read: []\nstorage: { tsdb: {} }\ntracing: { endpoint: a }\n\
                otlp: {}\nruntime : {}\nscrape_configs:\n  - job_name: a\n";
    let expected = [
        (5, "`rule_files` is not read here: rules are those of `[alerts] rules`, at its `interval`"),
        (
            3,
            "`alerting` is not read here: people are told over `[[channels.email]]` or `[[channels.webhook]]`",
        ),
        (7, "`remote_write` is not read here: nothing is sent on; others may ask by remote read"),
        (8, "`remote_read` is not read here: queries see what is stored here"),
        (9, "`storage` is not read here: `[store]` has `retention` and `out_of_order_window`"),
        (10, "`tracing` is not read here: no traces are sent"),
        (11, "`otlp` is not read here: nothing is received by OTLP"),
        (12, "`runtime` is not read here: it is for the runtime of Go"),
    ];
    let expected = expected.map(|(line, said)| format!("{}:{line}:1: {said}", path.display()));
    assert_eq!(warned(text), expected);
    let inline = format!("{}:1:1: `tracing` is not read here: no traces are sent", path.display());
    assert_eq!(warned("{ scrape_configs: [], tracing: {} }"), [inline]);
    let empty = warned("rule_files:\n  # - none\nscrape_configs: []\n");
    assert!(empty.is_empty(), "nothing is there to be passed over: {empty:?}");
}

/// What becomes of a job.
fn checked(config: &ScrapeConfig, globals: &Globals) -> Job {
    let (scraping, authorities) = (ScrapingConfig::default(), Authorities::default());
    let around = Surroundings { scraping: &scraping, base: Path::new("/jobs"), authorities: &authorities };
    Job::new(config, globals, &around).expect("a job")
}

#[test]
fn dropped_targets_are_kept_up_to_a_bound() {
    let kept = |own: Option<usize>, global: usize| {
        let config =
            ScrapeConfig { job_name: "a".to_owned(), keep_dropped_targets: own, ..ScrapeConfig::default() };
        checked(&config, &Globals { keep_dropped_targets: global, ..Globals::default() }).kept_dropped
    };
    assert_eq!([kept(None, 0), kept(None, 5), kept(Some(3), 5)], [1_000, 5, 3]);
    assert_eq!(kept(Some(0), 5), 5);
    assert_eq!([kept(Some(0), 0), kept(Some(1_000_000), 0), kept(None, 1_000_000)], [10_000; 3]);
}

#[test]
fn what_holds_for_all_jobs_holds_where_a_job_says_nothing_else() {
    let globals: Globals = serde_json::from_value(json!({
        "body_size_limit": "1MB",
        "convert_classic_histograms_to_nhcb": true,
        "always_scrape_classic_histograms": true,
        "extra_scrape_metrics": true,
        "metric_name_escaping_scheme": "dots",
        "scrape_failure_log_file": "failures.json",
    }))
    .unwrap();
    let globals = Globals { base: "/globals".into(), ..globals };
    let job = |keys: Value| {
        let config = serde_json::from_value(keys).expect("keys of a job");
        checked(&config, &globals)
    };
    let of_all = job(json!({ "job_name": "a" }));
    assert_eq!(of_all.limits.body, 1 << 20, "as Prometheus counts");
    assert!(of_all.custom_histograms && of_all.classic_histograms && of_all.extra_metrics);
    assert!(of_all.accept.contains("escaping=dots"), "{}", of_all.accept);
    assert_eq!(of_all.failure_log.as_deref(), Some(Path::new("/globals/failures.json")));
    let own = job(json!({
        "job_name": "a",
        "body_size_limit": "2KiB",
        "convert_classic_histograms_to_nhcb": false,
        "scrape_classic_histograms": false,
        "extra_scrape_metrics": false,
        "metric_name_escaping_scheme": "values",
        "scrape_failure_log_file": "own.json",
    }));
    assert_eq!(own.limits.body, 2 << 10);
    assert!(!own.custom_histograms && !own.classic_histograms && !own.extra_metrics);
    assert!(own.accept.contains("escaping=values"), "{}", own.accept);
    assert_eq!(own.failure_log.as_deref(), Some(Path::new("/jobs/own.json")));
}

#[tokio::test]
async fn external_labels_have_variables_of_the_environment_and_say_which_there_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prometheus.yml");
    let text = "global:\n  external_labels:\n    path: a:${PATH}\n    none: '$WATCHKEEPER_TEST_NONE.'\n    dollar: $$x\n";
    std::fs::write(&path, text).unwrap();
    let loaded = configured(json!({ "files": ["prometheus.yml"] }), &[], folder.path());
    let (scrapes, ..) = loaded.unwrap_or_else(|error| panic!("{}", chain(&error)));
    let labels: Vec<(String, String)> = scrapes.external_labels().into_iter().collect();
    let variable = std::env::var("PATH").unwrap();
    let expected = [("dollar", "$x".to_owned()), ("none", ".".to_owned()), ("path", format!("a:{variable}"))];
    assert_eq!(labels, expected.map(|(name, value)| (name.to_owned(), value)));
    let warnings: Vec<String> = scrapes.warnings().iter().map(ToString::to_string).collect();
    let place = format!("{}:4:11: the external label `none`: ", path.display());
    assert!(warnings.len() == 1 && warnings[0].starts_with(&place), "{warnings:?}");
    assert!(warnings[0].contains("`WATCHKEEPER_TEST_NONE`"), "{warnings:?}");
}
