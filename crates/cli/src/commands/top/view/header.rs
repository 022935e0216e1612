//! Two lines that say whether all is well: where, when, and the numbers that matter most.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{PLAIN, line};
use crate::commands::top::grid::Tone;
use crate::commands::top::look::{self, style};
use crate::commands::top::panels::severity;
use crate::commands::top::picture::{Picture, Series};
use crate::commands::top::state::App;
use crate::show::{bytes, number, percent};

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let (state, tone) = link(app);
    let clock = app.picture.as_ref().map(|picture| clock(picture.time)).unwrap_or_default();
    let filter = if app.filter.is_empty() {
        String::new()
    } else {
        format!("  filter: {}", crate::show::clean(&app.filter))
    };
    let top = Line::from(vec![
        Span::styled(" Watchkeeper ", look::STRONG),
        Span::raw(format!("{clock} ")),
        Span::styled(state, style(tone).patch(look::STRONG)),
        Span::styled(filter, look::STRONG),
        Span::styled(format!("  {}", app.address), look::FAINT),
    ]);
    line(area, 0, top, buffer);
    if let Some(picture) = &app.picture {
        line(area, 1, summary(picture), buffer);
    } else if app.away.is_none() {
        line(area, 1, Line::raw(" asking …"), buffer);
    }
}

/// Whether what is shown is true now.
fn link(app: &App) -> (String, Tone) {
    match (&app.away, app.answered) {
        (Some(reason), Some(since)) => {
            (format!("● no answer since {}; trying again ({reason})", clock(since)), Tone::Bad)
        }
        (Some(reason), None) => (format!("● no answer yet; trying again ({reason})"), Tone::Bad),
        (None, _) if app.paused => ("● paused".to_owned(), Tone::Warning),
        (None, Some(_)) if app.interval.is_empty() => ("● live".to_owned(), Tone::Good),
        (None, Some(_)) => (format!("● live, every {}", app.interval), Tone::Good),
        (None, None) => ("● asking".to_owned(), Tone::Quiet),
    }
}

/// The time of day, in UTC.
fn clock(time: model::Timestamp) -> String {
    let text = time.to_string();
    text.get(11..19).map(|time| format!("{time} UTC")).unwrap_or(text)
}

fn summary(picture: &Picture) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut say = |name: &str, value: String, style: Style| {
        let lead = if spans.is_empty() { " " } else { "  " };
        spans.push(Span::styled(format!("{lead}{name} "), look::FAINT));
        spans.push(Span::styled(value, look::STRONG.patch(style)));
    };
    // In the order in which they may be cut off where there is no room.
    let (text, style) = alerts(picture);
    say("alerts", text, style);
    let total = |state| picture.queues.iter().map(|queue| queue.depth(state)).sum::<u64>() as f64;
    say("pending", number(total("pending")), PLAIN);
    say("proc", number(total("processing")), PLAIN);
    let known = picture.workers.iter().filter(|worker| worker.status != "stopped").count();
    let online = picture.workers.iter().filter(|worker| worker.status == "online").count();
    let missing = if online < known { self::style(Tone::Warning) } else { PLAIN };
    say("workers", if online < known { format!("{online}/{known}") } else { online.to_string() }, missing);
    say("mem", watched(&picture.past.group_memory).map_or_else(|| "-".to_owned(), bytes), PLAIN);
    say("cpu", watched(&picture.past.group_cpu).map_or_else(|| "-".to_owned(), percent), PLAIN);
    say("jobs", number(picture.counts.running as f64), PLAIN);
    if picture.unread > 0 {
        say("unreadable", picture.unread.to_string(), self::style(Tone::Warning));
    }
    Line::from(spans)
}

/// How many alerts fire by severity, the worst first.
fn alerts(picture: &Picture) -> (String, Style) {
    let firing = |wanted: &str| {
        picture.alerts.iter().filter(|alert| alert.state != "pending" && alert.severity == wanted).count()
    };
    let counts: Vec<(&str, &str, usize)> =
        [("critical", "crit"), ("error", "err"), ("warning", "warn"), ("info", "info")]
            .into_iter()
            .map(|(name, short)| (name, short, firing(name)))
            .filter(|(_, _, count)| *count > 0)
            .collect();
    match counts.first() {
        None => ("none".to_owned(), style(Tone::Good)),
        Some((worst, _, _)) => {
            let texts: Vec<String> =
                counts.iter().map(|(_, short, count)| format!("{count} {short}")).collect();
            (texts.join(" "), style(severity(worst)))
        }
    }
}

/// The sum over the watched groups but our own, where there are any.
fn watched(series: &Series) -> Option<f64> {
    series
        .iter()
        .filter(|(group, _)| *group != "watchkeeper")
        .filter_map(|(_, values)| values.last().copied())
        .filter(|value| value.is_finite())
        .reduce(|one, two| one + two)
}
