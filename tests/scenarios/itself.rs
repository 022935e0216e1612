//! The program itself: HTTPS, and its own log.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{FREE_RECEIVERS, Launched, Watchkeeper, free_port, within};
use tokio::process::Command;

use crate::stage::binary;

/// Starts the server with this configuration, and gives it and its port.
fn serve(folder: &Path, listen: &str, toml: &str) -> Result<(Launched, u16)> {
    std::fs::write(folder.join("watchkeeper.toml"), toml)?;
    let port = free_port()?;
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", &format!("{listen}:{port}"), "--config"]);
    command.arg(folder.join("watchkeeper.toml")).arg("--data-dir").arg(folder.join("data"));
    command.envs(FREE_RECEIVERS);
    Ok((Launched::start(&mut command, &folder.join("output"))?, port))
}

/// Writes a certificate for localhost and its key.
fn certificate(folder: &Path, name: &str) -> Result<()> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    std::fs::write(folder.join(format!("{name}.crt")), made.cert.pem())?;
    std::fs::write(folder.join(format!("{name}.key")), made.signing_key.serialize_pem())?;
    Ok(())
}

fn https(folder: &Path, certificate: &str, key: &str) -> String {
    let folder = folder.display();
    format!("[server]\ntls_certificate = '{folder}/{certificate}.crt'\ntls_key = '{folder}/{key}.key'\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_https_is_spoken_and_a_key_of_another_certificate_is_refused_at_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    for name in ["own", "other"] {
        certificate(path, name)?;
    }
    let check = |port: u16| {
        let mut command = Command::new(binary());
        command.args(["check", "--url", &format!("https://localhost:{port}"), "--ca"]);
        command.arg(path.join("own.crt")).arg("--data-dir").arg(path.join("data"));
        command
    };

    let (mut refused, _) = serve(path, "127.0.0.1", &https(path, "own", "other"))?;
    let status = within(Duration::from_secs(30), "the start to be refused", || {
        let ended = refused.ended();
        async move { Ok(ended) }
    })
    .await?;
    let said = refused.output();
    ensure!(status.code() == Some(2) && said.contains("is not that of the certificate"), "{status}: {said}");

    let (mut server, port) = serve(path, "127.0.0.1", &https(path, "own", "own"))?;
    let output = within(Duration::from_secs(30), "check to reach it over HTTPS", || {
        let mut command = check(port);
        async move {
            let output = command.output().await?;
            Ok((output.status.code() != Some(3)).then_some(output))
        }
    })
    .await
    .with_context(|| server.output())?;
    ensure!(!output.stdout.is_empty(), "{output:?}");
    ensure!(
        server.output().contains(&format!("https://127.0.0.1:{port}/login?token=")),
        "{}",
        server.output()
    );
    server.terminate().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_check_finds_the_server_by_its_configuration() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    // As `openssl req -x509` makes one: an authority that names a host elsewhere.
    let mut parameters = rcgen::CertificateParams::new(["watch.example.org".to_owned()])?;
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate()?;
    std::fs::write(path.join("named.crt"), parameters.self_signed(&key)?.pem())?;
    std::fs::write(path.join("named.key"), key.serialize_pem())?;
    let configs = [String::from("[server]\n"), https(path, "named", "named")];
    for (number, config) in configs.into_iter().enumerate() {
        let config = config + &format!("listen = '0.0.0.0:{}'\n", free_port()?);
        let home = path.join(number.to_string());
        std::fs::create_dir(&home)?;
        std::fs::write(home.join("watchkeeper.toml"), config)?;
        let command = |name: &str| {
            let mut command = Command::new(binary());
            command.arg(name).arg("--config").arg(home.join("watchkeeper.toml"));
            command
                .arg("--data-dir")
                .arg(home.join("data"))
                .env_remove("WATCHKEEPER_URL")
                .envs(FREE_RECEIVERS);
            command
        };
        let mut server = Launched::start(&mut command("serve"), &home.join("output"))?;
        within(Duration::from_secs(30), "the start", || {
            let output = server.output();
            async move { Ok(output.contains("watchkeeper listening on").then_some(())) }
        })
        .await?;
        let output = command("check").output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() != Some(3) && !output.stdout.is_empty(), "{number}: {output:?} {said}");
        if number == 1 {
            // One that is not of the key: the server goes on with the one that it has.
            let other = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
            std::fs::write(path.join("named.crt"), other.cert.pem())?;
            let output = command("check").output().await?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(
                output.status.code() == Some(3) && said.contains("another certificate"),
                "{output:?} {said}"
            );
        }
        server.terminate().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_plain_http_for_other_machines_is_warned_of() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut server, _) = serve(folder.path(), "0.0.0.0", "")?;
    within(Duration::from_secs(30), "the start", || {
        let output = server.output();
        async move { Ok(output.contains("watchkeeper listening on").then_some(())) }
    })
    .await?;
    ensure!(server.output().contains("it speaks plain HTTP"), "{}", server.output());
    server.terminate().await?;
    Ok(())
}

