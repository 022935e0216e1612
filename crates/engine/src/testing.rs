//! Rows for tests.

use std::sync::Arc;

use arrow::array::RecordBatch;
use model::Timestamp;
use model::event::{Attributes, DeployEvent, LogEvent, Origin};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use prometheus::Registry;
use store::{Batch, EventBatch, Row, Table, TelemetryStore};

use crate::catalog::Part;
use crate::events::footer::footer;
use crate::files::StoredFile;
use crate::{Config, Engine};

/// A store that keeps whatever it is given, however old.
pub(crate) struct Stored {
    pub(crate) engine: Arc<Engine>,
    runtime: tokio::runtime::Runtime,
    _dir: tempfile::TempDir,
}

impl Stored {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let none = model::ByteSize(0);
        let retention = model::DurationText(std::time::Duration::from_secs(100 * 365 * 86_400));
        let config =
            Config { disk_reserve_bytes: none, retention_free_bytes: none, retention, ..Config::default() };
        let engine = Engine::open(dir.path(), config, &Registry::new()).expect("opens");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { engine, runtime, _dir: dir }
    }

    pub(crate) fn append(&self, table: Table, rows: RecordBatch) {
        let events = vec![EventBatch { table, rows }];
        self.runtime.block_on(self.engine.append(Batch { events, ..Batch::default() })).expect("appended");
    }

    /// Makes a file of rows.
    pub(crate) fn write(&self, table: Table, rows: RecordBatch) {
        self.append(table, rows);
        self.engine.checkpoint().expect("written");
    }

    pub(crate) fn files(&self) -> Vec<Arc<StoredFile>> {
        self.engine.core().view().files.to_vec()
    }

    /// What the files say of themselves.
    pub(crate) fn footers(&self) -> Vec<ArrowReaderMetadata> {
        let of_file = |file: &Arc<StoredFile>| {
            let input = file.open(Part::Rows).expect("opened");
            footer(file, &input, &self.engine.core().footers).expect("a footer")
        };
        self.files().iter().map(of_file).collect()
    }
}

/// A row of the table of deploys; the time is in its id too.
pub(crate) fn deploy(time_ms: i64, service: &str) -> DeployEvent {
    DeployEvent {
        time: Timestamp::from_millis(time_ms),
        event_id: format!("e{time_ms}"),
        service: service.to_owned(),
        version: "1".into(),
        environment: (time_ms % 2 == 0).then(|| "production".to_owned()),
        description: None,
        url: None,
        attributes: Attributes::new(),
    }
}

/// Rows of the table of deploys at these times, in milliseconds.
pub(crate) fn deploys(times_ms: &[i64]) -> RecordBatch {
    let rows: Vec<DeployEvent> =
        times_ms.iter().map(|time| deploy(*time, &format!("service-{}", time.rem_euclid(3)))).collect();
    let rows = DeployEvent::to_batch(&rows).expect("rows of one table");
    store::conform(&rows, &store::schema(Table::Deploys)).expect("columns of the table")
}

/// Records of logs with these ids of a trace and a span, a millisecond apart from `first_ms` on.
pub(crate) fn logs(first_ms: i64, ids: &[(Option<&str>, Option<&str>)]) -> RecordBatch {
    let origin = Arc::new(Origin::default());
    let rows: Vec<LogEvent> = (first_ms..)
        .zip(ids)
        .map(|(time, (trace_id, span_id))| LogEvent {
            trace_id: trace_id.map(str::to_owned),
            span_id: span_id.map(str::to_owned),
            ..LogEvent::new(Timestamp::from_millis(time), Arc::clone(&origin))
        })
        .collect();
    LogEvent::to_batch(&rows).expect("rows of one table")
}
