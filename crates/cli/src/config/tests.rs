use std::path::Path;

use super::load::{self, Source};
use super::{ConfigError, Settings, default_file, reference_page, shown};

fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let source = Source { path: Path::new("watchkeeper.toml"), text };
    load::load(
        Some(source),
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

#[test]
fn an_empty_configuration_is_the_default() {
    let settings = load_text("", &[]).expect("the defaults are valid");
    assert_eq!(settings.server, server::Config::default());
    assert_eq!(settings.store, engine::Config::default());
    assert!(settings.redis.is_empty());
}

#[test]
fn wrong_keys_and_values_are_told_with_their_line_and_what_was_meant() {
    let cases = [
        (
            "[server]\nlistne = \"127.0.0.1:1\"\n",
            "watchkeeper.toml:2: unknown key `server.listne`; did you mean `listen`?",
        ),
        ("\n\n[sever]\n", "watchkeeper.toml:3: unknown key `sever`; did you mean `server`?"),
        (
            "[ingest]\nmax_futur = \"1s\"\n",
            "watchkeeper.toml:2: unknown key `ingest.max_futur`; did you mean `max_future`?",
        ),
        (
            "[[redis]]\nurl = \"redis://h\"\n[[redis.queues]]\nname = \"q\"\npendin = {}\n",
            "watchkeeper.toml:5: unknown key `redis.queues.pendin`; did you mean `pending`?",
        ),
        ("[server]\nlisten = 7654\n", "watchkeeper.toml:2: "),
        (
            "[server.otlp]\ngrpc_listen = \"4317\"\n",
            "watchkeeper.toml:2: `4317` is no address to listen on: write it like 127.0.0.1:4317",
        ),
        ("[store]\n\nretention = \"soon\"\n", "watchkeeper.toml:3: `soon` is not a duration"),
        ("[syslog]\nutc_offset = \"CET\"\n", "watchkeeper.toml:2: `CET` is not an offset"),
        ("[ingest]\nmax_labels = \"many\"\n", "watchkeeper.toml:2: `ingest.max_labels`: invalid type"),
        ("[ingest.redaction]\n[ingest.redaction.patterns]\ncase = \"CASE-(\"\n", "watchkeeper.toml:3: `"),
        ("[ingest.redaction]\nemials = false\n", "watchkeeper.toml:2: unknown key `ingest.redaction.emials`"),
        ("[server\n", "watchkeeper.toml:1: "),
    ];
    for (text, expected) in cases {
        let error = load_text(text, &[]).expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text:?} gave {error:?}");
    }
}

#[test]
fn values_that_nothing_could_work_with_are_refused() {
    load_text("", &[]).expect("valid").check().expect("the defaults work");
    let cases = [
        ("[server]\nrequest_timeout = \"0s\"\n", "`server.request_timeout` must be more than zero"),
        ("[pipeline]\ninterval = \"0s\"\n", "`pipeline.interval` must be more than zero"),
        ("[syslog]\nmax_queue = \"0B\"\n", "`syslog.max_queue` must be more than zero"),
        ("[ingest]\nmax_attributes = 4097\n", "`ingest.max_attributes` must be at most 4096"),
        (
            "[[ingest.redaction.rules]]\ndetectors = [\"mail\"]\n",
            "`ingest.redaction.rules[0].detectors`: there is no detector `mail`",
        ),
        ("[ingest.redaction]\naction = \"hash\"\n", "`ingest.redaction.action`: `hash` needs"),
        (
            "[server]\nallowed_hosts = [\"a.example:80\", \"https://b.example/\"]\n",
            "`server.allowed_hosts`: `https:",
        ),
    ];
    for (text, expected) in cases {
        let error = load_text(text, &[]).expect("valid TOML").check().expect_err(text);
        assert_eq!(error.faults.len(), 1, "{error}");
        assert!(error.to_string().starts_with(expected), "{text:?} gave {error:?}");
    }
}

