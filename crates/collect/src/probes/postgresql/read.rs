//! What is asked of a database. All of it in the simple protocol, which poolers pass on as well, in one
//! transaction, so that nothing that is set outlives the look; and read from views that every role may
//! see. What a role may not see is left out.

use futures::{StreamExt, TryStreamExt};
use pipeline::SlowStatement;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::{refusal, statement};
use crate::probes::prober::Found;

/// The most rows of one answer.
const MAX_ROWS: usize = 50;

const SETTINGS: &str = "SELECT current_setting('server_version') AS version, \
    current_setting('max_connections') AS max_connections, pg_is_in_recovery()::text AS standby";

/// A role without `pg_monitor` sees neither state nor kind of the sessions of others, but their number.
const CONNECTIONS: &str = "SELECT coalesce(state, 'hidden') AS state, count(*)::text AS number \
    FROM pg_stat_activity \
    WHERE backend_type = 'client backend' OR (backend_type IS NULL AND datid IS NOT NULL) GROUP BY 1";

const WAITING: &str = "SELECT \
    (SELECT count(*) FROM pg_locks WHERE granted)::text AS held, \
    (SELECT count(*) FROM pg_locks WHERE NOT granted)::text AS waiting, \
    coalesce(max(extract(epoch FROM clock_timestamp() - query_start)) \
        FILTER (WHERE wait_event_type = 'Lock'), 0)::text AS lock_wait, \
    coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::text AS transaction \
    FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datid IS NOT NULL";

const BLOCKED: &str = "SELECT pid::text AS pid, array_to_string(pg_blocking_pids(pid), ', ') AS by \
    FROM pg_stat_activity WHERE wait_event_type = 'Lock' ORDER BY query_start LIMIT 5";

const EXTENSION: &str = "SELECT quote_ident(n.nspname) AS schema, \
    EXISTS (SELECT FROM pg_attribute WHERE attname = 'mean_exec_time' AND attrelid = \
        to_regclass(quote_ident(n.nspname) || '.pg_stat_statements')) AS named_anew \
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";

/// Reads all of it. What only some servers have, or only some roles may see, is no fault when missing.
pub(super) async fn all(client: &Client, found: &mut Found) -> Result<(), String> {
    found.step = "connected, asking for settings";
    rows(client, "BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'").await?;
    let outcome = in_transaction(client, found).await;
    // Ended whatever became of it: a pooler lends this connection to others.
    let ended = rows(client, "COMMIT").await;
    outcome.and(ended.map(drop))
}

async fn in_transaction(client: &Client, found: &mut Found) -> Result<(), String> {
    settings(client, found).await?;
    found.step = "connected, counting connections";
    connections(client, found).await?;
    found.step = "connected, reading locks";
    locks(client, found).await?;
    // Last, since what fails here ends what can be read in this transaction.
    found.step = "connected, reading statements";
    if let Err(reason) = statements(client, found).await {
        found.fact("statements", format!("not read: {reason}"));
    }
    Ok(())
}

async fn settings(client: &Client, found: &mut Found) -> Result<(), String> {
    for row in rows(client, SETTINGS).await? {
        found.fact("version", text(&row, "version"));
        let role = if text(&row, "standby") == "true" { "standby" } else { "primary" };
        found.fact("role", role);
        if let Some(limit) = number(&row, "max_connections") {
            found.sample("postgresql_connections_limit", limit);
            found.fact("connections limit", limit);
        }
    }
    Ok(())
}

async fn connections(client: &Client, found: &mut Found) -> Result<(), String> {
    let mut total = 0.0;
    for row in rows(client, CONNECTIONS).await? {
        let count = number(&row, "number").unwrap_or(0.0);
        found.labelled("postgresql_connections", &[("state", text(&row, "state"))], count);
        total += count;
    }
    found.fact("connections", total);
    Ok(())
}

