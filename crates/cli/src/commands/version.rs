//! `watchkeeper version`.

use serde_json::json;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Version {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Version) {
    let (version, system, machine) =
        (env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    if command.json {
        println!("{}", json!({ "version": version, "os": system, "arch": machine }));
    } else {
        println!("watchkeeper {version} ({system} {machine})");
    }
}
