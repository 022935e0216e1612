//! A terminal, with a person at it: tmux.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

/// A terminal in which a shell runs.
#[derive(Debug)]
pub struct Tmux {
    folder: TempDir,
}

impl Tmux {
    /// A shell in a terminal of this many columns and rows. Its prompt is `ready>`.
    pub async fn start(columns: u16, rows: u16) -> Result<Self> {
        let this = Self { folder: tempfile::tempdir().context("a folder for tmux")? };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let config = this.folder.path().join("tmux.conf");
        std::fs::write(&config, "set -g status off\nset -g default-terminal screen-256color\n")
            .context("writing tmux.conf")?;
        this.told(Command::new("tmux").arg("-u").arg("-f").arg(&config).arg("-S").arg(this.socket()).args([
            "new-session",
            "-d",
            "-x",
            &columns,
            "-y",
            &rows,
            "env",
            "LC_ALL=C.UTF-8",
            "PS1=ready> ",
            "HISTFILE=/dev/null",
            "bash",
            "--norc",
            "--noprofile",
            "-i",
        ]))
        .await?;
        // Not in the configuration: tmux 3.3 fails when it is there at the start.
        this.ask(&["set-option", "-g", "window-size", "manual"]).await?;
        this.resize_to(&columns, &rows).await?;
        Ok(this)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Types text as it is.
    pub async fn type_text(&self, text: &str) -> Result<()> {
        self.ask(&["send-keys", "-l", "--", text]).await.map(drop)
    }

    /// Presses keys by their names: `Enter`, `Escape`, `C-c`, `Tab`, `a`.
    pub async fn press(&self, keys: &[&str]) -> Result<()> {
        self.ask(&[&["send-keys"], keys].concat()).await.map(drop)
    }

    /// What is on the screen.
    pub async fn screen(&self) -> Result<String> {
        self.ask(&["capture-pane", "-p"]).await
    }

    /// What is on the screen, with the sequences that colour it.
    pub async fn coloured_screen(&self) -> Result<String> {
        self.ask(&["capture-pane", "-p", "-e"]).await
    }

    /// Makes the terminal larger or smaller.
    pub async fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        self.resize_to(&columns.to_string(), &rows.to_string()).await
    }

    async fn resize_to(&self, columns: &str, rows: &str) -> Result<()> {
        self.ask(&["resize-window", "-x", columns, "-y", rows]).await.map(drop)
    }

    /// Waits until the screen is as wanted, and gives it.
    pub async fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> Result<String> {
        let last = std::sync::Mutex::new(String::new());
        let seen = crate::eventually(what, || async {
            let screen = self.screen().await?;
            if let Ok(mut last) = last.lock() {
                last.clone_from(&screen);
            }
            Ok(Some(screen).filter(|screen| wanted(screen)))
        })
        .await;
        seen.with_context(|| {
            format!("the screen is\n{}", last.lock().map(|text| text.clone()).unwrap_or_default())
        })
    }

    async fn ask(&self, arguments: &[&str]) -> Result<String> {
        self.told(Command::new("tmux").arg("-S").arg(self.socket()).args(arguments)).await
    }

    async fn told(&self, command: &mut Command) -> Result<String> {
        let output = command
            .env_remove("TMUX")
            .stdin(Stdio::null())
            .output()
            .await
            .context("running tmux: is it installed?")?;
        ensure!(output.status.success(), "tmux: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        end(&self.socket());
    }
}

fn end(socket: &Path) {
    // What runs in it gets a hangup.
    let _ = std::process::Command::new("tmux").arg("-S").arg(socket).arg("kill-server").output();
}