async fn locks(client: &Client, found: &mut Found) -> Result<(), String> {
    for row in rows(client, WAITING).await? {
        for (state, column) in [("held", "held"), ("waiting", "waiting")] {
            if let Some(count) = number(&row, column) {
                found.labelled("postgresql_locks", &[("state", state)], count);
            }
        }
        for (metric, column) in [
            ("postgresql_lock_wait_max_seconds", "lock_wait"),
            ("postgresql_transaction_max_seconds", "transaction"),
        ] {
            if let Some(seconds) = number(&row, column) {
                found.sample(metric, seconds.max(0.0));
            }
        }
    }
    for row in rows(client, BLOCKED).await? {
        let (pid, by) = (text(&row, "pid"), text(&row, "by"));
        found.fact(&format!("session {pid}"), format!("waits for a lock of {by}"));
    }
    Ok(())
}

async fn statements(client: &Client, found: &mut Found) -> Result<(), String> {
    let extension = rows(client, EXTENSION).await?;
    let Some(extension) = extension.first() else {
        found.fact("statements", "pg_stat_statements is not there");
        return Ok(());
    };
    let total = if text(extension, "named_anew") == "t" { "total_exec_time" } else { "total_time" };
    let schema = text(extension, "schema");
    // One statement can have several rows: one for each role that ran it.
    let query = format!(
        "SELECT queryid::text AS id, min(left(query, 1000)) AS query, sum(calls)::text AS calls, \
         (sum({total}) / sum(calls) / 1000)::text AS mean, (sum({total}) / 1000)::text AS total \
         FROM {schema}.pg_stat_statements WHERE queryid IS NOT NULL AND calls > 0 \
         AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         GROUP BY queryid ORDER BY sum({total}) / sum(calls) DESC LIMIT 10"
    );
    for row in rows(client, &query).await? {
        let slow = SlowStatement {
            query_id: text(&row, "id").to_owned(),
            text: statement::without_literals(text(&row, "query")),
            calls: text(&row, "calls").parse().unwrap_or(0),
            mean_seconds: number(&row, "mean").unwrap_or(0.0),
            total_seconds: number(&row, "total").unwrap_or(0.0),
        };
        let labels = [("queryid", slow.query_id.as_str())];
        found.labelled("postgresql_statement_mean_seconds", &labels, slow.mean_seconds);
        found.labelled("postgresql_statement_seconds_total", &labels, slow.total_seconds);
        found.labelled("postgresql_statement_calls_total", &labels, slow.calls as f64);
        found.statements.push(slow);
    }
    Ok(())
}

/// The first rows of an answer; what is beyond is not kept.
async fn rows(client: &Client, query: &str) -> Result<Vec<SimpleQueryRow>, String> {
    let messages = client.simple_query_raw(query).await.map_err(|error| refusal(&error))?;
    let rows = messages.try_filter_map(|message| async move {
        Ok(match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
    });
    let rows: Vec<_> = rows.take(MAX_ROWS).try_collect().await.map_err(|error| refusal(&error))?;
    Ok(rows)
}

fn text<'a>(row: &'a SimpleQueryRow, column: &str) -> &'a str {
    row.try_get(column).ok().flatten().unwrap_or_default()
}

fn number(row: &SimpleQueryRow, column: &str) -> Option<f64> {
    text(row, column).parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Behind a pooler the next client is given the same connection.
    #[tokio::test]
    async fn a_look_leaves_its_connection_as_it_found_it() {
        let postgres = testkit::Postgres::start().await.unwrap();
        let (client, connection) =
            tokio_postgres::connect(&postgres.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        // The second time reading statements fails in the middle of the transaction.
        for broken in ["", "ALTER VIEW pg_stat_statements RENAME TO elsewhere"] {
            client.simple_query(broken).await.unwrap();
            let mut found = Found::new();
            all(&client, &mut found).await.unwrap();
            let fact = found.facts.get("statements");
            assert_eq!(fact.is_some_and(|fact| fact.starts_with("not read")), !broken.is_empty(), "{fact:?}");
            client.simple_query("CREATE TEMPORARY TABLE written (id int); DROP TABLE written").await.unwrap();
            let timeout = rows(&client, "SHOW statement_timeout").await.unwrap();
            assert_eq!(text(&timeout[0], "statement_timeout"), "0");
        }
    }
}
