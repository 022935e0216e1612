//! The loop: keys, answers and signals come in, frames go out.

use std::io;
use std::time::Duration;

use crossterm::event::{self, Event};
use model::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::fetch::{Order, Source};
use super::grid::Subject;
use super::look::Look;
use super::screen::Screen;
use super::state::{Answer, App, Effect};
use super::view;
use crate::exit::Failure;

/// How long the thread that reads keys waits before it looks whether it is still wanted.
const KEY_PATIENCE: Duration = Duration::from_millis(100);

/// Shows `app` until somebody ends it.
pub(super) async fn watch(
    source: Source,
    mut app: App,
    interval: Duration,
    look: Look,
) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let mut screen = Screen::take()
        .map_err(|error| Failure::Other(anyhow::Error::from(error).context("taking the terminal")))?;
    let (orders, taken) = mpsc::channel(16);
    let (told, mut answers) = mpsc::channel(16);
    let asking = Ended(tokio::spawn(source.run(interval, taken, told)));
    let (mut keys, reading) = read_keys();
    let ended = loop {
        if let Err(error) = frame(&mut screen, &mut app, look) {
            break Err(error);
        }
        let effect = tokio::select! {
            event = keys.recv() => match event {
                Some(Ok(event)) => on_event(&mut app, event),
                Some(Err(error)) => break Err(error),
                None => Effect::Quit,
            },
            answer = answers.recv() => match answer {
                Some(answer) => on_answer(&mut app, answer, &orders),
                None => break Err(io::Error::other("asking the server ended unexpectedly")),
            },
            signal = signals.next() => match signal {
                Told::Stop => Effect::Suspend,
                Told::Continue => {
                    if let Err(error) = screen.resume() {
                        break Err(error);
                    }
                    Effect::Refresh
                }
                Told::End => Effect::Quit,
            },
        };
        // A full queue of orders means that the server is slow; the next interval asks again.
        match effect {
            Effect::None => {}
            Effect::Quit => break Ok(()),
            Effect::Suspend => {
                if let Err(error) = screen.suspend() {
                    break Err(error);
                }
            }
            Effect::Refresh => drop(orders.try_send(Order::Picture)),
            Effect::Open(subject) => drop(orders.try_send(Order::Details(subject))),
            Effect::Acknowledge { id, note } => {
                if orders.try_send(Order::Acknowledge { id, note }).is_err() {
                    let busy = "the server is slow to answer; try again".to_owned();
                    app.on_answer(Answer::Acknowledged(Err(busy)), Timestamp::now());
                }
            }
        }
    };
    reading.cancel();
    drop(asking);
    drop(screen);
    ended.map_err(|error| Failure::Other(anyhow::Error::from(error).context("the terminal")))
}

fn frame(screen: &mut Screen, app: &mut App, look: Look) -> io::Result<()> {
    screen.terminal.draw(|frame| {
        let area = frame.area();
        app.size = (area.width, area.height);
        view::draw(app, look, area, frame.buffer_mut());
    })?;
    Ok(())
}

fn on_event(app: &mut App, event: Event) -> Effect {
    match event {
        Event::Key(key) => app.on_key(key),
        Event::Paste(text) => {
            app.on_paste(&text);
            Effect::None
        }
        // The next frame asks for the size itself.
        _ => Effect::None,
    }
}

/// With each new picture, what is open is asked for again.
fn on_answer(app: &mut App, answer: Answer, orders: &mpsc::Sender<Order>) -> Effect {
    let fresh = matches!(answer, Answer::Picture(_)) && !app.paused;
    app.on_answer(answer, Timestamp::now());
    let open = app.details.as_ref().map(|open| open.subject.clone());
    if let Some(subject) = open.filter(|subject| fresh && !matches!(subject, Subject::Told(_))) {
        let _ = orders.try_send(Order::Details(subject));
    }
    Effect::None
}

/// A task that ends when its owner does.
struct Ended(JoinHandle<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Keys come from a thread of their own: reading a terminal blocks.
fn read_keys() -> (mpsc::Receiver<io::Result<Event>>, CancellationToken) {
    let (told, keys) = mpsc::channel(64);
    let wanted = CancellationToken::new();
    let until = wanted.clone();
    std::thread::spawn(move || {
        while !until.is_cancelled() {
            let event = match event::poll(KEY_PATIENCE) {
                Ok(false) => continue,
                Ok(true) => event::read(),
                Err(error) => Err(error),
            };
            let failed = event.is_err();
            if told.blocking_send(event).is_err() || failed {
                return;
            }
        }
    });
    (keys, wanted)
}

enum Told {
    End,
    Stop,
    Continue,
}

struct Signals {
    ends: [Signal; 4],
    stop: Signal,
    proceed: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let raw = |signal: rustix::process::Signal| SignalKind::from_raw(signal.as_raw());
        Ok(Self {
            ends: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
                signal(SignalKind::hangup())?,
                signal(SignalKind::quit())?,
            ],
            stop: signal(raw(rustix::process::Signal::TSTP))?,
            proceed: signal(raw(rustix::process::Signal::CONT))?,
        })
    }

    async fn next(&mut self) -> Told {
        let [terminate, interrupt, hangup, quit] = &mut self.ends;
        tokio::select! {
            _ = terminate.recv() => Told::End,
            _ = interrupt.recv() => Told::End,
            _ = hangup.recv() => Told::End,
            _ = quit.recv() => Told::End,
            _ = self.stop.recv() => Told::Stop,
            _ = self.proceed.recv() => Told::Continue,
        }
    }
}
