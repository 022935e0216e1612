//! Waiting for a condition, never for a time.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until `look` gives something, for a minute at the most.
pub async fn eventually<T, F: Future<Output = Result<Option<T>>>>(
    what: &str,
    look: impl FnMut() -> F,
) -> Result<T> {
    within(Duration::from_secs(60), what, look).await
}

/// Looks until `look` gives something. The last error is told when `limit` runs out.
pub async fn within<T, F: Future<Output = Result<Option<T>>>>(
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> F,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        let last = look().await;
        if let Ok(Some(found)) = last {
            return Ok(found);
        }
        if begun.elapsed() > limit {
            match last {
                Err(error) => return Err(error.context(format!("waited {limit:?} for {what}"))),
                _ => bail!("waited {limit:?} for {what}"),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
