//! What people read when it runs.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use crate::first_start::{self, FirstLogin};

/// The address as a browser takes it.
pub(super) struct Reached {
    /// Where it listens.
    listen: String,
    /// Where this machine reaches it.
    local: String,
    /// Where exporters of OpenTelemetry do without being told.
    receivers: Vec<String>,
}

impl Reached {
    pub(super) fn of(address: SocketAddr, https: bool, receivers: &server::Receivers) -> Self {
        let scheme = if https { "https" } else { "http" };
        let local = match address.ip() {
            ip if ip.is_unspecified() => format!("{scheme}://127.0.0.1:{}", address.port()),
            _ => format!("{scheme}://{address}"),
        };
        let receivers = receivers.addresses().map(|address| address.to_string()).collect();
        Self { listen: format!("{scheme}://{address}"), local, receivers }
    }
}

/// Says where it can be reached, and at the first start how to log in.
pub(super) fn ready(
    reached: &Reached,
    data_dir: &Path,
    first_login: Option<&FirstLogin>,
    begun: Instant,
) -> anyhow::Result<()> {
    if let Some(login) = first_login {
        let text = first_login_text(reached, login);
        // The service manager keeps what is printed, and others may read it.
        if std::env::var_os("JOURNAL_STREAM").is_some() {
            let path = first_start::keep_first_login(data_dir, &text)?;
            println!("This is the first start. How to log in stands in {}.", path.display());
        } else {
            println!("{text}");
        }
    }
    if !reached.receivers.is_empty() {
        println!("OpenTelemetry comes in at {} as well", reached.receivers.join(" and "));
    }
    let (address, seconds) = (&reached.listen, begun.elapsed().as_secs_f64());
    println!(
        "watchkeeper listening on {address} (started in {seconds:.2} s, data in {})",
        data_dir.display()
    );
    tracing::info!(%address, seconds, "ready");
    Ok(())
}

fn first_login_text(reached: &Reached, login: &FirstLogin) -> String {
    let FirstLogin { name, password, link_token } = login;
    format!(
        "This is the first start. Log in with\n  user      {name}\n  password  {password}\n\
         or open this link, which works once and for a day:\n  login     {}/login?token={}\n\
         `watchkeeper user passwd {name}` sets another password.\n",
        reached.local,
        link_token.reveal()
    )
}
