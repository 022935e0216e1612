//! The keys, and what is on the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::line;
use crate::commands::top::look;

const KEYS: &[(&str, &str)] = &[
    ("1-6 Tab ←→", "go to a panel; its number again, or z, gives it the screen"),
    ("0 Esc", "back to all six"),
    ("↑↓ j k", "move; PgUp, PgDn, Home, End too"),
    ("Enter", "details: tasks, stages, evidence, processes; Esc goes back"),
    ("a", "take an alert on, with a note: it is not told again"),
    ("/", "show only rows with this text, in all panels; Esc clears it"),
    ("s S", "sort by the next column; turn the order round"),
    ("Space r", "pause and go on; ask the server now"),
    ("q Ctrl-C", "quit; Ctrl-Z stops it until `fg`"),
    ("", ""),
    ("TREND", "the last 15 minutes, from 0 to the most"),
    ("OK", "share of the tasks that ended well"),
    ("lost", "the worker of the job is gone"),
    ("nobody", "no worker takes from the queue of the job"),
    ("stuck?", "it takes longer than it should, or than others did"),
    ("· name ×3", "a watched group of three processes"),
    ("mem cpu", "of all watched groups; 1G is 1024M, 100% is one core"),
];

pub(super) fn draw(area: Rect, buffer: &mut Buffer) {
    for (row, (key, what)) in KEYS.iter().enumerate() {
        let row = u16::try_from(row).unwrap_or(u16::MAX);
        let key = Span::styled(format!("  {key:<13} "), look::STRONG);
        line(area, row, Line::from(vec![key, Span::raw(*what)]), buffer);
    }
}
