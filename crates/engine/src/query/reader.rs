//! Reading rows of a table from one view of the store: files and memory, source by source.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use model::TimeRange;
use store::{Order, QueryError, Table};

use crate::catalog::FileKind;
use crate::core::{Core, View};
use crate::events::conform;
use crate::events::lifted::Lifted;
use crate::events::read::{FileScan, Share, Step, Wanted};
use crate::files::StoredFile;
use crate::head::events::Part;
use crate::query::without_damaged;

/// Rows come from a file or from memory.
enum Source {
    File(Arc<StoredFile>),
    Memory(Part),
}

impl Source {
    fn range(&self) -> TimeRange {
        match self {
            Self::File(file) => file.entry.range,
            Self::Memory(part) => part.range,
        }
    }
}

/// Rows of one source. Sources are numbered in the order in which their rows came, and rows in a source
/// too.
pub(crate) struct Rows {
    pub(crate) rows: RecordBatch,
    pub(crate) source: usize,
    pub(crate) first_row: u64,
}

/// The file that is being read.
struct OpenFile {
    file: Arc<StoredFile>,
    source: usize,
    scan: FileScan,
}

/// Reads the wanted rows of all sources, step by step: a step reads about a row group at most, so that
/// whoever drives several readers can give each its turn.
pub(crate) struct Reader {
    core: Arc<Core>,
    wanted: Arc<Wanted>,
    share: Share,
    /// What is still to be read, in the order of the query.
    sources: VecDeque<(usize, Source)>,
    open: Option<OpenFile>,
}

impl Reader {
    pub(crate) fn new(
        core: &Arc<Core>,
        view: &View,
        table: Table,
        wanted: &Arc<Wanted>,
        share: Share,
    ) -> Self {
        let mut sources: VecDeque<_> = in_order(view, table, wanted).into();
        sources.retain(|(place, source)| matches!(source, Source::File(_)) || share.has(*place));
        Self { core: Arc::clone(core), wanted: Arc::clone(wanted), share, sources, open: None }
    }

    /// Reads on, where times are in `range`.
    pub(crate) fn step(&mut self, range: TimeRange) -> Result<Step<Rows>, QueryError> {
        let step = self.step_on(range)?;
        if let Step::Rows(rows) = &step {
            self.wanted.tally.rows.fetch_add(rows.rows.num_rows() as u64, Ordering::Relaxed);
        }
        Ok(step)
    }

    fn step_on(&mut self, range: TimeRange) -> Result<Step<Rows>, QueryError> {
        if let Some(OpenFile { file, source, scan }) = &mut self.open {
            match without_damaged(&self.core, file, scan.step(range))? {
                Some(Step::Rows((rows, first_row))) => {
                    return Ok(Step::Rows(Rows { rows, source: *source, first_row }));
                }
                Some(Step::Nothing) => return Ok(Step::Nothing),
                Some(Step::End) | None => self.open = None,
            }
        }
        let Some((place, source)) = self.sources.pop_front() else { return Ok(Step::End) };
        if !source.range().overlaps(&range) {
            return Ok(Step::Nothing);
        }
        match source {
            Source::File(file) => {
                let opened = FileScan::open(&self.core, &file, &self.wanted, self.share);
                if let Some(scan) = without_damaged(&self.core, &file, opened)? {
                    self.open = Some(OpenFile { file, source: place, scan });
                }
                Ok(Step::Nothing)
            }
            Source::Memory(part) => {
                if !part.may_satisfy(self.wanted.filter.parts()) {
                    return Ok(Step::Nothing);
                }
                let rows = self.filter(&part.rows, range).map_err(in_memory)?;
                Ok(match rows {
                    Some(rows) => Step::Rows(Rows { rows, source: place, first_row: 0 }),
                    None => Step::Nothing,
                })
            }
        }
    }

    /// The rows that are wanted; `None` when none is.
    fn filter(&self, rows: &RecordBatch, range: TimeRange) -> Result<Option<RecordBatch>, ArrowError> {
        let mask = self.wanted.filter.mask(rows, range)?;
        if mask.true_count() == 0 {
            return Ok(None);
        }
        let Wanted { schema, values, .. } = &*self.wanted;
        if values.is_empty() {
            return filter_record_batch(&conform(rows.clone(), schema)?, &mask).map(Some);
        }
        let fields = rows.schema_ref().fields().iter().enumerate();
        let is_needed =
            |name: &str| schema.index_of(name).is_ok() || values.iter().any(|value| value.map == name);
        let needed: Vec<usize> =
            fields.filter(|(_, field)| is_needed(field.name())).map(|(place, _)| place).collect();
        let rows = filter_record_batch(&rows.project(&needed)?, &mask)?;
        self.wanted.answer(rows, &Lifted::default()).map(Some)
    }
}

fn in_memory(error: ArrowError) -> QueryError {
    QueryError::Storage { doing: "filtering rows in memory".to_owned(), source: Box::new(error) }
}

/// Whether a table may have rows in a range at all.
pub(crate) fn may_have_rows(view: &View, table: Table, range: TimeRange) -> bool {
    let of_files = |file: &Arc<StoredFile>| {
        file.entry.kind == FileKind::Events(table) && file.entry.range.overlaps(&range)
    };
    let of_memory = |part: Part| part.range.overlaps(&range);
    let mut heads = view.frozen.iter().chain([&view.head]);
    view.files.iter().any(of_files) || heads.any(|head| head.events.parts(table).into_iter().any(of_memory))
}

/// The sources, each with its place in the order in which rows came; those first that the query wants
/// first, so that it has soon what it needs.
fn in_order(view: &View, table: Table, wanted: &Wanted) -> Vec<(usize, Source)> {
    let of_table = |file: &&Arc<StoredFile>| file.entry.kind == FileKind::Events(table);
    let files = view.files.iter().filter(of_table).map(|file| Source::File(Arc::clone(file)));
    let heads = view.frozen.iter().chain([&view.head]);
    let memory = heads.flat_map(|head| head.events.parts(table)).map(Source::Memory);
    let overlaps = |(_, source): &(usize, Source)| source.range().overlaps(&wanted.range);
    let mut sources: Vec<(usize, Source)> = files.chain(memory).enumerate().filter(overlaps).collect();
    match wanted.order {
        Order::OldestFirst => sources.sort_by_key(|(_, source)| source.range().start),
        Order::NewestFirst => sources.sort_by_key(|(_, source)| std::cmp::Reverse(source.range().end)),
    }
    sources
}
