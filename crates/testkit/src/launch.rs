//! Starting a program in the background and ending it again.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// A port on 127.0.0.1 that was free a moment ago.
pub fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("binding a free port")?;
    Ok(listener.local_addr().context("asking for the port")?.port())
}

/// A program that runs in the background, with its output in a file. What it started itself ends with it
/// when it is dropped.
#[derive(Debug)]
pub struct Launched {
    child: Child,
    log: PathBuf,
}

impl Launched {
    /// Starts `command` with its output in `log`.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("opening {}", log.display()))?;
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().context("sharing the log")?)
            .stderr(file)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {name}: is it installed?"))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Its exit status, once it has ended.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it has ended.
    pub async fn wait(&mut self) -> Result<std::process::ExitStatus> {
        self.child.wait().await.context("waiting for a program to end")
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it at once (SIGKILL), and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("killing a program")
    }

    /// Asks it to end (SIGTERM), and waits for it.
    pub async fn terminate(&mut self) -> Result<std::process::ExitStatus> {
        if let Some(pid) = self.pid() {
            Command::new("kill").arg(pid.to_string()).status().await.context("sending SIGTERM")?;
        }
        self.wait().await
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        // The program alone would leave its own children behind.
        let group = self.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
