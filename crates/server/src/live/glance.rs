//! Looking at everything once.

use model::Timestamp;
use pipeline::{Page, WorkerFilter};
use state::AlertState;

use crate::context::Shared;
use crate::problem::Problem;
use crate::wire::overview::{AlertsNow, Overview, QueuesNow, StagesNow, WorkersNow};

/// The most queues, workers and stages that are shown, each.
const MAX_ITEMS: usize = 50;
/// The most hosts that are shown.
const MAX_HOSTS: usize = 20;
/// The most alerts that are counted.
const MAX_ALERTS: u64 = 1_000;

/// The pipeline now.
pub(crate) async fn overview(app: &Shared) -> Result<Overview, Problem> {
    let alerts = alerts(app).await?;
    let live = &app.context.pipeline;
    let all = Page { offset: 0, limit: usize::MAX };
    let queues = live.queues().list(all);
    let stages = live.stages(MAX_ITEMS);
    let workers = live.workers().list(&WorkerFilter::default(), all).items;
    let bottleneck = pipeline::Bottleneck::find(&queues.items, &stages.items, &workers);
    let statuses = app.context.collectors.status();
    let down = statuses.into_iter().filter(|status| !status.up && !status.absent && status.runs > 0);
    Ok(Overview {
        version: app.context.version,
        time: Timestamp::now(),
        jobs: live.jobs().counts().into(),
        queues: QueuesNow {
            total: queues.total,
            items: queues.items.into_iter().take(MAX_ITEMS).map(Into::into).collect(),
        },
        workers: WorkersNow::of(workers, MAX_ITEMS),
        stages: StagesNow { total: stages.total, items: stages.items.into_iter().map(Into::into).collect() },
        bottleneck: bottleneck.map(Into::into),
        hosts: live
            .hosts()
            .list(Page { offset: 0, limit: MAX_HOSTS })
            .items
            .into_iter()
            .map(Into::into)
            .collect(),
        alerts,
        collectors_down: down
            .take(MAX_ITEMS)
            .map(|status| format!("{} {}", status.name, status.target).trim().to_owned())
            .collect(),
    })
}

async fn alerts(app: &Shared) -> Result<AlertsNow, Problem> {
    let any = state::AlertFilter::default();
    let live = state::AlertFilter {
        states: vec![AlertState::Pending, AlertState::Firing, AlertState::Acknowledged],
        ..state::AlertFilter::default()
    };
    let (last, _) = app.context.alerts.list(&any, state::Page { offset: 0, limit: 1 }).await?;
    let (live, _) = app.context.alerts.list(&live, state::Page { offset: 0, limit: MAX_ALERTS }).await?;
    let mut now =
        AlertsNow { changed_at: last.first().map(|alert| alert.updated_at), ..AlertsNow::default() };
    for alert in live {
        let counter = match (alert.state, alert.severity.as_str()) {
            (AlertState::Pending, _) => &mut now.pending,
            (AlertState::Acknowledged, _) => &mut now.acknowledged,
            (_, "critical") => &mut now.critical,
            (_, "error") => &mut now.error,
            (_, "warning") => &mut now.warning,
            _ => &mut now.info,
        };
        *counter += 1;
    }
    Ok(now)
}
