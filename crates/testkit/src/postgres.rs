//! A real PostgreSQL.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use crate::{Launched, free_port, within};

/// The password of the user `postgres`.
const PASSWORD: &str = "only-for-tests";
/// Starting may take long where everything else does too.
const PATIENCE: Duration = Duration::from_secs(90);

/// A PostgreSQL with `pg_stat_statements`, at most 20 connections, and its data in a folder of its own.
#[derive(Debug)]
pub struct Postgres {
    server: Option<Launched>,
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
}

impl Postgres {
    /// Makes a database and starts it on a free port.
    pub async fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().context("making a folder for postgres")?;
        // The server runs as another user than root, and must get to its folder.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).context("opening the folder of postgres")?;
        let mut this = Self { server: None, programs, folder, port: free_port()? };
        this.make().await?;
        this.start_again().await?;
        this.execute("CREATE EXTENSION pg_stat_statements").await?;
        Ok(this)
    }

    async fn make(&self) -> Result<()> {
        let password = self.folder.path().join("password");
        std::fs::write(&password, PASSWORD).context("writing the password")?;
        std::fs::create_dir(self.data()).context("making the folder of data")?;
        if let Some((user, group)) = owner().await? {
            std::os::unix::fs::chown(self.data(), Some(user), Some(group)).context("giving it away")?;
        }
        let mut command = self.command("initdb").await?;
        command.args(["--no-sync", "--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8"]);
        command.arg("--locale=C").arg("--pwfile").arg(&password).arg("--pgdata").arg(self.data());
        let made = command.output().await.context("running initdb: is postgresql installed?")?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        Ok(())
    }

    /// Starts it again on the same port, with the same data.
    pub async fn start_again(&mut self) -> Result<()> {
        let mut command = self.command("postgres").await?;
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "max_connections=20",
            "shared_preload_libraries=pg_stat_statements",
        ] {
            command.args(["-c", setting]);
        }
        let server = Launched::start(&mut command, &self.folder.path().join("postgres.log"))?;
        within(PATIENCE, "postgres to answer", || async { self.execute("SELECT 1").await.map(Some) })
            .await
            .with_context(|| server.output())?;
        self.server = Some(server);
        Ok(())
    }

    /// Ends it; connections are cut.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut server) = self.server.take() else { bail!("postgres does not run") };
        let pid = server.pid().context("postgres has ended by itself")?;
        // SIGINT: a shutdown that waits for nobody.
        Command::new("kill").args(["-INT", &pid.to_string()]).status().await.context("stopping postgres")?;
        server.terminate().await?;
        Ok(())
    }

    /// Its address, with user and password.
    pub fn url(&self) -> String {
        format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// The password that stands in [`url`](Self::url).
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements, and waits for them.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        let ran = self.psql(sql).output().await.context("running psql")?;
        ensure!(ran.status.success(), "{sql}: {}", String::from_utf8_lossy(&ran.stderr));
        Ok(())
    }

    /// A session that runs statements in the background, until it is dropped.
    pub fn session(&self, sql: &str) -> Result<Launched> {
        Launched::start(&mut self.psql(sql), &self.folder.path().join("sessions.log"))
    }

    fn psql(&self, sql: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-c", sql]).arg(self.url());
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server, run as somebody whom it accepts: it refuses to work for root.
    async fn command(&self, program: &str) -> Result<Command> {
        let path = self.programs.join(program);
        let mut command = match owner().await? {
            Some(_) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(path);
                command
            }
            None => Command::new(path),
        };
        command.current_dir("/");
        Ok(command)
    }
}

/// The newest version that is installed.
fn programs() -> Result<PathBuf> {
    let root = Path::new("/usr/lib/postgresql");
    let versions = std::fs::read_dir(root).context("postgresql is not installed: `make test` does it")?;
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| root.join(format!("{version}/bin/postgres")).exists())
        .max()
        .context("postgresql is not installed: `make test` does it")?;
    Ok(root.join(format!("{newest}/bin")))
}

/// Who the server runs as, when we are root: user and group.
async fn owner() -> Result<Option<(u32, u32)>> {
    async fn id(arguments: &[&str]) -> Result<u32> {
        let output = Command::new("id").args(arguments).output().await.context("running id")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim().parse().with_context(|| format!("id {arguments:?}"))
    }
    if id(&["-u"]).await? != 0 {
        return Ok(None);
    }
    Ok(Some((id(&["-u", "postgres"]).await?, id(&["-g", "postgres"]).await?)))
}
