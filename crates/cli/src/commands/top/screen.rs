//! The terminal: taken at the start, given back however the program ends.
//!
//! The way back is one function, [`give_back`]: at the end, on an error, on a panic (by a hook, before
//! the message is printed), and when the shell stops us.

use std::io::{self, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{
    DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// Whether the terminal is ours at the moment.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// The terminal while it is ours.
pub(crate) struct Screen {
    pub(crate) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal.
    pub(crate) fn take() -> io::Result<Self> {
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        take()?;
        match Terminal::new(CrosstermBackend::new(io::stdout())) {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Gives the terminal back and stops the process until somebody continues it.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // Not SIGTSTP, which we handle ourselves so that one from outside comes here too.
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        self.resume()
    }

    /// Takes the terminal again and draws all of it anew: others have written on it.
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        take()?;
        self.terminal.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let taken = enable_raw_mode().and_then(|()| {
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, DisableLineWrap, Hide)
    });
    if taken.is_err() {
        give_back();
    }
    taken
}

/// Leaves the terminal as it was. What fails here has nobody left to be told to.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ = execute!(out, Show, EnableLineWrap, DisableBracketedPaste, LeaveAlternateScreen);
        let _ = out.flush();
        let _ = disable_raw_mode();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context as _, Result};

    #[test]
    #[ignore = "needs a terminal: the next test starts it in one"]
    fn panics_while_the_terminal_is_taken() {
        let _screen = Screen::take().expect("a terminal");
        panic!("for the test");
    }

    #[tokio::test]
    async fn a_panic_gives_the_terminal_back_and_is_seen() -> Result<()> {
        let terminal = testkit::Tmux::start(100, 40).await?;
        let this = std::env::current_exe().context("this program")?;
        let inner = "commands::top::screen::tests::panics_while_the_terminal_is_taken";
        terminal
            .type_text(&format!(
                "{} --ignored --nocapture --exact {inner}; stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo",
                this.display()
            ))
            .await?;
        terminal.press(&["Enter"]).await?;
        // Printed before the way back, the message would be gone with the other screen.
        let seen = |screen: &str| screen.contains("for the test") && screen.contains("\nicanon\necho\n");
        terminal.until("the message, and a terminal as it was", seen).await?;
        Ok(())
    }
}
