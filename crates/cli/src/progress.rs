//! A line on standard error that says how far something is, where somebody looks on.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::show;

/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(100);
/// The width of the bar.
const BAR: usize = 24;

/// The line. It goes away when this is dropped.
pub(crate) struct Progress {
    is_seen: bool,
    is_utf8: bool,
    is_drawn: bool,
    next: Instant,
}

impl Progress {
    /// A line where standard error is a terminal, unless it is not `wanted`.
    pub(crate) fn new(wanted: bool) -> Self {
        Self {
            is_seen: wanted && std::io::stderr().is_terminal(),
            is_utf8: show::is_utf8(|name| std::env::var(name).ok()),
            is_drawn: false,
            next: Instant::now(),
        }
    }

    /// Draws the line, if it is time: a bar where the share of what is done is known, and a text.
    pub(crate) fn show(&mut self, share: Option<f64>, text: impl FnOnce() -> String) {
        if !self.is_seen || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + EVERY;
        let bar = share.map_or_else(String::new, |share| {
            format!("{} {:>4}  ", show::bar(share, BAR), show::percent(share))
        });
        let line = format!("{bar}{}", text());
        let line = if self.is_utf8 { line } else { line.chars().map(show::in_ascii).collect() };
        let mut out = std::io::stderr().lock();
        // Nobody misses a line of progress.
        let _ = write!(out, "\r\u{1b}[K{line}");
        let _ = out.flush();
        self.is_drawn = true;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_drawn {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r\u{1b}[K");
            let _ = out.flush();
        }
    }
}
