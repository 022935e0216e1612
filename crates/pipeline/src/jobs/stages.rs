//! The stages of one job: a set of marks, as for the job's life, paired into runs when asked.

use model::Timestamp;
use model::event::{StageAction, StageEvent, StageStatus};

use super::{JobError, StageSnapshot};

/// The most marks of one job's stages; beyond it the oldest is forgotten.
const MAX_MARKS: usize = 256;

/// What was said of a stage at one moment.
#[derive(Clone, Debug, PartialEq)]
struct StageMark {
    time: Timestamp,
    action: StageAction,
    stage: Box<str>,
    retry_count: Option<u64>,
    component: Option<Box<str>>,
    worker_id: Option<Box<str>>,
    status: Option<StageStatus>,
    duration_seconds: Option<f64>,
    expected_max_seconds: Option<f64>,
    rss: Option<u64>,
    vms: Option<u64>,
    memory_percent: Option<f64>,
    peak: Option<u64>,
    delta: Option<i64>,
    gpu_memory: Option<u64>,
    cpu_seconds: Option<f64>,
    gpu_seconds: Option<f64>,
    items: Option<u64>,
    error: Option<Box<JobError>>,
    /// Whether derived metrics were told that the stage ended here, and how long it took.
    told: (bool, bool),
}

impl StageMark {
    fn key(&self) -> (Timestamp, StageAction, &str, Option<u64>) {
        (self.time, self.action, &self.stage, self.retry_count)
    }

    fn new(event: &StageEvent) -> Self {
        let failed = event.error_type.is_some() || event.error_message.is_some();
        let error = failed.then(|| {
            Box::new(JobError {
                error_type: event.error_type.clone(),
                message: event.error_message.clone(),
                timed_out: false,
            })
        });
        Self {
            time: event.time,
            action: event.action,
            stage: event.stage.as_str().into(),
            retry_count: event.retry_count,
            component: event.component.as_deref().map(Into::into),
            worker_id: event.worker_id.as_deref().map(Into::into),
            status: event.status,
            duration_seconds: event.duration_seconds,
            expected_max_seconds: event.expected_max_seconds,
            rss: event.memory_rss_bytes,
            vms: event.memory_vms_bytes,
            memory_percent: event.memory_percent,
            peak: event.memory_peak_bytes,
            delta: event.memory_delta_bytes,
            gpu_memory: event.gpu_memory_bytes,
            cpu_seconds: event.cpu_seconds,
            gpu_seconds: event.gpu_seconds,
            items: event.items,
            error,
            told: (false, false),
        }
    }
}

/// What was said of a job's stages.
#[derive(Clone, Debug, Default)]
pub(super) struct StageLog {
    marks: Vec<StageMark>,
}

/// One run of a stage: the marks that began and ended it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    start: Option<&'a StageMark>,
    end: Option<&'a StageMark>,
    /// The ending mark's place.
    end_place: Option<usize>,
    /// Whether the same stage began again before this run ended.
    superseded: bool,
}

/// What has become known of a stage that ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StageMeasure {
    pub(super) stage: String,
    /// How it ended, when that was not known before.
    pub(super) ended: Option<StageStatus>,
    /// How long it took, in seconds, when it ended well and that was not known before.
    pub(super) seconds: Option<f64>,
    /// Resident memory, the peak, and the end less the start, in bytes.
    pub(super) memory: (Option<u64>, Option<u64>, Option<i64>),
}

impl StageLog {
    /// Takes note of an event; whether it says something new.
    pub(super) fn note(&mut self, event: &StageEvent) -> bool {
        let mark = StageMark::new(event);
        match self.marks.binary_search_by(|held| held.key().cmp(&mark.key())) {
            Ok(_) => false,
            Err(place) => {
                self.marks.insert(place, mark);
                if self.marks.len() > MAX_MARKS {
                    self.marks.remove(0);
                }
                true
            }
        }
    }

    /// The runs, in the order in which they began.
    pub(super) fn runs(&self) -> Vec<Run<'_>> {
        let mut runs: Vec<Run<'_>> = Vec::new();
        for (place, mark) in self.marks.iter().enumerate() {
            let same = |run: &&mut Run<'_>| {
                run.end.is_none()
                    && !run.superseded
                    && run.start.is_some_and(|start| start.stage == mark.stage)
            };
            let open = runs.iter_mut().rev().find(same);
            match (mark.action, open) {
                (StageAction::Finished, Some(run)) => {
                    run.end = Some(mark);
                    run.end_place = Some(place);
                }
                (StageAction::Finished, None) => {
                    runs.push(Run {
                        start: None,
                        end: Some(mark),
                        end_place: Some(place),
                        superseded: false,
                    });
                }
                (StageAction::Started, open) => {
                    if let Some(run) = open {
                        run.superseded = true;
                    }
                    runs.push(Run { start: Some(mark), end: None, end_place: None, superseded: false });
                }
            }
        }
        runs.sort_by_key(|run| run.started_at().unwrap_or(run.mark().time));
        runs
    }

    /// What has become known of ended stages since this was asked last.
    pub(super) fn measure(&mut self) -> Vec<StageMeasure> {
        let mut known: Vec<(usize, StageMeasure)> = Vec::new();
        for run in self.runs() {
            let (Some(end), Some(place)) = (run.end, run.end_place) else { continue };
            let status = end.status.unwrap_or(StageStatus::Completed);
            let (ended, took) = end.told;
            let well = matches!(status, StageStatus::Completed | StageStatus::CompletedEmpty);
            let ended = (!ended).then_some(status);
            let seconds = run.seconds().filter(|_| well && !took);
            // Of all runs but the last nearly always all is known.
            if ended.is_some() || seconds.is_some() {
                let (stage, memory) = (end.stage.to_string(), run.memory());
                known.push((place, StageMeasure { stage, ended, seconds, memory }));
            }
        }
        for (place, measure) in &known {
            let told = &mut self.marks[*place].told;
            *told = (true, told.1 || measure.seconds.is_some());
        }
        known.into_iter().map(|(_, measure)| measure).collect()
    }
}

