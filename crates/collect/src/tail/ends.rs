//! How far the store has files, where positions do not say it: after a crash.

use std::collections::HashMap;

use ingest::{Ingest, IngestError};
use model::{TimeRange, Timestamp};

use super::file::ID_PREFIX;
use super::positions::Position;

/// Where the last stored record of each file ends of which more may be stored than its position says. However many files
/// there are, records are gone over once. Blocks.
pub(super) fn stored_ends(
    ingest: &Ingest,
    positions: &[Position],
) -> Result<HashMap<String, u64>, IngestError> {
    let asked = positions.iter().filter(|position| !position.is_done);
    let asked = asked.filter_map(|position| Some((position.key.as_str(), position.window()?)));
    let (keys, windows): (Vec<&str>, Vec<_>) = asked.unzip();
    let mut ends: HashMap<String, u64> = keys.into_iter().map(|key| (key.to_owned(), 0)).collect();
    for (from, to) in joined(windows) {
        ingest.stored_log_ids(TimeRange::new(from, to), ID_PREFIX, &mut |id| {
            let parts = id.strip_prefix(ID_PREFIX).and_then(|rest| rest.split_once(':'));
            let Some((key, Ok(end))) = parts.map(|(key, end)| (key, end.parse::<u64>())) else { return };
            if let Some(known) = ends.get_mut(key) {
                *known = end.max(*known);
            }
        })?;
    }
    Ok(ends)
}

/// What windows cover together, with nothing in two of them: of files that are written to it is one.
fn joined(mut windows: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    windows.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in windows {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_overlap_are_one_and_others_are_not() {
        let at = Timestamp::from_nanos;
        let joined = |windows: &[(i64, i64)]| {
            let windows = windows.iter().map(|(from, to)| (at(*from), at(*to))).collect();
            let joined = joined(windows).into_iter();
            joined.map(|(from, to)| (from.as_nanos(), to.as_nanos())).collect::<Vec<_>>()
        };
        assert!(joined(&[]).is_empty());
        assert_eq!(joined(&[(5, 9), (1, 6), (2, 3)]), [(1, 9)]);
        assert_eq!(joined(&[(20, 30), (1, 6), (6, 7), (21, 22)]), [(1, 7), (20, 30)]);
    }
}
