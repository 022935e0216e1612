use std::path::Path;

use serde_json::{Value, json};

use super::stage::configured;
use crate::scrape::error::chain;

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
        (json!({ "tls_config": { "cert_file": "a" } }), "`cert_file` and `key_file` come together"),
        (json!({ "tls_config": { "ca_file": "ca.pem" } }), "the file /nowhere/ca.pem gives no certificate"),
        (
            json!({ "file_sd_configs": [{ "files": ["a.txt"] }] }),
            "`a.txt` in `file_sd_configs` must end with .yml, .yaml or .json",
        ),
        (
            json!({ "http_sd_configs": [{ "url": "ftp://a" }] }),
            "`url` in `http_sd_configs` must be an address of http or https",
        ),
        (json!({ "scrape_protocols": [] }), "`scrape_protocols` takes one to five formats"),
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
            ":3:5: `kubernetes_sd_configs` is not supported; targets are found by static_configs, file_sd_configs and \
             http_sd_configs",
        ),
        (
            "global:\n  scrape_interval: soon\n",
            ":2:20: `soon` is not a duration: write it like 15s, 5m, 1h30m or 7d",
        ),
        (
            "scrape_configs:\n  - job_name: a\n    relabel_configs:\n      - regex: '('\n",
            ":4:16: `(` is no regular expression: unclosed group",
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
