use std::path::Path;

use serde_json::json;
use testkit::eventually;

use super::exporter::{Exporter, Reply};
use super::stage::{Stage, job};

fn write(path: &Path, text: &str) {
    // As a whole, as who writes such files does: a half is never seen.
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(&beside, path).unwrap();
}

#[tokio::test]
async fn targets_in_files_come_and_go_with_what_the_files_say() {
    let (first, second) = (Exporter::saying("a 1\n").await, Exporter::saying("a 2\n").await);
    let folder = tempfile::tempdir().unwrap();
    let (yaml, list) = (folder.path().join("one.yml"), folder.path().join("two.json"));
    write(&yaml, &format!("- targets: ['{}']\n  labels: {{ team: blue }}\n", first.address()));
    let more =
        json!({ "file_sd_configs": [{ "files": ["*.yml", "two.json"], "refresh_interval": "100ms" }] });
    std::fs::write(&list, "[]").unwrap();
    let stage = Stage::with(json!({}), &[job("j", &[], &more)], folder.path());
    let blue = format!("a{{instance=\"{}\", job=\"j\", team=\"blue\"}}", first.address());
    stage.last(&blue, |value| value == 1.0).await;
    let target = stage.target(&first.address(), |_| true).await;
    assert_eq!(target.discovered.get("__meta_filepath"), Some(yaml.display().to_string().as_str()));

    write(&list, &json!([{ "targets": [second.address()] }]).to_string());
    let plain = format!("a{{instance=\"{}\", job=\"j\"}}", second.address());
    stage.last(&plain, |value| value == 2.0).await;

    write(&yaml, "- targets: [1\n");
    let problem = eventually("the problem to be told", || async {
        Ok(stage.scrapes.jobs().into_iter().find_map(|job| job.problem))
    });
    let problem = problem.await.unwrap();
    assert!(problem.starts_with(&format!("{}:", yaml.display())), "{problem}");
    assert_eq!(stage.scrapes.targets().len(), 2, "what was found before stays");

    write(&yaml, "[]\n");
    stage.ended(&blue).await;
    stage.ended(&format!("up{{instance=\"{}\", job=\"j\", team=\"blue\"}}", first.address())).await;
    stage.last(&plain, |value| value == 2.0).await;
}

#[tokio::test]
async fn targets_that_a_server_lists_stay_while_it_does_not_answer() {
    let exporter = Exporter::saying("a 1\n").await;
    let list = json!([{ "targets": [exporter.address()], "labels": { "from": "list" } }]).to_string();
    exporter.reply("/list", Reply::of("application/json", list));
    let url = format!("http://{}/list", exporter.address());
    let more = json!({ "http_sd_configs": [{ "url": url, "refresh_interval": "100ms" }] });
    let stage = Stage::new(&[job("j", &[], &more)]);
    let series = format!("a{{from=\"list\", instance=\"{}\", job=\"j\"}}", exporter.address());
    stage.last(&series, |value| value == 1.0).await;
    assert!(exporter.asked().contains("x-prometheus-refresh-interval-seconds: 0.1"), "{}", exporter.asked());
    let problem = |wanted: &'static str| {
        let scrapes = &stage.scrapes;
        eventually("the problem to be told", move || async move {
            let told = scrapes.jobs().into_iter().find_map(|job| job.problem);
            Ok(told.filter(|told| told.contains(wanted)))
        })
    };
    for (reply, wanted) in [
        (Reply::status("500 Internal Server Error"), "it answers with status 500 (Internal Server Error)"),
        (Reply::of("text/plain", "[]"), "the answer is not of the type application/json"),
        (Reply::of("application/json", "{}"), "it is no list of groups of targets"),
    ] {
        exporter.reply("/list", reply);
        problem(wanted).await.unwrap();
        assert_eq!(stage.scrapes.targets().len(), 1, "{wanted}");
    }
    exporter.reply("/list", Reply::of("application/json", "[]"));
    stage.ended(&series).await;
}