#[test]
fn all_unknown_keys_are_told_at_once() {
    let error = load_text("[server]\na = 1\n[store]\nb = 2\n", &[]).expect_err("unknown keys");
    assert_eq!(error.faults.len(), 2, "{error}");
}

#[test]
fn the_environment_overrides_the_file() {
    let settings = load_text(
        "[server]\nlisten = \"127.0.0.1:1\"\n[store]\nretention = \"1d\"\n",
        &[
            ("WATCHKEEPER_SERVER__LISTEN", "127.0.0.1:2"),
            ("WATCHKEEPER_SERVER__ALLOWED_HOSTS", "a.example.org, b.example.org"),
            ("WATCHKEEPER_SERVER__OPEN_LOOPBACK_INGEST", "false"),
            ("WATCHKEEPER_SERVER__MAX_CONNECTIONS", "7"),
            ("WATCHKEEPER_INGEST__REDACTION__EMAILS", "false"),
            ("WATCHKEEPER_REDIS__0__URL", "redis://elsewhere:6379/0"),
            ("WATCHKEEPER_KEY", "not a setting"),
            ("OTHER_SERVER__LISTEN", "nor this"),
        ],
    )
    .expect("valid");
    assert_eq!(settings.server.listen.port(), 2);
    assert_eq!(settings.server.allowed_hosts, ["a.example.org", "b.example.org"]);
    assert!(!settings.server.open_loopback_ingest && !settings.ingest.redaction.emails);
    assert_eq!(settings.server.max_connections, 7);
    assert_eq!(settings.store.retention.to_string(), "1d");
    assert_eq!(settings.redis[0].url, "redis://elsewhere:6379/0");
}

#[test]
fn a_wrong_variable_is_named() {
    let cases = [
        ("WATCHKEEPER_SERVER__LISTNE", "1", "did you mean `listen`?"),
        ("WATCHKEEPER_SERVER__MAX_CONNECTIONS", "many", "invalid type"),
        ("WATCHKEEPER_REDIS__1__URL", "redis://h", "counting from 0"),
        ("WATCHKEEPER_REDIS__URL", "redis://h", "counting from 0"),
    ];
    for (name, value, expected) in cases {
        let error = load_text("", &[(name, value)]).expect_err(name).to_string();
        assert!(error.starts_with(name) && error.contains(expected), "{error}");
    }
}

#[test]
fn a_text_can_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("url");
    std::fs::write(&path, "redis://me:secret@host:6379/0\n").expect("written");
    let text = format!("[[redis]]\nurl_file = {:?}\n", path.display().to_string());
    let settings = load_text(&text, &[]).expect("valid");
    assert_eq!(settings.redis[0].url, "redis://me:secret@host:6379/0");
    let error = load_text("[[redis]]\nurl_file = \"/nowhere\"\n", &[]).expect_err("no such file").to_string();
    assert!(error.starts_with("watchkeeper.toml:2: cannot read /nowhere"), "{error}");
    let both = format!("[[redis]]\nurl = \"redis://h\"\nurl_file = {:?}\n", path.display().to_string());
    assert!(load_text(&both, &[]).expect_err("both").to_string().contains("keep one"));
}

#[test]
fn secrets_are_not_shown() {
    let settings = load_text(
        "[[redis]]\nurl = \"redis://me:hunter2@host:6379/0\"\n\
         [ingest.redaction]\nhash_key = \"hunter2hunter2hunter2\"\n\
         [[channels.email]]\nname = \"m\"\nhost = \"h\"\nfrom = \"a@b.c\"\nto = []\nusername = \"u\"\npassword = \"hunter2\"\n\
         [[channels.webhook]]\nname = \"w\"\nurl = \"https://h/hunter2\"\nbearer_token = \"hunter2\"\n",
        &[],
    )
    .expect("valid");
    let text = toml::to_string(&shown(&settings).expect("TOML")).expect("TOML");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("redis://me:********@host:6379/0"), "{text}");
}

