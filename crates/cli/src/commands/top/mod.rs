//! `watchkeeper top`: the dashboard in a terminal.
//!
//! `fetch` asks the server and makes a `picture`; `panels` turn it into tables (`grid`); `state` holds
//! what is on the screen and changes with keys; `view` draws it; `look` takes away what the terminal
//! cannot show; `screen` takes the terminal and gives it back. Only `fetch` and `screen` do I/O.
//!
//! Start reading at [`run`].

mod details;
mod fetch;
#[cfg(test)]
mod fixtures;
mod grid;
mod look;
mod panels;
mod picture;
mod screen;
mod state;
mod view;
mod watch;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::anyhow;
use model::{DurationText, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::client::{Client, Connection};
use crate::exit::Failure;
use fetch::Source;
use look::Look;
use state::{Answer, App};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Top {
    /// Print one picture as text and end; the width is that of COLUMNS, or 80
    #[arg(long)]
    once: bool,
    /// How often the server is asked
    #[arg(long, value_name = "DURATION", default_value = "2s")]
    interval: DurationText,
    /// No colours; so too with NO_COLOR set, or TERM=dumb
    #[arg(long)]
    no_color: bool,
    /// Nothing but ASCII; so too when the locale is not UTF-8
    #[arg(long)]
    ascii: bool,
    #[command(flatten)]
    connection: Connection,
}

const LEAST_INTERVAL: Duration = Duration::from_millis(200);
const LONGEST_INTERVAL: Duration = Duration::from_secs(3_600);
/// The bounds of what `--once` prints, in columns and lines.
const WIDTHS: std::ops::RangeInclusive<u16> = 1..=500;
const MAX_LINES: u16 = 200;
const USUAL_WIDTH: u16 = 80;

pub(crate) async fn run(command: &Top) -> Result<(), Failure> {
    let interval = command.interval.0;
    if !(LEAST_INTERVAL..=LONGEST_INTERVAL).contains(&interval) {
        return Err(Failure::Usage(anyhow!("--interval {}: give 200ms to 1h", command.interval)));
    }
    // What is wrong with the address or the configuration is said before the screen is taken.
    let address = Client::new(&command.connection)?.checked_address()?;
    let look = Look::of(command.no_color, command.ascii, |name| std::env::var(name).ok());
    let source = Source::new(command.connection.clone());
    if command.once {
        return once(source, &address, look).await;
    }
    if !std::io::stdout().is_terminal() {
        return Err(Failure::Usage(anyhow!(
            "standard output is not a terminal; --once prints one picture as text"
        )));
    }
    watch::watch(source, App::new(&address, &command.interval.to_string(), (80, 24)), interval, look).await
}

/// One picture, as text without colours.
async fn once(mut source: Source, address: &str, look: Look) -> Result<(), Failure> {
    let picture = source.picture().await?;
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.trim().parse::<u16>().ok());
    let width = number("COLUMNS").filter(|width| WIDTHS.contains(width)).unwrap_or(USUAL_WIDTH);
    let mut app = App::new(address, "", (width, MAX_LINES));
    app.on_answer(Answer::Picture(Box::new(picture)), Timestamp::now());
    let text = as_text(&app, Look { colour: false, ..look }, width);
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    // Somebody who has seen enough (`| head`) is no failure.
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// The overview as lines of text, without the keys at its foot.
fn as_text(app: &App, look: Look, width: u16) -> String {
    let height = view::natural_height(app).min(MAX_LINES);
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    view::draw(app, look, area, &mut buffer);
    let lines = buffer.content.chunks(usize::from(width.max(1))).take(usize::from(height).saturating_sub(1));
    let mut text = String::new();
    for cells in lines {
        text.push_str(row_text(cells).trim_end());
        text.push('\n');
    }
    text
}

/// The text of a row; what lies under the second half of a wide character is passed over.
fn row_text(cells: &[ratatui::buffer::Cell]) -> String {
    use unicode_width::UnicodeWidthStr as _;
    let (mut text, mut covered) = (String::new(), 0);
    for cell in cells {
        if covered == 0 {
            text.push_str(cell.symbol());
            covered = cell.symbol().width();
        }
        covered = covered.saturating_sub(1);
    }
    text
}
