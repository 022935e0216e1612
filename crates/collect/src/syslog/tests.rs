//! Real sockets, and the real `logger`.

use std::sync::Arc;
use std::time::Duration;

use model::event::{Event, Flaw, Level, LogEvent};
use model::{ByteSize, DurationText};
use prometheus::Registry;
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::*;
use crate::runner::tests::{MemoryStore, ingest};

/// Receivers that run, on ports of their own.
struct Running {
    store: Arc<MemoryStore>,
    registry: Registry,
    udp: SocketAddr,
    tcp: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<Result<(), SyslogError>>,
}

impl Running {
    async fn with(change: impl FnOnce(&mut SyslogConfig)) -> Self {
        let free = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut config = SyslogConfig { udp: free, tcp: free, ..SyslogConfig::default() };
        change(&mut config);
        let syslog = Syslog::bind(&config).await.unwrap().unwrap();
        let (udp, tcp) = (syslog.udp_address().unwrap(), syslog.tcp_address().unwrap());
        let (store, registry) = (Arc::<MemoryStore>::default(), Registry::new());
        let stop = CancellationToken::new();
        let task = {
            let (ingest, registry, stop) = (ingest(&store), registry.clone(), stop.clone());
            tokio::spawn(async move { syslog.run(ingest, &registry, stop).await })
        };
        Self { store, registry, udp, tcp, stop, task }
    }

    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn send(&self, message: &[u8]) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(message, self.udp).await.unwrap();
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.tcp).await.unwrap()
    }

    fn logs(&self) -> Vec<LogEvent> {
        let batches = self.store.event_batches();
        let events =
            batches.iter().flat_map(|batch| store::events_from_batch(batch.table, &batch.rows).unwrap());
        events
            .map(
                |event| {
                    if let Event::Log(log) = event { *log } else { panic!("no record of a log: {event:?}") }
                },
            )
            .collect()
    }

    fn messages(&self) -> Vec<String> {
        self.logs().into_iter().filter_map(|log| log.message).collect()
    }

    /// Waits until so many messages are stored.
    async fn stored(&self, count: usize) -> Vec<LogEvent> {
        let found = eventually("messages to be stored", || async {
            let logs = self.logs();
            // More than were sent is never right.
            assert!(logs.len() <= count, "{logs:?}");
            Ok((logs.len() == count).then_some(logs))
        });
        found.await.unwrap()
    }

    /// The sum of a counter over those of its series that have all of these values of labels.
    fn count(&self, name: &str, values: &[&str]) -> f64 {
        let families = self.registry.gather();
        let series = families
            .iter()
            .filter(|family| family.name() == name)
            .flat_map(prometheus::proto::MetricFamily::get_metric);
        series
            .filter(|metric| {
                values.iter().all(|value| metric.get_label().iter().any(|label| label.value() == *value))
            })
            .map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value())
            .sum()
    }

    /// Waits until a counter has a value.
    async fn counted(&self, name: &str, values: &[&str], at_least: f64) {
        let counted = eventually(name, || async { Ok((self.count(name, values) >= at_least).then_some(())) });
        counted.await.unwrap();
    }

    async fn stop(self) -> Arc<MemoryStore> {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
        self.store
    }
}

#[tokio::test]
async fn nothing_is_listened_for_unless_an_address_is_set_and_a_taken_one_is_told() {
    assert!(Syslog::bind(&SyslogConfig::default()).await.unwrap().is_none());
    let running = Running::start().await;
    let taken = SyslogConfig { tcp: Some(running.tcp), ..SyslogConfig::default() };
    let error = Syslog::bind(&taken).await.unwrap_err().to_string();
    assert_eq!(error, format!("cannot listen for syslog on {} over tcp", running.tcp));
}

#[tokio::test]
async fn what_logger_sends_is_stored_in_every_form() {
    let running = Running::start().await;
    let forms: [&[&str]; 6] = [
        &["--udp", "--rfc3164"],
        &["--udp", "--rfc5424"],
        &["--tcp", "--rfc3164"],
        &["--tcp", "--rfc5424"],
        &["--tcp", "--rfc5424", "--octet-count"],
        &["--udp", "--rfc5424=notime,notq,nohost"],
    ];
    for form in forms {
        let port = if form.contains(&"--udp") { running.udp.port() } else { running.tcp.port() };
        let sent = Command::new("logger")
            .args(["--server", "127.0.0.1", "--port", &port.to_string(), "--tag", "nightly", "--id=4711"])
            .args(["--priority", "local3.err"])
            .args(form)
            .arg("--")
            .arg(form.join(" "))
            .status()
            .await
            .expect("logger: apt-get install bsdutils");
        assert!(sent.success(), "{form:?}");
    }
    let logs = running.stored(forms.len()).await;
    for form in forms {
        let text = form.join(" ");
        let found = logs.iter().find(|log| log.message.as_deref() == Some(&text));
        let log = found.unwrap_or_else(|| panic!("{text} is not among {logs:?}"));
        assert_eq!((log.origin.service.as_deref(), log.origin.pid), (Some("nightly"), Some(4711)), "{text}");
        assert_eq!((log.level, log.severity_text.as_deref()), (Some(Level::Error), Some("err")), "{text}");
        assert_eq!(log.attributes["syslog.facility"], "local3", "{text}");
        assert!(log.origin.host.is_some(), "{text}");
        // Times of old have no zone: where this host's clock is not on universal time, they may be too far ahead.
        if text.contains("5424") {
            assert_eq!(log.flaws.contains(Flaw::NoTime), text.contains("notime"), "{text}");
        }
        assert!(!log.flaws.contains(Flaw::Format), "{text}");
    }
    assert_eq!(running.count("watchkeeper_syslog_messages_total", &["udp"]), 3.0);
    assert_eq!(running.count("watchkeeper_syslog_messages_total", &["tcp"]), 3.0);
}

