//! `watchkeeper logs search`: stored log records that a search finds.

use model::Timestamp;
use serde_json::Value;

use super::super::query::moment;
use super::shown;
use crate::client::{Client, Connection};
use crate::exit::Failure;
use crate::show::clean;

/// The most records of a page of the API.
const PAGE: usize = 1_000;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Search {
    /// The search; everything if left out
    #[arg(value_name = "QUERY", default_value = "", allow_hyphen_values = true)]
    query: String,
    /// The earliest time [default: all that is kept]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The latest time [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The most records: the newest ones
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(command: &Search) -> Result<(), Failure> {
    let now = Timestamp::now();
    let time = |name: &str, text: &Option<String>| {
        text.as_deref().map(|text| moment(name, text, now).map(|time| time.to_string())).transpose()
    };
    let (from, to) = (time("from", &command.from)?, time("to", &command.to)?);
    let client = Client::new(&command.connection)?;
    let most = usize::try_from(command.limit).unwrap_or(usize::MAX);
    let mut parameters = vec![("q", command.query.as_str())];
    parameters.extend(from.as_deref().map(|from| ("from", from)));
    parameters.extend(to.as_deref().map(|to| ("to", to)));
    let (mut records, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let limit = (most - records.len()).min(PAGE).to_string();
        let mut all = parameters.clone();
        all.push(("limit", limit.as_str()));
        all.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let mut page = client.get("/api/v1/logs", &all).await?;
        if cursor.is_none() {
            tell(&page["hints"]);
        }
        let found = page["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let is_over = found.is_empty();
        records.extend(found);
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if is_over || cursor.is_none() || records.len() >= most {
            break;
        }
    }
    if cursor.is_some() {
        eprintln!("note: there are older ones; --limit shows more, up to 10000");
    }
    // The newest where one looks first.
    shown::write(&mut std::io::stdout().lock(), records.iter().rev(), command.json).map(|_| ())
}

/// What the writer of the search should know.
pub(super) fn tell(hints: &Value) {
    for hint in hints.as_array().into_iter().flatten().filter_map(|hint| hint["message"].as_str()) {
        eprintln!("note: {}", clean(hint));
    }
}
