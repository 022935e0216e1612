//! One subject on the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::line;
use crate::commands::top::details::Details;
use crate::commands::top::grid::Tone;
use crate::commands::top::look::{self, style};

pub(super) fn draw(open: &Details, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width.saturating_sub(2)).max(1);
    let visible = usize::from(area.height.saturating_sub(1)).max(1);
    let lines = open.wrapped(width);
    let first = open.scroll.min(lines.len().saturating_sub(visible));
    let place = if lines.len() > visible {
        format!(" {}-{} of {} ", first + 1, (first + visible).min(lines.len()), lines.len())
    } else {
        String::new()
    };
    let title = Line::from(vec![
        Span::styled("▸ ", look::FAINT),
        Span::styled(open.title.clone(), look::STRONG),
        Span::styled(format!(" ─{place}{}", "─".repeat(width)), look::FAINT),
    ]);
    line(area, 0, title, buffer);
    if let Some(trouble) = &open.trouble {
        line(area, 1, Line::styled(format!(" {trouble}"), style(Tone::Bad)), buffer);
    }
    let below = 1 + u16::from(open.trouble.is_some());
    for (row, text) in lines.into_iter().skip(first).take(visible).enumerate() {
        let row = below + u16::try_from(row).unwrap_or(u16::MAX - below);
        line(area, row, Line::raw(format!(" {text}")), buffer);
    }
}
