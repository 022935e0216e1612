//! What is on the screen, as a value: keys and answers change it, and nothing else does.
//!
//! [`App::on_key`] and [`App::on_answer`] are all there is; they do no I/O. What has to be done
//! outside comes back as an [`Effect`].

#[cfg(test)]
mod tests;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use model::Timestamp;
use serde_json::Value;

use super::details::{self, Details};
use super::grid::{Grid, Row, Sorting, Subject};
use super::panels::Panel;
use super::picture::Picture;
use crate::show::clean;

/// The longest text that can be typed, in characters.
const MAX_TYPED: usize = 200;

/// What has to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Quit,
    /// Give the terminal back until the shell continues us.
    Suspend,
    /// Ask for a picture now.
    Refresh,
    /// Ask for what there is about this.
    Open(Subject),
    /// Take an alert on.
    Acknowledge {
        id: String,
        note: String,
    },
}

/// What came from outside.
#[derive(Debug)]
pub(crate) enum Answer {
    Picture(Box<Picture>),
    /// No picture could be had: why.
    Away(String),
    /// What there is about a subject, or why not.
    Details(Subject, Result<Value, String>),
    /// An alert was taken on, or why not.
    Acknowledged(Result<String, String>),
}

/// What is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// A filter; `before` comes back on Escape.
    Filter { before: String },
    /// A note for an alert.
    Note { alert: String, rule: String, text: String },
}

/// A message of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) bad: bool,
}

/// The whole.
#[derive(Debug)]
pub(crate) struct App {
    /// The server, as it is shown.
    pub(crate) address: String,
    /// How often it is asked, as it is shown.
    pub(crate) interval: String,
    pub(crate) picture: Option<Picture>,
    /// When the server last answered, by our own clock.
    pub(crate) answered: Option<Timestamp>,
    /// Why it does not answer; none while it does.
    pub(crate) away: Option<String>,
    pub(crate) focus: Panel,
    /// Whether the panel in focus has the whole screen.
    pub(crate) zoomed: bool,
    pub(crate) paused: bool,
    pub(crate) filter: String,
    pub(crate) help: bool,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) details: Option<Details>,
    pub(crate) notice: Option<Notice>,
    /// The size of the terminal, for paging.
    pub(crate) size: (u16, u16),
    sortings: [Sorting; 6],
    /// The key of the selected row, and the place that it last had.
    selections: [(String, usize); 6],
}

impl App {
    /// Before anything was heard.
    pub(crate) fn new(address: &str, interval: &str, size: (u16, u16)) -> Self {
        Self {
            address: clean(address),
            interval: interval.to_owned(),
            picture: None,
            answered: None,
            away: None,
            focus: Panel::Queues,
            zoomed: false,
            paused: false,
            filter: String::new(),
            help: false,
            prompt: None,
            details: None,
            notice: None,
            size,
            sortings: [Sorting::default(); 6],
            selections: Default::default(),
        }
    }

    /// A panel's rows as they are shown.
    pub(crate) fn grid(&self, panel: Panel) -> Grid {
        let grid = match &self.picture {
            Some(picture) => panel.grid(picture),
            None => Grid { columns: panel.columns(), rows: Vec::new() },
        };
        grid.arrange(&self.filter, self.sorting(panel))
    }

    /// How a panel is sorted.
    pub(crate) fn sorting(&self, panel: Panel) -> Sorting {
        self.sortings[panel.index()]
    }

    /// The place of the selected row: where its key is now, else where it was.
    pub(crate) fn selected(&self, panel: Panel, rows: &[Row]) -> usize {
        let (key, place) = &self.selections[panel.index()];
        rows.iter().position(|row| row.key == *key).unwrap_or((*place).min(rows.len().saturating_sub(1)))
    }

    fn select(&mut self, place: usize) {
        let grid = self.grid(self.focus);
        let place = place.min(grid.rows.len().saturating_sub(1));
        let key = grid.rows.get(place).map(|row| row.key.clone()).unwrap_or_default();
        self.selections[self.focus.index()] = (key, place);
    }

