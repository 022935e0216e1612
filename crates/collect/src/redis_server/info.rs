//! From the text of `INFO` to samples.

use crate::samples::Samples;

/// Fields of `INFO` with a metric each.
const FIELDS: [(&str, &str); 16] = [
    ("used_memory", "redis_memory_used_bytes"),
    ("used_memory_rss", "redis_memory_resident_bytes"),
    ("maxmemory", "redis_memory_max_bytes"),
    ("connected_clients", "redis_connected_clients"),
    ("blocked_clients", "redis_blocked_clients"),
    ("uptime_in_seconds", "redis_uptime_seconds"),
    ("total_commands_processed", "redis_commands_processed_total"),
    ("evicted_keys", "redis_evicted_keys_total"),
    ("expired_keys", "redis_expired_keys_total"),
    ("rejected_connections", "redis_rejected_connections_total"),
    ("maxclients", "redis_connections_limit"),
    ("keyspace_hits", "redis_keyspace_hits_total"),
    ("keyspace_misses", "redis_keyspace_misses_total"),
    ("mem_fragmentation_ratio", "redis_memory_fragmentation_ratio"),
    ("connected_slaves", "redis_connected_replicas"),
    ("rdb_last_save_time", "redis_last_save_timestamp_seconds"),
];

/// Adds what `text` says. What it does not say, or says in a form that is new, is left out.
pub(super) fn push(samples: &mut Samples, text: &str) {
    for line in text.lines() {
        let Some((field, value)) = line.trim_end().split_once(':') else { continue };
        if let Some((_, metric)) = FIELDS.iter().find(|(name, _)| *name == field) {
            samples.push_some(metric, &[], value.parse().ok());
        } else if let Some(keys) = database_keys(field, value) {
            samples.push("redis_keys", &[("db", field)], keys);
        }
    }
}

/// `db0:keys=5,expires=0,avg_ttl=0`
fn database_keys(field: &str, value: &str) -> Option<f64> {
    let number = field.strip_prefix("db")?;
    number.parse::<u32>().ok()?;
    value.split(',').find_map(|pair| pair.strip_prefix("keys="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    #[test]
    fn what_info_says_becomes_samples() {
        let text = "# Memory\r\nused_memory:1024\r\nused_memory_human:1K\r\nconnected_clients:3\r\n\
                    # Keyspace\r\ndb0:keys=5,expires=0,avg_ttl=0\r\ndb12:keys=7,expires=1\r\nused_memory_rss:odd\r\n";
        let mut samples = Samples::new(Timestamp::from_millis(0), &[("redis", "r")]);
        push(&mut samples, text);
        let shown: Vec<String> = samples
            .finish()
            .iter()
            .map(|(labels, samples)| format!("{labels:?} {}", samples[0].value))
            .collect();
        assert_eq!(
            shown,
            [
                r#"redis_memory_used_bytes{redis="r"} 1024"#,
                r#"redis_connected_clients{redis="r"} 3"#,
                r#"redis_keys{db="db0", redis="r"} 5"#,
                r#"redis_keys{db="db12", redis="r"} 7"#,
            ]
        );
    }
}
