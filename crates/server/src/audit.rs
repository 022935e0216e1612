//! The audit log as a file that is sent while it is made, and its verification, which is carried to its end also when
//! nobody waits for it.

use std::error::Error;
use std::io;

use axum::body::{Body, Bytes};
use futures::stream::{self, StreamExt as _};
use serde::Serialize;
use state::{AuditExport, AuditHash, AuditVerdict, Outcome, StateError};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access::Caller;
use crate::access::record::Action;
use crate::chunks::{self, Chunks};
use crate::context::Shared;
use crate::export::Place;
use crate::problem::{Kind, Problem};
use crate::wire;

/// The body of an export. What fails breaks it off.
pub(crate) fn body(app: &Shared, place: Place, export: AuditExport) -> Body {
    let (chunks, body) = chunks::body(app.live.stop().clone(), None);
    let client = chunks.client();
    tokio::task::spawn_blocking(move || {
        let written = write(&place, export, chunks);
        place.count_end(written.as_ref().err().map(|error| error as &(dyn Error + 'static)), &client);
        // The body ends with the last of those who could send: by then the place is free.
        drop(place);
        drop(client);
    });
    body
}

fn write(place: &Place, mut export: AuditExport, mut chunks: Chunks) -> Result<(), BrokenOff> {
    let runtime = Handle::current();
    while let Some(part) = runtime.block_on(export.next_part())? {
        chunks.put(part)?;
    }
    place.count_rows(export.entries());
    Ok(chunks.finish()?)
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("the audit log could not be read")]
    Read(#[from] StateError),
    #[error("the file could not be sent")]
    Send(#[from] io::Error),
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Progress {
    /// Entries that were looked at.
    checked: u64,
    /// Entries that there are.
    entries: u64,
}

/// Verifies the log for `caller`, and writes into it that this was done.
pub(crate) async fn verify(
    app: Shared,
    caller: Caller,
    expected: Option<AuditHash>,
    place: Place,
    progress: watch::Sender<Progress>,
) -> Result<AuditVerdict, Problem> {
    let mut verification = app.context.state.audit().verification(expected).await?;
    while verification.go_on().await? {
        if app.is_stopping() {
            return Err(Problem::new(
                Kind::Unavailable,
                "The server is stopping; verify the log again later.",
            ));
        }
        progress.send_replace(Progress { checked: verification.checked(), entries: verification.total() });
    }
    let verdict = verification.finish();
    drop(place);
    if let Some(flaw) = &verdict.flaw {
        tracing::error!(seq = flaw.seq, fault = flaw.fault.as_str(), %flaw, "the audit log is broken");
    }
    let outcome = if verdict.is_intact() { Outcome::Ok } else { Outcome::Failed };
    let action = Action { name: "audit.verify", target: None, detail: verdict.to_json() };
    if let Err(problem) = app.record(&caller, action, outcome).await {
        // A log that cannot be written to is what was looked for: the verdict is told all the same.
        tracing::error!(?problem, "a verification could not be written into the audit log");
    }
    Ok(verdict)
}

/// A verification as lines of JSON: how far it is, again and again, and in the end the verdict.
pub(crate) fn told(
    progress: watch::Receiver<Progress>,
    verification: JoinHandle<Result<AuditVerdict, Problem>>,
) -> Body {
    let lines = stream::unfold(Some((progress, verification)), |running| async move {
        let (mut progress, verification) = running?;
        if progress.changed().await.is_ok() {
            let reached = *progress.borrow_and_update();
            return Some((line(&reached), Some((progress, verification))));
        }
        // Nobody is there any more who could tell how far it is.
        let last = match verification.await {
            Ok(Ok(verdict)) => line(&wire::audit::AuditVerdict::from(verdict)),
            Ok(Err(problem)) => Err(io::Error::other(problem.detail().to_owned())),
            Err(error) => Err(io::Error::other(error)),
        };
        Some((last, None))
    });
    // Whoever packs it asks once more after its end.
    Body::from_stream(lines.fuse())
}

fn line(value: &impl Serialize) -> io::Result<Bytes> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    Ok(text.into())
}