    fn selected_row(&self) -> Option<Row> {
        let mut grid = self.grid(self.focus);
        let place = self.selected(self.focus, &grid.rows);
        (place < grid.rows.len()).then(|| grid.rows.swap_remove(place))
    }

    /// Takes in what came from outside; `now` is our own clock.
    pub(crate) fn on_answer(&mut self, answer: Answer, now: Timestamp) {
        match answer {
            Answer::Picture(picture) => {
                self.answered = Some(now);
                self.away = None;
                if !self.paused || self.picture.is_none() {
                    self.picture = Some(*picture);
                }
            }
            Answer::Away(reason) => self.away = Some(clean(&reason)),
            Answer::Details(subject, answer) => {
                if let Some(open) = self.details.as_mut().filter(|open| open.subject == subject) {
                    open.fill(answer);
                }
            }
            Answer::Acknowledged(Ok(rule)) => {
                self.notice = Some(Notice { text: format!("{} is yours", clean(&rule)), bad: false });
            }
            Answer::Acknowledged(Err(reason)) => {
                self.notice = Some(Notice { text: clean(&reason), bad: true });
            }
        }
    }

    /// Takes in a key.
    pub(crate) fn on_key(&mut self, key: KeyEvent) -> Effect {
        if key.kind == KeyEventKind::Release {
            return Effect::None;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Effect::Quit,
                KeyCode::Char('z') => Effect::Suspend,
                KeyCode::Char('l') => Effect::Refresh,
                KeyCode::Char('u') if self.prompt.is_some() => self.on_typed(KeyCode::Delete),
                _ => Effect::None,
            };
        }
        self.notice = None;
        if self.prompt.is_some() {
            return self.on_typed(key.code);
        }
        if self.help {
            self.help = false;
            return if key.code == KeyCode::Char('q') { Effect::Quit } else { Effect::None };
        }
        if self.details.is_some() {
            return self.on_key_in_details(key.code);
        }
        self.on_key_in_panels(key.code)
    }

    /// Takes in text that was pasted: it is typed where something is typed, and nothing elsewhere.
    pub(crate) fn on_paste(&mut self, text: &str) {
        if self.prompt.is_some() {
            for character in clean(text).chars().take(MAX_TYPED) {
                self.on_typed(KeyCode::Char(character));
            }
        }
    }

    fn on_key_in_panels(&mut self, code: KeyCode) -> Effect {
        let here = self.selected(self.focus, &self.grid(self.focus).rows);
        let page = usize::from(self.size.1.saturating_sub(8).max(1));
        match code {
            KeyCode::Char('q') => return Effect::Quit,
            KeyCode::Char('?') => self.help = true,
            KeyCode::Char('r') => return Effect::Refresh,
            KeyCode::Char(' ') => {
                self.paused = !self.paused;
                return if self.paused { Effect::None } else { Effect::Refresh };
            }
            KeyCode::Char('/') => self.prompt = Some(Prompt::Filter { before: self.filter.clone() }),
            KeyCode::Char(digit @ '1'..='6') => self.go_to(digit),
            KeyCode::Char('0') => self.zoomed = false,
            KeyCode::Char('z') => self.zoomed = !self.zoomed,
            KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => self.step(1),
            KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => self.step(Panel::ALL.len() - 1),
            KeyCode::Down | KeyCode::Char('j') => self.select(here + 1),
            KeyCode::Up | KeyCode::Char('k') => self.select(here.saturating_sub(1)),
            KeyCode::PageDown => self.select(here + page),
            KeyCode::PageUp => self.select(here.saturating_sub(page)),
            KeyCode::Home | KeyCode::Char('g') => self.select(0),
            KeyCode::End | KeyCode::Char('G') => self.select(usize::MAX),
            KeyCode::Char('s') => self.sort_by_next(),
            KeyCode::Char('S') => {
                let sorting = &mut self.sortings[self.focus.index()];
                sorting.reversed = !sorting.reversed;
            }
            KeyCode::Esc if self.zoomed => self.zoomed = false,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char('a') => self.ask_for_note(),
            KeyCode::Enter => return self.open(),
            _ => {}
        }
        Effect::None
    }

    /// The panel with this number; again, and it has the whole screen.
    fn go_to(&mut self, digit: char) {
        let place = digit.to_digit(10).map_or(0, |digit| digit as usize - 1);
        let Some(panel) = Panel::ALL.get(place).copied() else { return };
        if self.focus == panel {
            self.zoomed = !self.zoomed;
        }
        self.focus = panel;
    }

    fn step(&mut self, by: usize) {
        self.focus = Panel::ALL[(self.focus.index() + by) % Panel::ALL.len()];
    }

    fn sort_by_next(&mut self) {
        let columns = self.focus.columns().len();
        let sorting = &mut self.sortings[self.focus.index()];
        sorting.column = match sorting.column {
            None => Some(0),
            Some(column) if column + 1 < columns => Some(column + 1),
            Some(_) => None,
        };
        sorting.reversed = false;
    }

    fn open(&mut self) -> Effect {
        let Some(row) = self.selected_row() else { return Effect::None };
        let subject = row.subject;
        self.details = Some(Details::of(&subject));
        match subject {
            Subject::Told(_) => Effect::None,
            asked => Effect::Open(asked),
        }
    }

    /// Asks for a note for the alert that is open or selected.
    fn ask_for_note(&mut self) {
        let subject = match &self.details {
            Some(details) => Some(details.subject.clone()),
            None => self.selected_row().map(|row| row.subject),
        };
        let Some(Subject::Alert(id)) = subject else {
            let text = "only alerts can be taken on: select one in panel 4".to_owned();
            self.notice = Some(Notice { text, bad: true });
            return;
        };
        let known = self.picture.iter().flat_map(|picture| &picture.alerts).find(|alert| alert.id == id);
        let rule = known.map(|alert| alert.rule.clone()).unwrap_or_default();
        self.prompt = Some(Prompt::Note { alert: id, rule, text: String::new() });
    }

    fn on_key_in_details(&mut self, code: KeyCode) -> Effect {
        let (width, height) = details::room(self.size);
        let Some(open) = self.details.as_mut() else { return Effect::None };
        let last = open.wrapped(width).len().saturating_sub(height);
        let here = open.scroll.min(last);
        open.scroll = match code {
            KeyCode::Down | KeyCode::Char('j') => here + 1,
            KeyCode::Up | KeyCode::Char('k') => here.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => here + height,
            KeyCode::PageUp => here.saturating_sub(height),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            _ => here,
        }
        .min(last);
        match code {
            KeyCode::Char('q') => return Effect::Quit,
            KeyCode::Char('?') => self.help = true,
            KeyCode::Char('a') => self.ask_for_note(),
            KeyCode::Char('r') => return Effect::Refresh,
            KeyCode::Esc | KeyCode::Enter | KeyCode::Backspace | KeyCode::Left => self.details = None,
            _ => {}
        }
        Effect::None
    }

    fn on_typed(&mut self, code: KeyCode) -> Effect {
        let Some(prompt) = self.prompt.take() else { return Effect::None };
        match (prompt, code) {
            (Prompt::Filter { before }, KeyCode::Esc) => self.filter = before,
            (Prompt::Filter { .. }, KeyCode::Enter) | (Prompt::Note { .. }, KeyCode::Esc) => {}
            (Prompt::Filter { before }, code) => {
                type_into(&mut self.filter, code);
                self.prompt = Some(Prompt::Filter { before });
            }
            (Prompt::Note { alert, text, .. }, KeyCode::Enter) => {
                return Effect::Acknowledge { id: alert, note: text };
            }
            (Prompt::Note { alert, rule, mut text }, code) => {
                type_into(&mut text, code);
                self.prompt = Some(Prompt::Note { alert, rule, text });
            }
        }
        Effect::None
    }
}

fn type_into(text: &mut String, code: KeyCode) {
    match code {
        KeyCode::Char(character) if text.chars().count() < MAX_TYPED => text.push(character),
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Delete => text.clear(),
        _ => {}
    }
}