#[test]
fn what_is_shown_is_what_is_in_effect_also_where_nobody_has_set_it() {
    let kept = |text: &str| {
        let settings = load_text(text, &[]).expect("valid");
        let table = shown(&settings).expect("TOML");
        table["store"]["retention_overrides"]["tables"].as_table().expect("a table").clone()
    };
    let year = |text: &str| kept(text).get("audit_events").and_then(toml::Value::as_str).map(str::to_owned);
    assert_eq!(year("").as_deref(), Some("1y"));
    let said = "[store.retention_overrides.tables]\naudit_events = \"30d\"\nrequests = \"2d\"\n";
    assert_eq!(kept(said).len(), 2);
    assert_eq!(year(said).as_deref(), Some("30d"));
}

#[test]
fn the_default_file_can_be_read_and_changes_nothing() {
    let text = default_file();
    let settings = load_text(&text, &[]).expect("valid");
    let (read, default) =
        (toml::to_string(&settings).expect("TOML"), toml::to_string(&Settings::default()).expect("TOML"));
    assert_eq!(read, default);
}

#[test]
fn the_default_file_with_every_default_uncommented_changes_nothing() {
    let mut in_list = false;
    let lines: Vec<&str> = default_file()
        .leak()
        .lines()
        .filter_map(|line| {
            if line.starts_with('[') {
                in_list = false;
            } else if line.starts_with("#[[") {
                in_list = true;
            }
            let key = line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '[']));
            match key {
                Some(key) if !in_list && !key.ends_with('…') => Some(key),
                _ => line.starts_with('[').then_some(line),
            }
        })
        .collect();
    let settings = load_text(&lines.join("\n"), &[]).expect("valid");
    let (read, default) =
        (toml::to_string(&settings).expect("TOML"), toml::to_string(&Settings::default()).expect("TOML"));
    assert_eq!(read, default);
}

#[test]
fn the_page_of_the_documentation_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == reference_page(),
        "docs/configuration.md is not current: run `watchkeeper config reference > docs/configuration.md`"
    );
}

#[test]
fn the_configuration_for_those_who_come_from_prometheus_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/from-prometheus.md");
    let page = std::fs::read_to_string(path).expect("there is such a page");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let settings = load_text(example.expect("it has a configuration"), &[]).expect("valid");
    settings.check().expect("it works");
    assert_eq!(settings.alerts.rules, ["/etc/prometheus/rules/*.yml"]);
}

#[test]
fn the_configuration_of_the_page_on_redaction_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/redaction.md");
    let page = std::fs::read_to_string(path).expect("there is such a page");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    // The key is in a file that is not here.
    let example = example.expect("it has a configuration").lines().map(|line| match line {
        line if line.starts_with("hash_key_file") => "hash_key = \"0123456789abcdef\"",
        line => line,
    });
    let settings = load_text(&example.collect::<Vec<_>>().join("\n"), &[]).expect("valid");
    settings.check().expect("it works");
    assert_eq!(settings.ingest.redaction.rules.len(), 3);
}

#[test]
fn the_configuration_of_the_page_on_log_files_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/logs.md");
    let page = std::fs::read_to_string(path).expect("there is such a page");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let mut settings = load_text(example.expect("it has a configuration"), &[]).expect("valid");
    // A machine without zones knows UTC all the same.
    settings.logs[2].time_zone = Some("UTC".to_owned());
    settings.check().expect("it works");
    assert_eq!(settings.logs.len(), 3);
    let rules = page.split("```toml\n").nth(3).and_then(|rest| rest.split("```").next());
    let counting = load_text(rules.expect("it has rules"), &[]).expect("valid");
    counting.check().expect("they work");
    assert_eq!(counting.log_metrics.rules.len(), 2);
    settings.logs[1].paths = vec!["logs/*.log".to_owned()];
    let error = settings.check().expect_err("where does it start").to_string();
    assert!(error.contains("`logs[1]`: the path `logs/*.log` is not absolute"), "{error}");
}

#[test]
fn the_configuration_of_the_example_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/docpipe/watchkeeper.toml");
    let text = std::fs::read_to_string(path).expect("the example has a configuration");
    load_text(&text, &[]).expect("valid");
}