/// All files of the log, the oldest first.
fn log_files(watchkeeper: &Watchkeeper) -> Result<Vec<(u64, String)>> {
    let folder = watchkeeper.data_dir().join("logs");
    let mut files: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(|file| std::cmp::Reverse(file.file_name()));
    files.iter().map(|file| Ok((file.metadata()?.len(), std::fs::read_to_string(file.path())?))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_the_own_log_is_structured_rotates_and_holds_no_secret() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let secrets = ["mail-passw0rd", "redis-passw0rd", "typed-by-mistake"];
    let config = format!(
        r#"
[log]
level = "trace"
max_file_size = "256KiB"
keep_files = 2
[[redis]]
url = "redis://:{}@127.0.0.1:1/0"
[[channels.email]]
name = "operators"
host = "127.0.0.1"
port = 1
tls = "none"
username = "watchkeeper"
password = "{}"
from = "watchkeeper@example.org"
to = ["oncall@example.org"]
"#,
        secrets[1], secrets[0]
    );
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    let token = std::fs::read_to_string(watchkeeper.data_dir().join("local.token"))?.trim().to_owned();
    let (_, created) = watchkeeper.run(&["key", "create", "grafana", "--scope", "read"]).await?;
    let key = created.lines().last().context("a key")?.to_owned();
    let printed = watchkeeper.output();
    let after = |mark: &str| printed.split_once(mark).and_then(|(_, rest)| rest.split_whitespace().next());
    let password = after("password  ").context("a password")?;
    let link = after("  login     ").and_then(|link| link.split_once("token=")).context("a link")?.1;
    let login = json!({ "username": "admin", "password": secrets[2] });
    ensure!(watchkeeper.post("/api/v1/login", &login).await?.status == 401);
    ensure!(watchkeeper.run(&["query", "1", "--key", &key]).await?.0 == 0);

    let none_is_told = || -> Result<()> {
        for (_, text) in log_files(&watchkeeper)? {
            for secret in secrets.into_iter().chain([token.as_str(), &key, password, link]) {
                ensure!(!text.contains(secret), "{secret} is in the log");
            }
        }
        Ok(())
    };
    // Once while the log of the start is there, and once at the end.
    none_is_told()?;

    // So many requests that the file is full more than three times.
    within(Duration::from_secs(60), "the log to rotate", || async {
        for _ in 0..50 {
            watchkeeper.get("/api/v1/jobs").await?;
        }
        Ok((log_files(&watchkeeper)?.len() == 3).then_some(()))
    })
    .await?;
    none_is_told()?;
    watchkeeper.terminate().await?;

    let files = log_files(&watchkeeper)?;
    ensure!(files.len() == 3, "{} files", files.len());
    let mut of_a_request = 0;
    for (bytes, text) in &files {
        ensure!(*bytes <= 256 << 10, "a file of {bytes} bytes");
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            for name in ["timestamp", "level", "service", "message"] {
                ensure!(line[name].is_string(), "{name}: {line}");
            }
            ensure!(line["details"].is_object(), "{line}");
            let answered = line["message"] == "answered" && line["request_id"].is_string();
            of_a_request += usize::from(answered && line["user_id"] == "local");
        }
    }
    ensure!(of_a_request > 0, "no request is in the log with its id and its user");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_under_a_service_manager_the_first_password_is_not_printed() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).env("JOURNAL_STREAM", "8:1");
    command.envs(FREE_RECEIVERS);
    let mut server = Launched::start(command.current_dir(folder.path()), &folder.path().join("output"))?;
    within(Duration::from_secs(30), "the start", || {
        let output = server.output();
        async move { Ok(output.contains("watchkeeper listening on").then_some(())) }
    })
    .await?;
    let kept = data.join("first-login");
    let text = std::fs::read_to_string(&kept)?;
    let password = text.split_once("password  ").and_then(|(_, rest)| rest.split_whitespace().next());
    let password = password.context("the file holds a password")?;
    ensure!(std::fs::metadata(&kept)?.permissions().mode() & 0o777 == 0o600, "for its owner alone");
    ensure!(!server.output().contains(password), "the password is printed");
    server.terminate().await?;
    Ok(())
}
