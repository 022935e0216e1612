//! Tables without a terminal: rows with keys, sorting, filtering, and which columns fit a width.

use std::cmp::Ordering;

use crate::show::{bar, clean, sparkline};

/// What a cell is about; the look decides how that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    /// Of less interest.
    Quiet,
    Good,
    Warning,
    Bad,
    /// A curve or a bar.
    Drawn,
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Its least width, in characters.
    pub(crate) width: u16,
    /// How much of the width that is left it takes.
    pub(crate) grow: u16,
    pub(crate) right: bool,
    /// Those with the highest rank go first where there is no room.
    pub(crate) rank: u8,
}

/// A column of texts that takes a share of the width that is left.
pub(crate) const fn wide(title: &'static str, width: u16, grow: u16, rank: u8) -> Column {
    Column { title, width, grow, right: false, rank }
}

/// A column of short texts.
pub(crate) const fn narrow(title: &'static str, width: u16, rank: u8) -> Column {
    Column { title, width, grow: 0, right: false, rank }
}

/// A column of numbers.
pub(crate) const fn numbers(title: &'static str, width: u16, rank: u8) -> Column {
    Column { title, width, grow: 0, right: true, rank }
}

/// What a cell holds.
#[derive(Clone, Debug)]
enum Content {
    Text(String),
    Curve(Vec<f64>),
    Bar(Option<f64>),
}

/// A cell.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    content: Content,
    pub(crate) tone: Tone,
    /// What it is sorted by; texts are sorted by themselves.
    order: Option<f64>,
}

impl Cell {
    /// A text from anywhere.
    pub(crate) fn text(text: &str) -> Self {
        Self { content: Content::Text(clean(text)), tone: Tone::Plain, order: None }
    }

    /// A text where there is one.
    pub(crate) fn maybe(text: Option<&str>) -> Self {
        Self::text(text.unwrap_or(""))
    }

    /// A number, shown by `show`; nothing where there is none.
    pub(crate) fn number(value: Option<f64>, show: impl FnOnce(f64) -> String) -> Self {
        match value {
            Some(value) => Self { order: Some(value), ..Self::text(&show(value)) },
            None => Self { order: Some(f64::NEG_INFINITY), ..Self::text("").tone(Tone::Quiet) },
        }
    }

    /// A count.
    pub(crate) fn count(value: u64) -> Self {
        Self::number(Some(value as f64), crate::show::number).tone(if value == 0 {
            Tone::Quiet
        } else {
            Tone::Plain
        })
    }

    /// How something went lately.
    pub(crate) fn curve(values: Vec<f64>) -> Self {
        let order = values.last().copied();
        Self { content: Content::Curve(values), tone: Tone::Drawn, order }
    }

    /// A share, 0 to 1.
    pub(crate) fn share(ratio: Option<f64>) -> Self {
        let tone = match ratio {
            Some(ratio) if ratio >= 0.9 => Tone::Bad,
            Some(ratio) if ratio >= 0.8 => Tone::Warning,
            _ => Tone::Plain,
        };
        Self { content: Content::Bar(ratio), tone, order: Some(ratio.unwrap_or(f64::NEG_INFINITY)) }
    }

    /// The same, about something else.
    pub(crate) fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// The same, sorted by a number.
    pub(crate) fn by(self, order: f64) -> Self {
        Self { order: Some(order), ..self }
    }

    /// What is shown in `width` characters.
    pub(crate) fn shown(&self, width: usize) -> String {
        match &self.content {
            Content::Text(text) => text.clone(),
            Content::Curve(values) => sparkline(values, width),
            Content::Bar(None) => String::new(),
            Content::Bar(Some(ratio)) if width >= 8 => {
                format!("{} {:>4}", bar(*ratio, width - 5), crate::show::percent(*ratio))
            }
            Content::Bar(Some(ratio)) => format!("{:>width$}", crate::show::percent(*ratio)),
        }
    }

    /// The text, where it is one.
    pub(crate) fn as_text(&self) -> &str {
        match &self.content {
            Content::Text(text) => text,
            Content::Curve(_) | Content::Bar(_) => "",
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.order, other.order) {
            (Some(one), Some(two)) => two.total_cmp(&one),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.as_text().to_lowercase().cmp(&other.as_text().to_lowercase()),
        }
    }
}

/// What a row is about: what Enter opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Queue(String),
    Worker(String),
    Job(String),
    Alert(String),
    Host(String),
    /// There is no more to ask for than these lines.
    Told(Vec<String>),
}

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// By which it is found again in the next picture.
    pub(crate) key: String,
    pub(crate) subject: Subject,
    pub(crate) cells: Vec<Cell>,
}