#[tokio::test]
async fn a_file_of_prometheus_is_scraped_as_it_is_and_read_again_when_it_changes() {
    let exporter = Exporter::saying("a 1\n").await;
    let address = exporter.address();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prometheus.yml");
    let whole = |metric: &str| {
        format!(
            "global:\n  scrape_interval: 200ms\n  evaluation_interval: 15s\n  external_labels: {{ site: a }}\n\
             rule_files: [rules.yml]\nalerting:\n  alertmanagers:\n    - static_configs:\n        - targets: [b:9093]\n\
             scrape_config_files: ['more/*.yml']\n\
             scrape_configs:\n  - job_name: node\n    static_configs:\n      - targets: ['{address}']\n\
             \x20   metric_relabel_configs:\n      - source_labels: [__name__]\n        regex: {metric}\n        action: keep\n"
        )
    };
    write(&file, &whole("a"));
    std::fs::create_dir(folder.path().join("more")).unwrap();
    let more = folder.path().join("more/one.yml");
    let other =
        format!("scrape_configs:\n  - job_name: other\n    static_configs: [{{ targets: ['{address}'] }}]\n");
    write(&more, &other);
    let stage = Stage::with(json!({ "files": ["prometheus.yml"] }), &[], folder.path());
    let of = |name: &str, job: &str| format!("{name}{{instance=\"{address}\", job=\"{job}\"}}");
    stage.last(&of("a", "node"), |value| value == 1.0).await;
    stage.last(&of("a", "other"), |value| value == 1.0).await;
    assert_eq!(
        stage.scrapes.external_labels().into_iter().collect::<Vec<_>>(),
        [("site".into(), "a".into())]
    );

    write(&file, &whole("a").replace("action: keep", "action: keeep"));
    let error =
        eventually("the error to be told", || async { Ok(stage.scrapes.reload_error()) }).await.unwrap();
    assert!(error.starts_with(&format!("{}:18:17: ", file.display())), "{error}");
    assert!(error.contains("`keeep` is no action of relabelling"), "{error}");
    let count = stage.store.values(&of("a", "node")).len();
    eventually("scraping to go on", || async {
        Ok((stage.store.values(&of("a", "node")).len() > count).then_some(()))
    })
    .await
    .unwrap();

    exporter.say("a 1\nb 2\n");
    write(&file, &whole("b"));
    std::fs::remove_file(&more).unwrap();
    stage.last(&of("b", "node"), |value| value == 2.0).await;
    stage.ended(&of("a", "node")).await;
    stage.ended(&of("up", "other")).await;
    assert_eq!(stage.scrapes.reload_error(), None);
    assert!(stage.store.values(&of("up", "node")).iter().all(|up| *up == 1.0), "its target was never gone");
}

#[tokio::test]
async fn a_target_that_stays_is_asked_as_often_as_a_changed_file_says() {
    let exporter = Exporter::saying("a 1\n").await;
    let address = exporter.address();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prometheus.yml");
    let timed = |interval: &str, timeout: &str| {
        format!(
            "scrape_configs:\n  - job_name: node\n    scrape_interval: {interval}\n    scrape_timeout: {timeout}\n\
             \x20   static_configs: [{{ targets: ['{address}'] }}]\n"
        )
    };
    write(&file, &timed("24h", "1m"));
    let stage = Stage::with(json!({ "files": ["prometheus.yml"] }), &[], folder.path());
    stage.target(&address, |target| target.timeout.as_secs() == 60).await;
    write(&file, &timed("300ms", "200ms"));
    stage.last(&format!("a{{instance=\"{address}\", job=\"node\"}}"), |value| value == 1.0).await;
    let target = stage.target(&address, |_| true).await;
    assert_eq!((target.interval.as_millis(), target.timeout.as_millis()), (300, 200));
    let ups = stage.store.values(&format!("up{{instance=\"{address}\", job=\"node\"}}"));
    assert!(!ups.into_iter().any(model::is_stale), "the target was never gone");
}