impl<'a> Run<'a> {
    fn mark(&self) -> &'a StageMark {
        self.end.or(self.start).expect("a run is made of at least one mark")
    }

    pub(super) fn stage(&self) -> &'a str {
        &self.mark().stage
    }

    pub(super) fn started_at(&self) -> Option<Timestamp> {
        let implied = || {
            let end = self.end?;
            let seconds = end.duration_seconds?;
            Some(end.time.before(std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default()))
        };
        self.start.map(|start| start.time).or_else(implied)
    }

    /// How long it took, in seconds.
    fn seconds(&self) -> Option<f64> {
        let end = self.end?;
        end.duration_seconds.or_else(|| Some(end.time.since(self.start?.time).as_secs_f64()))
    }

    /// Whether it runs, in an attempt that began at `attempt_start` and runs.
    pub(super) fn is_running(&self, attempt_start: Option<Timestamp>) -> bool {
        let within = |start: &StageMark| attempt_start.is_none_or(|attempt| start.time >= attempt);
        self.end.is_none() && !self.superseded && self.start.is_some_and(within)
    }

    /// How long it may take, in seconds, as its beginning said.
    pub(super) fn expected_max_seconds(&self) -> Option<f64> {
        self.start.and_then(|start| start.expected_max_seconds)
    }

    fn delta(&self) -> Option<i64> {
        let signed = |mark: Option<&StageMark>| i64::try_from(mark?.rss?).ok();
        self.end.and_then(|end| end.delta).or_else(|| Some(signed(self.end)? - signed(self.start)?))
    }

    /// Resident memory at its end or else its start, the peak, and the difference, in bytes.
    pub(super) fn memory(&self) -> (Option<u64>, Option<u64>, Option<i64>) {
        let newest = |field: fn(&StageMark) -> Option<u64>| {
            self.end.and_then(field).or_else(|| self.start.and_then(field))
        };
        let highest = [self.start, self.end].into_iter().flatten().flat_map(|mark| [mark.rss, mark.peak]);
        (newest(|mark| mark.rss), highest.max().flatten(), self.delta())
    }

    pub(super) fn snapshot(&self, now: Timestamp, running: bool) -> StageSnapshot {
        fn text(text: Option<&str>) -> Option<String> {
            text.map(str::to_owned)
        }
        let (start, end) = (self.start, self.end);
        let started_at = self.started_at();
        let so_far = || started_at.filter(|_| running).map(|started| now.since(started).as_secs_f64());
        let (_, peak, delta) = self.memory();
        let either =
            |mark: fn(&StageMark) -> Option<u64>| end.and_then(mark).or_else(|| start.and_then(mark));
        let named = |mark: fn(&StageMark) -> Option<&str>| {
            let end: Option<&'a StageMark> = end;
            text(end.and_then(mark).or_else(|| start.and_then(mark)))
        };
        StageSnapshot {
            stage: self.stage().to_owned(),
            attempt: either(|mark| mark.retry_count),
            component: named(|mark| mark.component.as_deref()),
            worker_id: named(|mark| mark.worker_id.as_deref()),
            started_at,
            ended_at: end.map(|end| end.time),
            duration_seconds: self.seconds().or_else(so_far),
            running,
            status: end.map(|end| end.status.unwrap_or(StageStatus::Completed)),
            memory_rss_start_bytes: start.and_then(|start| start.rss),
            memory_rss_end_bytes: end.and_then(|end| end.rss),
            memory_vms_bytes: either(|mark| mark.vms),
            memory_percent: end
                .and_then(|end| end.memory_percent)
                .or_else(|| start.and_then(|start| start.memory_percent)),
            memory_peak_bytes: peak,
            memory_delta_bytes: delta,
            gpu_memory_bytes: either(|mark| mark.gpu_memory),
            cpu_seconds: end.and_then(|end| end.cpu_seconds),
            gpu_seconds: end.and_then(|end| end.gpu_seconds),
            items: end.and_then(|end| end.items),
            error: end.and_then(|end| end.error.as_deref().cloned()),
        }
    }
}
