//! Where the six panels of the overview lie: three rows of two.

use ratatui::layout::Rect;

use crate::commands::top::panels::Panel;
use crate::commands::top::state::App;

/// A title and a line of column names.
const OVERHEAD: u16 = 2;
/// The least height of a panel: with one row.
const LEAST: u16 = OVERHEAD + 1;

/// The most rows of a panel in a picture that is printed.
const PRINTED: u16 = 20;

const PAIRS: [[Panel; 2]; 3] =
    [[Panel::Queues, Panel::Workers], [Panel::Jobs, Panel::Alerts], [Panel::Hosts, Panel::Errors]];

fn wanted(app: &App) -> [u16; 3] {
    PAIRS.map(|pair| {
        let rows = pair.iter().map(|panel| app.grid(*panel).rows.len()).max().unwrap_or(0);
        u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(OVERHEAD).max(LEAST)
    })
}

pub(super) fn natural_height(app: &App) -> u16 {
    wanted(app).into_iter().map(|height| height.min(PRINTED + OVERHEAD)).fold(0, u16::saturating_add)
}

/// Heights that fill `available`: everybody gets what he wants, or at least an equal share.
fn heights(wanted: [u16; 3], available: u16) -> [u16; 3] {
    let mut given = [LEAST.min(available / 3); 3];
    let mut left = available.saturating_sub(given.iter().sum());
    while left > 0 {
        // The one that has least of those that want more; when nobody does, what is left goes round.
        let hungry = (0..3).filter(|index| given[*index] < wanted[*index]).min_by_key(|index| given[*index]);
        let next = hungry.or_else(|| (0..3).min_by_key(|index| given[*index].saturating_sub(wanted[*index])));
        given[next.unwrap_or(0)] += 1;
        left -= 1;
    }
    given
}

/// The panels with their places.
pub(super) fn overview(app: &App, area: Rect) -> Vec<(Panel, Rect)> {
    let heights = heights(wanted(app), area.height);
    // Errors and alerts are sentences; the left side is mostly numbers.
    let left = area.width / 2;
    let mut placed = Vec::with_capacity(6);
    let mut y = area.y;
    for (pair, height) in PAIRS.into_iter().zip(heights) {
        placed.push((pair[0], Rect { x: area.x, y, width: left.saturating_sub(1), height }));
        placed.push((pair[1], Rect { x: area.x + left, y, width: area.width - left, height }));
        y += height;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_fill_what_there_is_and_nobody_starves() {
        for available in 9..100 {
            for wanted in [[3, 3, 3], [3, 40, 3], [500, 500, 500], [5, 9, 30]] {
                let given = heights(wanted, available);
                assert_eq!(given.iter().sum::<u16>(), available);
                assert!(given.iter().all(|height| *height >= 3), "{available} {given:?}");
            }
        }
        assert_eq!(heights([3, 40, 3], 21), [3, 15, 3]);
        assert_eq!(heights([40, 40, 40], 21), [7, 7, 7]);
    }
}
