//! Queues: how deep, how old, how fast.

use crate::commands::top::grid::{Cell, Column, Row, Subject, Tone, numbers, wide};
use crate::commands::top::picture::{Picture, Queue};
use crate::show::{number, percent, seconds};

pub(super) const COLUMNS: &[Column] = &[
    wide("QUEUE", 10, 2, 0),
    numbers("PENDING", 7, 1),
    numbers("PROC", 4, 2),
    wide("TREND", 6, 1, 4),
    numbers("OLDEST", 6, 3),
    numbers("DELAYED", 7, 11),
    numbers("DEAD", 5, 7),
    numbers("IN/s", 5, 8),
    numbers("OUT/s", 5, 6),
    numbers("DRAIN", 6, 9),
    numbers("DONE", 6, 10),
    numbers("FAILED", 6, 12),
    numbers("OK", 4, 5),
];

pub(super) fn rows(picture: &Picture) -> Vec<Row> {
    super::bounded(picture.queues.iter().map(|queue| row(queue, picture)))
}

fn row(queue: &Queue, picture: &Picture) -> Row {
    let oldest = ["pending", "processing"]
        .iter()
        .filter_map(|state| queue.oldest_age_seconds.get(*state).copied())
        .reduce(f64::max);
    let mut trend = picture.past.pending.get(&queue.queue).cloned().unwrap_or_default();
    trend.push(queue.depth("pending") as f64);
    let dead = queue.depth("dead");
    let name = Cell::text(&queue.queue);
    let rate = |rate: Option<f64>| Cell::number(rate, number);
    Row {
        key: queue.queue.clone(),
        subject: Subject::Queue(queue.queue.clone()),
        cells: vec![
            if queue.ok { name } else { name.tone(Tone::Bad) },
            Cell::count(queue.depth("pending")),
            Cell::count(queue.depth("processing")),
            Cell::curve(trend),
            Cell::number(oldest, seconds),
            Cell::count(queue.depth("delayed")),
            if dead > 0 { Cell::count(dead).tone(Tone::Bad) } else { Cell::count(dead) },
            rate(queue.arrival_rate),
            rate(queue.completion_rate),
            Cell::number(queue.drain_seconds, seconds),
            Cell::count(queue.completed_total),
            Cell::count(queue.failed_total),
            success(queue.completion_ratio),
        ],
    }
}

/// How many end well; the tone follows the target of nine in ten.
fn success(ratio: Option<f64>) -> Cell {
    let cell = Cell::number(ratio, percent);
    match ratio {
        Some(ratio) if ratio < 0.9 => cell.tone(Tone::Bad),
        _ => cell,
    }
}