#[tokio::test]
async fn both_framings_may_stand_in_one_connection_and_secrets_are_redacted() {
    let running = Running::start().await;
    let mut stream = running.connect().await;
    stream.write_all(b"<13>a[1]: one\n14 <13>b[2]: t").await.unwrap();
    stream.write_all(b"\nwo<13>c[3]: password=hunter2secret\nno syslog\n").await.unwrap();
    // The last line has no end but that of the connection.
    stream.write_all(b"<13>d[4]: four").await.unwrap();
    stream.shutdown().await.unwrap();
    running.send(b"<13>e[5]: five\n").await;
    let logs = running.stored(6).await;
    let by = |app: &str| {
        let found = logs.iter().find(|log| log.origin.service.as_deref() == Some(app));
        found.and_then(|log| log.message.clone()).unwrap_or_default()
    };
    assert_eq!([by("a"), by("b"), by("d"), by("e")], ["one", "t\nwo", "four", "five"]);
    assert!(by("c").starts_with("password=") && !by("c").contains("hunter2"), "{}", by("c"));
    let plain = logs.iter().find(|log| log.flaws.contains(Flaw::Format)).unwrap();
    assert_eq!(
        (plain.message.as_deref(), plain.origin.host.as_deref()),
        (Some("no syslog"), Some("127.0.0.1"))
    );
    assert_eq!(running.count("watchkeeper_syslog_malformed_total", &["tcp"]), 1.0);
    assert_eq!(running.count("watchkeeper_syslog_bytes_total", &["udp"]), 15.0);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_cut_and_the_next_one_is_whole() {
    let running = Running::start().await;
    let mut stream = running.connect().await;
    let long = "x".repeat(300 << 10);
    stream
        .write_all(format!("<13>a: {long}\n{} <13>b: {long}<13>c: next\n", long.len() + 7).as_bytes())
        .await
        .unwrap();
    let logs = running.stored(3).await;
    let cut: Vec<&LogEvent> = logs.iter().filter(|log| log.flaws.contains(Flaw::Text)).collect();
    assert_eq!((cut.len(), running.count("watchkeeper_syslog_cut_total", &["tcp"])), (2, 2.0));
    assert!(running.messages().contains(&"next".to_owned()));
}

#[tokio::test]
async fn a_connection_too_many_is_closed_and_counted_and_a_silent_one_is_closed_after_a_while() {
    let running = Running::with(|config| config.max_connections = 1).await;
    let mut first = running.connect().await;
    running.counted("watchkeeper_syslog_connections", &[], 1.0).await;
    let mut second = running.connect().await;
    assert_eq!(second.read(&mut [0; 8]).await.unwrap_or(0), 0, "closed");
    assert_eq!(running.count("watchkeeper_syslog_connections_refused_total", &[]), 1.0);
    first.write_all(b"<13>a: still taken\n").await.unwrap();
    assert_eq!(running.stored(1).await[0].message.as_deref(), Some("still taken"));

    let running = Running::with(|config| config.idle_timeout = DurationText(Duration::from_millis(50))).await;
    let mut silent = running.connect().await;
    assert_eq!(silent.read(&mut [0; 8]).await.unwrap_or(0), 0, "closed");
}

#[tokio::test]
async fn while_nothing_can_be_stored_udp_drops_with_a_count_and_tcp_waits() {
    let running = Running::with(|config| config.max_queue = ByteSize(4096)).await;
    running.store.refuse(true);
    let mut stream = running.connect().await;
    for n in 0..100 {
        stream.write_all(format!("<13>tcp: {n}\n").as_bytes()).await.unwrap();
    }
    // Some fifteen find room, and there may be more on the way.
    let dropped = eventually("messages to be dropped", || async {
        running.send(b"<13>udp: x").await;
        let dropped = running.count("watchkeeper_syslog_dropped_total", &["udp", "queue_full"]);
        Ok((dropped >= 10.0).then_some(()))
    });
    dropped.await.unwrap();
    running.store.refuse(false);
    let all: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let found = eventually("all messages over TCP", || async {
        let logs = running.logs();
        let over_tcp = logs.into_iter().filter(|log| log.origin.service.as_deref() == Some("tcp"));
        let over_tcp: Vec<String> = over_tcp.filter_map(|log| log.message).collect();
        Ok((over_tcp.len() >= 100).then_some(over_tcp))
    });
    assert_eq!(found.await.unwrap(), all, "all of them, once, in their order");
    assert_eq!(running.count("watchkeeper_syslog_dropped_total", &["tcp"]), 0.0);
}

#[tokio::test]
async fn what_was_taken_is_stored_at_a_stop_and_what_cannot_be_is_counted() {
    let running = Running::start().await;
    let mut stream = running.connect().await;
    stream.write_all(b"<13>a: one\n<13>a: two\n").await.unwrap();
    running.counted("watchkeeper_syslog_messages_total", &["tcp"], 2.0).await;
    let store = running.stop().await;
    assert_eq!(store.event_batches().iter().map(|batch| batch.rows.num_rows()).sum::<usize>(), 2);

    let running = Running::start().await;
    running.store.refuse(true);
    running.send(b"<13>a: lost").await;
    running.counted("watchkeeper_syslog_messages_total", &["udp"], 1.0).await;
    let registry = running.registry.clone();
    running.stop().await;
    let families = registry.gather();
    let dropped = families.iter().find(|family| family.name() == "watchkeeper_syslog_dropped_total");
    let lost: f64 = dropped.unwrap().get_metric().iter().map(|metric| metric.get_counter().get_value()).sum();
    assert_eq!(lost, 1.0);
}