/// By which column rows are sorted; none is the order that the panel itself gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sorting {
    pub(crate) column: Option<usize>,
    pub(crate) reversed: bool,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Grid {
    pub(crate) columns: &'static [Column],
    pub(crate) rows: Vec<Row>,
}

impl Grid {
    /// Only the rows with `filter` in one of their texts, sorted. Numbers come largest first.
    pub(crate) fn arrange(mut self, filter: &str, sorting: Sorting) -> Self {
        let wanted = filter.trim().to_lowercase();
        if !wanted.is_empty() {
            self.rows
                .retain(|row| row.cells.iter().any(|cell| cell.as_text().to_lowercase().contains(&wanted)));
        }
        if let Some(column) = sorting.column.filter(|column| *column < self.columns.len()) {
            self.rows.sort_by(|one, two| one.cells[column].compare(&two.cells[column]));
        }
        if sorting.reversed {
            self.rows.reverse();
        }
        self
    }
}

/// The columns that fit `available` characters with one between two, each with its width.
pub(crate) fn fit(columns: &[Column], available: u16) -> Vec<(usize, u16)> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| -> u16 {
        let gaps = u16::try_from(kept.len().saturating_sub(1)).unwrap_or(u16::MAX);
        kept.iter().map(|index| columns[*index].width).fold(gaps, u16::saturating_add)
    };
    while kept.len() > 1 && needed(&kept) > available {
        let worst = kept.iter().enumerate().max_by_key(|(_, index)| columns[**index].rank);
        let Some((place, _)) = worst else { break };
        kept.remove(place);
    }
    let spare = available.saturating_sub(needed(&kept));
    let shares: u16 = kept.iter().map(|index| columns[*index].grow).sum();
    let mut fitted: Vec<(usize, u16)> = kept
        .iter()
        .map(|index| {
            let column = &columns[*index];
            let more = u32::from(spare) * u32::from(column.grow) / u32::from(shares.max(1));
            (*index, (column.width + u16::try_from(more).unwrap_or(0)).min(available))
        })
        .collect();
    // What is left of the division goes to the last column that grows.
    let given: u16 = fitted.iter().map(|(index, width)| width.saturating_sub(columns[*index].width)).sum();
    if shares > 0
        && let Some((_, width)) = fitted.iter_mut().rev().find(|(index, _)| columns[*index].grow > 0)
    {
        *width += spare.saturating_sub(given);
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[wide("NAME", 8, 1, 0), numbers("N", 5, 1), wide("CURVE", 6, 2, 2)];

    fn grid() -> Grid {
        let row = |name: &str, count: u64| Row {
            key: name.to_owned(),
            subject: Subject::Told(Vec::new()),
            cells: vec![Cell::text(name), Cell::count(count), Cell::curve(vec![1.0])],
        };
        Grid { columns: COLUMNS, rows: vec![row("b", 1), row("Alpha", 9), row("beta", 30)] }
    }

    fn names(grid: &Grid) -> Vec<&str> {
        grid.rows.iter().map(|row| row.key.as_str()).collect()
    }

    #[test]
    fn rows_are_filtered_and_sorted_as_people_expect() {
        let by = |column, reversed| Sorting { column: Some(column), reversed };
        assert_eq!(names(&grid().arrange("", Sorting::default())), ["b", "Alpha", "beta"]);
        assert_eq!(names(&grid().arrange("", by(0, false))), ["Alpha", "b", "beta"]);
        assert_eq!(names(&grid().arrange("", by(1, false))), ["beta", "Alpha", "b"], "largest first");
        assert_eq!(names(&grid().arrange("", by(1, true))), ["b", "Alpha", "beta"]);
        assert_eq!(names(&grid().arrange("B", by(0, false))), ["b", "beta"]);
        assert_eq!(names(&grid().arrange("30", by(0, false))), ["beta"]);
        assert_eq!(names(&grid().arrange("", by(99, false))), ["b", "Alpha", "beta"]);
    }

    #[test]
    fn columns_fill_the_width_and_the_least_important_go_first() {
        assert_eq!(fit(COLUMNS, 21), [(0, 8), (1, 5), (2, 6)]);
        assert_eq!(fit(COLUMNS, 31), [(0, 11), (1, 5), (2, 13)]);
        assert_eq!(fit(COLUMNS, 20), [(0, 14), (1, 5)]);
        assert_eq!(fit(COLUMNS, 3), [(0, 3)]);
        assert_eq!(fit(COLUMNS, 0), [(0, 0)]);
        for width in 0..200 {
            let fitted = fit(COLUMNS, width);
            let total: u16 = fitted.iter().map(|(_, width)| *width).sum::<u16>() + fitted.len() as u16 - 1;
            assert!(total <= width.max(fitted[0].1), "{width}: {fitted:?}");
        }
    }
}
