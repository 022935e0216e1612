//! A real SMTP server, `aiosmtpd`, that keeps what it is sent.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::{Launched, free_port, python, within};

/// One mail as it came in.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Headers and body as sent, in the transfer encoding of the sender.
    pub raw: String,
}

impl Mail {
    /// The value of a header, folded lines joined.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.raw.split("\r\n\r\n").next()?.replace("\r\n ", " ").replace("\r\n\t", " ");
        let prefix = format!("{}:", name.to_lowercase());
        head.lines()
            .find(|line| line.to_lowercase().starts_with(&prefix))
            .map(|line| line[prefix.len()..].trim().to_owned())
    }

    /// The body, quoted-printable undone.
    pub fn body(&self) -> String {
        let body = self.raw.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let quoted = self
            .header("Content-Transfer-Encoding")
            .is_some_and(|e| e.eq_ignore_ascii_case("quoted-printable"));
        if quoted { unquote(body) } else { body.to_owned() }
    }
}

fn unquote(text: &str) -> String {
    let joined = text.replace("=\r\n", "").replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'=' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An SMTP server without encryption that takes every mail.
#[derive(Debug)]
pub struct Smtp {
    server: Launched,
    port: u16,
    folder: tempfile::TempDir,
}

impl Smtp {
    /// Starts one on a free port.
    pub async fn start() -> Result<Self> {
        Self::start_on(free_port()?).await
    }

    /// Starts one on `port`: for a server that comes up late.
    pub async fn start_on(port: u16) -> Result<Self> {
        let folder = tempfile::tempdir().context("making a folder for mails")?;
        let script = folder.path().join("smtp.py");
        std::fs::write(&script, include_str!("smtp.py")).context("writing the server's script")?;
        let mut command = Command::new(python());
        command.arg(&script).arg(port.to_string()).arg(folder.path());
        let server = Launched::start(&mut command, &folder.path().join("smtp.log"))?;
        let smtp = Self { server, port, folder };
        within(Duration::from_secs(20), "the SMTP server to answer", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
            Ok(Some(()))
        })
        .await
        .with_context(|| smtp.server.output())?;
        Ok(smtp)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The mails so far, oldest first.
    pub async fn messages(&self) -> Result<Vec<Mail>> {
        let mut paths: Vec<_> = std::fs::read_dir(self.folder.path())
            .context("listing mails")?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            .collect();
        paths.sort();
        paths
            .iter()
            .map(|path| {
                let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
                Ok(Mail { raw: String::from_utf8_lossy(&bytes).into_owned() })
            })
            .collect()
    }

    /// Ends it; it can be started again on the same port.
    pub async fn stop(mut self) -> Result<u16> {
        self.server.kill().await?;
        Ok(self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_read_as_a_person_reads_it() {
        let raw = "Subject: one\r\n two\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db =\r\nc =E2=80=A6";
        let mail = Mail { raw: raw.to_owned() };
        assert_eq!(mail.header("subject").as_deref(), Some("one two"));
        assert_eq!(mail.body(), "a=b c …");
    }
}
