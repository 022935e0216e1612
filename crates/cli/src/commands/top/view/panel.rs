//! One panel: its title, its columns, and as many rows as fit around the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{PLAIN, is_focused, line};
use crate::commands::top::grid::{Column, Grid, Row, Sorting, fit};
use crate::commands::top::look::{self, style};
use crate::commands::top::panels::Panel;
use crate::commands::top::state::App;

pub(super) fn draw(app: &App, panel: Panel, area: Rect, buffer: &mut Buffer) {
    let grid = app.grid(panel);
    let focused = is_focused(app, panel);
    line(area, 0, title(app, panel, &grid, area.width), buffer);
    if grid.rows.is_empty() {
        let nothing = match (&app.picture, app.filter.is_empty()) {
            (None, _) => "…",
            (Some(_), true) => panel.nothing(),
            (Some(_), false) => "nothing matches the filter",
        };
        line(area, 1, Line::styled(format!("  {nothing}"), look::FAINT), buffer);
        return;
    }
    // A gutter of two characters marks the selected row for those without colours.
    let columns = fit(grid.columns, area.width.saturating_sub(2));
    line(area, 1, Line::styled(names(grid.columns, &columns, app.sorting(panel)), look::FAINT), buffer);
    let visible = usize::from(area.height.saturating_sub(2));
    let selected = app.selected(panel, &grid.rows);
    let first = (selected + 1).saturating_sub(visible);
    for (place, row) in grid.rows.iter().enumerate().skip(first).take(visible) {
        let marked = focused && place == selected;
        let at = u16::try_from(place - first + 2).unwrap_or(u16::MAX);
        line(area, at, drawn(row, grid.columns, &columns, marked), buffer);
    }
}

fn title(app: &App, panel: Panel, grid: &Grid, width: u16) -> Line<'static> {
    let focused = is_focused(app, panel);
    let mark = if focused { "▸" } else { "─" };
    let name = format!("{} {}", panel.index() + 1, panel.title());
    let count = if grid.rows.is_empty() { String::new() } else { format!(" {}", grid.rows.len()) };
    let used = 3 + name.len() + count.len();
    let rest = "─".repeat(usize::from(width).saturating_sub(used));
    let strong = if focused { look::STRONG.patch(look::SELECTED) } else { look::STRONG };
    Line::from(vec![
        Span::styled(mark.to_owned(), look::FAINT),
        Span::styled(format!(" {name}"), strong),
        Span::styled(format!("{count} {rest}"), look::FAINT),
    ])
}

fn names(columns: &[Column], fitted: &[(usize, u16)], sorting: Sorting) -> String {
    let cells: Vec<String> = fitted
        .iter()
        .map(|(index, width)| {
            let column = &columns[*index];
            let arrow = match (sorting.column == Some(*index), sorting.reversed) {
                (true, false) => "▼",
                (true, true) => "▲",
                (false, _) => "",
            };
            padded(&format!("{}{arrow}", column.title), usize::from(*width), column.right)
        })
        .collect();
    format!("  {}", cells.join(" "))
}

fn drawn(row: &Row, columns: &[Column], fitted: &[(usize, u16)], marked: bool) -> Line<'static> {
    let base = if marked { look::SELECTED } else { PLAIN };
    let mut spans = vec![Span::styled(if marked { "▸ " } else { "  " }, base)];
    for (place, (index, width)) in fitted.iter().enumerate() {
        if place > 0 {
            spans.push(Span::styled(" ", base));
        }
        let cell = &row.cells[*index];
        let text = padded(&cell.shown(usize::from(*width)), usize::from(*width), columns[*index].right);
        let tone: Style = if marked { base } else { style(cell.tone) };
        spans.push(Span::styled(text, tone));
    }
    Line::from(spans)
}

/// The text in exactly `width` columns; one that is cut ends with `…`.
fn padded(text: &str, width: usize, right: bool) -> String {
    let taken = text.width();
    if taken <= width {
        let pad = " ".repeat(width - taken);
        return if right { pad + text } else { format!("{text}{pad}") };
    }
    let (mut cut, mut used) = (String::new(), 0);
    for character in text.chars() {
        let needed = character.width().unwrap_or(0);
        if used + needed + 1 > width {
            break;
        }
        cut.push(character);
        used += needed;
    }
    if width > 0 {
        cut.push('…');
        used += 1;
    }
    cut + &" ".repeat(width.saturating_sub(used))
}
