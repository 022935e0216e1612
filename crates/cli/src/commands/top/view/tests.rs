//! Frames, drawn without a terminal.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use serde_json::json;

use super::draw;
use crate::commands::top::fixtures::{HOSTILE, busy, hostile, showing};
use crate::commands::top::look::Look;
use crate::commands::top::picture::Picture;
use crate::commands::top::row_text;
use crate::commands::top::state::{Answer, App, Effect};

const FULL: Look = Look { colour: true, unicode: true };
const BARE: Look = Look { colour: false, unicode: false };

fn frame(app: &App, look: Look, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a backend");
    terminal.draw(|frame| draw(app, look, frame.area(), frame.buffer_mut())).expect("drawn");
    terminal.backend().buffer().clone()
}

fn text(app: &App, look: Look, width: u16, height: u16) -> String {
    let buffer = frame(app, look, width, height);
    let lines = buffer.content.chunks(usize::from(width)).map(|cells| row_text(cells).trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

fn press(app: &mut App, code: KeyCode) -> Effect {
    app.on_key(KeyEvent::new(code, KeyModifiers::NONE))
}

#[test]
fn the_overview_at_80_by_24() {
    insta::assert_snapshot!(text(&showing(busy(), (80, 24)), FULL, 80, 24));
}

#[test]
fn the_overview_at_120_by_40_in_ascii() {
    insta::assert_snapshot!(text(&showing(busy(), (120, 40)), BARE, 120, 40));
}

#[test]
fn a_narrow_terminal_shows_one_panel() {
    let mut app = showing(busy(), (60, 20));
    press(&mut app, KeyCode::Char('4'));
    insta::assert_snapshot!(text(&app, FULL, 60, 12));
}

#[test]
fn a_panel_alone_shows_all_its_columns() {
    let mut app = showing(busy(), (150, 10));
    press(&mut app, KeyCode::Char('1'));
    insta::assert_snapshot!(text(&app, FULL, 150, 7));
}

#[test]
fn nothing_to_show_says_so() {
    let text = text(&showing(Picture::default(), (80, 24)), FULL, 80, 24);
    for expected in ["alerts none", "no queue is watched yet", "no worker has been heard of", "nothing fires"]
    {
        assert!(text.contains(expected), "{expected} in {text}");
    }
}

/// What seed 000's monitor.sh prints is on the first screen: the time, pending and processing tasks,
/// memory, running workers, recent errors.
#[test]
fn the_first_screen_shows_what_the_seeds_monitor_shows() {
    let text = text(&showing(busy(), (80, 24)), FULL, 80, 24);
    for expected in
        ["21:30:00", "pending 115", "proc 5", "mem 3.7G", "workers 1/2", "Recent errors", "OutOfMemory"]
    {
        assert!(text.contains(expected), "{expected} in {text}");
    }
}

/// What `--once` prints of a server that has seen nothing yet.
#[test]
fn a_printed_picture_of_nothing_has_all_panels() {
    let app = showing(Picture::default(), (80, 200));
    let printed = text(&app, FULL, 80, super::natural_height(&app));
    for title in ["1 Queues", "2 Workers", "3 Jobs", "4 Alerts", "5 ", "6 Recent errors"] {
        assert!(printed.contains(title), "{title} in {printed}");
    }
}

#[test]
fn a_server_that_is_away_leaves_the_last_picture() {
    let mut app = showing(busy(), (80, 24));
    app.on_answer(Answer::Away(format!("cannot reach it{HOSTILE}")), busy().time);
    let away = text(&app, FULL, 80, 24);
    assert!(away.contains("no answer since 21:30:00 UTC") && away.contains("llm_tasks"), "{away}");
    app.on_answer(Answer::Picture(Box::new(busy())), busy().time);
    assert!(text(&app, FULL, 80, 24).contains("live, every 2s"));
    let mut never = App::new("http://x", "2s", (80, 24));
    assert!(text(&never, FULL, 80, 24).contains("asking"));
    never.on_answer(Answer::Away("connection refused".to_owned()), busy().time);
    assert!(text(&never, FULL, 80, 24).contains("no answer yet; trying again (connection refused)"));
}

#[test]
fn details_help_and_prompts_are_drawn() {
    let mut app = showing(busy(), (80, 24));
    press(&mut app, KeyCode::Char('4'));
    assert!(matches!(press(&mut app, KeyCode::Enter), Effect::Open(_)));
    assert!(text(&app, FULL, 80, 24).contains("asking …"));
    let subject = app.details.as_ref().expect("open").subject.clone();
    let answer = json!({ "rule": "QueueBacklog", "severity": "warning", "evidence": [{ "title": "Workers",
        "columns": ["worker", "status"], "rows": [["llm-2", "offline"]] }] });
    app.on_answer(Answer::Details(subject, Ok(answer)), busy().time);
    insta::assert_snapshot!(text(&app, FULL, 80, 12));
    press(&mut app, KeyCode::Char('a'));
    press(&mut app, KeyCode::Char('x'));
    assert!(text(&app, FULL, 80, 24).contains("take on QueueBacklog; note (may be empty): x_"));
    press(&mut app, KeyCode::Esc);
    press(&mut app, KeyCode::Esc);
    press(&mut app, KeyCode::Char('?'));
    assert!(text(&app, FULL, 80, 24).contains("take an alert on, with a note"));
}

#[test]
fn no_size_is_too_small() {
    let mut app = showing(hostile(), (1, 1));
    for step in 0..4 {
        match step {
            1 => drop(press(&mut app, KeyCode::Char('z'))),
            2 => drop(press(&mut app, KeyCode::Enter)),
            3 => drop(press(&mut app, KeyCode::Char('?'))),
            _ => {}
        }
        for width in (0..30).chain([71, 72, 80, 500]) {
            for height in (0..20).chain([24, 200]) {
                app.size = (width, height);
                press(&mut app, KeyCode::PageDown);
                if step == 3 {
                    press(&mut app, KeyCode::Char('?'));
                }
                frame(&app, FULL, width, height);
            }
        }
    }
    assert!(text(&showing(busy(), (20, 5)), FULL, 20, 5).contains("Watchkeeper"));
}

#[test]
fn nothing_that_a_terminal_obeys_is_drawn() {
    let mut app = showing(hostile(), (120, 40));
    let mut looked_at = vec![frame(&app, FULL, 200, 40)];
    for key in ['1', '2', '3', '4', '5', '6'] {
        press(&mut app, KeyCode::Char(key));
        press(&mut app, KeyCode::Char('z'));
        looked_at.push(frame(&app, FULL, 200, 40));
        press(&mut app, KeyCode::Enter);
        if let Some(open) = app.details.as_mut() {
            open.fill(Ok(json!({ HOSTILE: HOSTILE, "list": [HOSTILE, { HOSTILE: HOSTILE }], "evidence":
                [{ "title": HOSTILE, "columns": [HOSTILE], "rows": [[HOSTILE]], "note": HOSTILE }] })));
        }
        looked_at.push(frame(&app, FULL, 200, 40));
        press(&mut app, KeyCode::Esc);
        press(&mut app, KeyCode::Char('z'));
    }
    app.on_answer(Answer::Acknowledged(Err(HOSTILE.to_owned())), busy().time);
    looked_at.push(frame(&app, FULL, 200, 40));
    for buffer in looked_at {
        for cell in &buffer.content {
            let bad = |c: char| c.is_control() || crate::show::is_invisible(c);
            assert!(!cell.symbol().contains(bad), "{:?}", cell.symbol());
        }
    }
}

#[test]
fn without_colours_and_unicode_nothing_is_lost() {
    let buffer = frame(&showing(busy(), (80, 24)), BARE, 80, 24);
    assert!(buffer.content.iter().all(|cell| cell.symbol().is_ascii() && cell.fg == Color::Reset));
    let text = text(&showing(busy(), (80, 24)), BARE, 80, 24);
    for expected in ["1 crit 1 warn", "offline", "lost", "crit Worker"] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(text.contains("> extraction"), "the selected row is marked: {text}");
}
