//! Keys and answers, without a terminal.

use super::*;
use crate::commands::top::fixtures::{busy, showing};

fn press(app: &mut App, keys: &str) -> Effect {
    let code = |key: char| match key {
        '\n' => KeyCode::Enter,
        '\u{1b}' => KeyCode::Esc,
        '\t' => KeyCode::Tab,
        '\u{8}' => KeyCode::Backspace,
        key => KeyCode::Char(key),
    };
    let mut effect = Effect::None;
    for key in keys.chars() {
        effect = app.on_key(KeyEvent::new(code(key), KeyModifiers::NONE));
    }
    effect
}

fn control(app: &mut App, key: char) -> Effect {
    app.on_key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL))
}

fn selected(app: &App) -> String {
    app.selected_row().map(|row| row.key).unwrap_or_default()
}

fn app() -> App {
    showing(busy(), (80, 24))
}

#[test]
fn keys_go_to_panels_and_zoom() {
    let mut app = app();
    press(&mut app, "3");
    assert_eq!((app.focus, app.zoomed), (Panel::Jobs, false));
    press(&mut app, "3");
    assert_eq!((app.focus, app.zoomed), (Panel::Jobs, true), "the same number again");
    press(&mut app, "\t");
    assert_eq!((app.focus, app.zoomed), (Panel::Alerts, true));
    press(&mut app, "\u{1b}");
    assert!(!app.zoomed);
    app.on_key(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT));
    assert_eq!(app.focus, Panel::Jobs);
    for _ in 0..6 {
        press(&mut app, "\t");
    }
    assert_eq!(app.focus, Panel::Jobs, "round and round");
}

#[test]
fn the_selection_stays_with_its_row() {
    let mut app = app();
    press(&mut app, "j");
    assert_eq!(selected(&app), "llm_tasks");
    press(&mut app, "jjj");
    assert_eq!(selected(&app), "llm_tasks", "there is no further row");
    let mut next = busy();
    let mut first = next.queues[0].clone();
    first.queue = "another".to_owned();
    next.queues.insert(0, first);
    app.on_answer(Answer::Picture(Box::new(next.clone())), next.time);
    assert_eq!(selected(&app), "llm_tasks", "a row came before it");
    next.queues.pop();
    app.on_answer(Answer::Picture(Box::new(next.clone())), next.time);
    assert_eq!(selected(&app), "extraction", "it is gone: its neighbour");
    next.queues.clear();
    app.on_answer(Answer::Picture(Box::new(next.clone())), next.time);
    assert_eq!(press(&mut app, "jk\n"), Effect::None, "there is nothing to open");
}

#[test]
fn a_filter_is_typed_kept_and_cleared() {
    let mut app = app();
    press(&mut app, "/qx\u{8}");
    assert_eq!((app.filter.as_str(), app.prompt.is_some()), ("q", true), "letters are no commands meanwhile");
    press(&mut app, "\u{8}llm\n");
    assert_eq!((app.filter.as_str(), app.grid(Panel::Queues).rows.len()), ("llm", 1));
    press(&mut app, "/more\u{1b}");
    assert_eq!(app.filter, "llm", "Escape brings back what was");
    press(&mut app, "\u{1b}");
    assert_eq!(app.grid(Panel::Queues).rows.len(), 2);
    press(&mut app, "/");
    app.on_paste(&format!("a\nb\u{1b}{}", "x".repeat(10_000)));
    assert!(app.filter.starts_with("a b\u{fffd}x") && app.filter.chars().count() <= MAX_TYPED);
    assert_eq!(control(&mut app, 'u'), Effect::None);
    assert_eq!(app.filter, "");
}

#[test]
fn rows_are_sorted_by_each_column_in_turn() {
    let mut app = app();
    press(&mut app, "ss");
    assert_eq!(app.grid(Panel::Queues).rows[0].key, "llm_tasks", "the deepest first");
    press(&mut app, "S");
    assert_eq!(app.grid(Panel::Queues).rows[0].key, "extraction");
    for _ in 1..Panel::Queues.columns().len() {
        press(&mut app, "s");
    }
    assert_eq!(
        app.sorting(Panel::Queues),
        Sorting::default(),
        "after the last column, the panel's own order"
    );
    assert_eq!(app.sorting(Panel::Workers), Sorting::default(), "the others keep their order");
}

#[test]
fn an_alert_is_taken_on_with_a_note() {
    let mut app = app();
    assert_eq!(press(&mut app, "a"), Effect::None);
    assert!(app.notice.as_ref().is_some_and(|notice| notice.bad), "a queue cannot be taken on");
    press(&mut app, "4a");
    assert!(matches!(&app.prompt, Some(Prompt::Note { alert, .. }) if alert == "a1"));
    let wanted = Effect::Acknowledge { id: "a1".to_owned(), note: "on it".to_owned() };
    assert_eq!(press(&mut app, "on it\n"), wanted);
    app.on_answer(Answer::Acknowledged(Ok("QueueBacklog".to_owned())), busy().time);
    assert_eq!(app.notice.as_ref().map(|notice| notice.text.as_str()), Some("QueueBacklog is yours"));
    press(&mut app, "a\u{1b}");
    assert_eq!((app.prompt.is_some(), app.details.is_some()), (false, false), "Escape takes nothing on");
    press(&mut app, "\na");
    assert!(app.prompt.is_some(), "from its details too");
}

#[test]
fn details_open_scroll_and_close() {
    let mut app = app();
    assert_eq!(
        press(&mut app, "3\n"),
        Effect::Open(Subject::Job("job-0701".to_owned())),
        "what is wrong comes first"
    );
    let lines: Vec<String> = (0..100).map(|line| format!("line {line}")).collect();
    let subject = Subject::Job("job-0701".to_owned());
    let other = Subject::Job("job-0815".to_owned());
    app.on_answer(Answer::Details(other, Ok(serde_json::json!({ "wrong": lines }))), busy().time);
    assert_eq!(
        app.details.as_ref().map(|open| open.wrapped(80).len()),
        Some(1),
        "a late answer about another"
    );
    let fields: serde_json::Map<_, _> = lines.iter().map(|line| (line.clone(), true.into())).collect();
    app.on_answer(Answer::Details(subject, Ok(fields.into())), busy().time);
    press(&mut app, "G");
    let bottom = app.details.as_ref().map(|open| open.scroll);
    assert_eq!(bottom, Some(80));
    press(&mut app, "jjjjk");
    assert_eq!(app.details.as_ref().map(|open| open.scroll), Some(79), "the end is the end");
    press(&mut app, "\u{1b}");
    assert!(app.details.is_none());
}

#[test]
fn a_paused_picture_stands_still() {
    let mut app = app();
    assert_eq!(press(&mut app, " "), Effect::None);
    let mut next = busy();
    next.queues.clear();
    app.on_answer(Answer::Picture(Box::new(next)), busy().time);
    assert_eq!(app.grid(Panel::Queues).rows.len(), 2);
    assert_eq!(press(&mut app, " "), Effect::Refresh);
}

#[test]
fn it_ends_and_stops_when_told_to() {
    for keys in ["q", "?q", "4\nq"] {
        assert_eq!(press(&mut app(), keys), Effect::Quit, "{keys:?}");
    }
    let mut typing = app();
    assert_eq!(press(&mut typing, "/q"), Effect::None);
    assert_eq!(control(&mut typing, 'c'), Effect::Quit);
    assert_eq!(control(&mut typing, 'z'), Effect::Suspend);
    let mut released = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
    released.kind = KeyEventKind::Release;
    assert_eq!(typing.on_key(released), Effect::None);
}
