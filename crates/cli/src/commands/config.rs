//! `watchkeeper config`: check, show and write down the configuration.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::config::{self, Loaded};
use crate::exit::Failure;
use crate::house::{self, House};
use crate::logging;
use crate::show::clean;

/// What the command line says.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Config {
    /// Say whether the configuration can be used, rule files, queue mappings and scrape jobs included
    #[command(
        after_help = "Exit codes: 0 it can be used, 2 it cannot.\n\nExample:\n  watchkeeper config check --config /etc/watchkeeper/watchkeeper.toml"
    )]
    Check(Source),
    /// Print the effective values, secrets masked
    #[command(after_help = "Example:\n  WATCHKEEPER_SERVER__LISTEN=0.0.0.0:7654 watchkeeper config show")]
    Show {
        #[command(flatten)]
        source: Source,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a configuration file with every key at its default
    #[command(after_help = "Example:\n  watchkeeper config default > watchkeeper.toml")]
    Default,
    /// Print the reference of all keys, as Markdown
    Reference,
}

/// Which configuration is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// The configuration [default: ./watchkeeper.toml, else /etc/watchkeeper/watchkeeper.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) async fn run(command: &Config) -> Result<(), Failure> {
    match command {
        Config::Check(source) => check(&read(source)?).await,
        Config::Show { source, json } => show(&read(source)?, *json),
        Config::Default => {
            print!("{}", config::default_file());
            Ok(())
        }
        Config::Reference => {
            print!("{}", config::reference_page());
            Ok(())
        }
    }
}

fn read(source: &Source) -> Result<Loaded, Failure> {
    config::read(source.config.as_deref()).map_err(Failure::usage)
}

/// Puts everything together over an empty folder, as `serve` does, and takes it down again: what
/// would keep `serve` from starting is found, and nothing else has to know how to find it.
async fn check(loaded: &Loaded) -> Result<(), Failure> {
    logging::filter(&loaded.settings.log).map_err(Failure::usage)?;
    let folder = std::env::temp_dir().join(format!("watchkeeper-check-{}", std::process::id()));
    house::make_data_dir(&folder)?;
    let checked = async {
        let house = House::open(loaded, &folder).await?;
        let rules = house.alerts.rules();
        let (channels, collectors) = (house.alerts.channels().await?.len(), house.collectors.status().len());
        for rule in &rules {
            for warning in &rule.warnings {
                println!("warning: {}:{}: {}: {warning}", rule.file, rule.line, rule.name);
            }
        }
        let scrapes = house.collectors.scrapes();
        for warning in scrapes.map(|scrapes| scrapes.warnings()).unwrap_or_default() {
            println!("warning: {}", clean(&warning.to_string()));
        }
        let jobs = scrapes.map_or(0, |scrapes| scrapes.job_count());
        let counts = format!(
            "{} rules, {channels} channels, {collectors} collectors, {jobs} scrape jobs",
            rules.len()
        );
        house.close().await?;
        Ok::<_, Failure>(counts)
    };
    let checked = checked.await;
    std::fs::remove_dir_all(&folder).with_context(|| format!("{} could not be removed", folder.display()))?;
    let file = loaded
        .file
        .as_ref()
        .map_or("the default configuration".to_owned(), |file| file.display().to_string());
    println!("{file} is fine: {}", checked?);
    Ok(())
}

fn show(loaded: &Loaded, json: bool) -> Result<(), Failure> {
    let mut table = config::shown(&loaded.settings).context("the settings cannot be shown as TOML")?;
    if !table.contains_key("data_dir") {
        table.insert("data_dir".to_owned(), house::data_dir(None, None)?.display().to_string().into());
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&table)?);
    } else {
        if let Some(file) = &loaded.file {
            println!("# from {}", file.display());
        }
        print!("{}", toml::to_string(&table)?);
    }
    Ok(())
}
