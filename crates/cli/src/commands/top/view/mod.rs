//! From the state to a frame: pure, and for any size of terminal down to one character.

mod details;
mod header;
mod help;
mod layout;
mod panel;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::look::{self, Look};
use super::panels::Panel;
use super::state::{App, Prompt};

/// Below these a panel gets the whole width, and further below there is only the header.
const TWO_COLUMNS: u16 = 72;
const SIX_PANELS: u16 = 14;
const ONE_PANEL: u16 = 6;

/// Draws the whole frame.
pub(crate) fn draw(app: &App, look: Look, area: Rect, buffer: &mut Buffer) {
    let [head, body, foot] = split(area);
    header::draw(app, head, buffer);
    if app.help {
        help::draw(body, buffer);
    } else if let Some(open) = &app.details {
        details::draw(open, body, buffer);
    } else if body.height == 0 {
        // Too small for more than the header.
    } else if app.zoomed || area.width < TWO_COLUMNS || area.height < SIX_PANELS {
        panel::draw(app, app.focus, body, buffer);
    } else {
        for (panel, place) in layout::overview(app, body) {
            panel::draw(app, panel, place, buffer);
        }
    }
    footer(app, foot, buffer);
    look.apply(buffer);
}

/// How high a frame must be to show the overview, or as much of it as one wants printed.
pub(crate) fn natural_height(app: &App) -> u16 {
    layout::natural_height(app).saturating_add(HEAD + 1).max(SIX_PANELS)
}

const HEAD: u16 = 2;

fn split(area: Rect) -> [Rect; 3] {
    let head = HEAD.min(area.height);
    let foot = u16::from(area.height > HEAD);
    let body = if area.height < ONE_PANEL { 0 } else { area.height - head - foot };
    [
        Rect { height: head, ..area },
        Rect { y: area.y + head, height: body, ..area },
        Rect { y: area.y + head + body, height: foot, ..area },
    ]
}

/// One line within an area; what is too long is cut.
fn line(area: Rect, row: u16, text: impl Into<Line<'static>>, buffer: &mut Buffer) {
    if row < area.height {
        let place = Rect { y: area.y + row, height: 1, ..area };
        text.into().render(place, buffer);
    }
}

fn footer(app: &App, area: Rect, buffer: &mut Buffer) {
    let keys = |text: &str| (text.to_owned(), look::FAINT);
    let (text, style) = match (&app.prompt, &app.notice) {
        (Some(Prompt::Filter { .. }), _) => (format!(" / {}_", tail(&app.filter, area.width)), look::STRONG),
        (Some(Prompt::Note { rule, text, .. }), _) => {
            let lead = format!(" take on {}; note (may be empty): ", crate::show::clean(rule));
            let room = area.width.saturating_sub(u16::try_from(lead.chars().count()).unwrap_or(u16::MAX));
            (format!("{lead}{}_", tail(text, room)), look::STRONG)
        }
        (None, Some(notice)) => {
            let tone = if notice.bad { super::grid::Tone::Bad } else { super::grid::Tone::Good };
            (format!(" {}", notice.text), look::style(tone).patch(look::STRONG))
        }
        (None, None) if app.help => keys(" any key: back"),
        (None, None) if app.details.is_some() => keys(" ↑↓ scroll  a take on  Esc back  ? help  q quit"),
        (None, None) => {
            keys(" 1-6 panel  ↑↓ row  Enter details  a take on  / filter  s sort  ? help  q quit")
        }
    };
    line(area, 0, Line::styled(text, style), buffer);
}

/// The end of what is typed, where it does not fit.
fn tail(text: &str, width: u16) -> String {
    let room = usize::from(width.saturating_sub(5)).max(1);
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(room)).collect()
}

/// The style of plain text.
const PLAIN: Style = Style::new();

/// Whether a panel has the focus and shows it.
fn is_focused(app: &App, panel: Panel) -> bool {
    app.focus == panel && app.prompt.is_none()
}
