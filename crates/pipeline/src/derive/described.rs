//! What the metrics of the pipeline mean, for those who ask for metadata: as the documentation says it, which is the one
//! place where it stands.

use model::{MetricKind, MetricMetadata};

const DOCUMENTATION: &str = include_str!("../../../../docs/metrics.md");

/// Kind and meaning of each family. A line of a table has its names, its labels, its kind and what it is.
pub(super) fn families() -> Vec<MetricMetadata> {
    let mut families = Vec::new();
    for line in DOCUMENTATION.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [names, _, kind, help] = cells[..] else { continue };
        let Some(kind) = MetricKind::from_name(kind) else { continue };
        let help = help.replace('`', "");
        // Every second part of a list stands in backticks.
        for family in names.split('`').skip(1).step_by(2) {
            let (family, help) = (family.to_owned(), help.clone());
            families.push(MetricMetadata { family, kind, help, unit: String::new() });
        }
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_tells_kind_and_meaning_of_each_family() {
        let families = families();
        let find = |name: &str| families.iter().find(|metadata| metadata.family == name).cloned();
        let depth = find("queue_depth").expect("it is documented");
        assert_eq!(
            (depth.kind, depth.help.as_str()),
            (MetricKind::Gauge, "tasks that are pending, processing, delayed or dead")
        );
        let kinds = ["job_duration_seconds", "queue_failed_total", "queue_enqueued_total", "probe_success"];
        let kinds = kinds.map(|name| find(name).map(|metadata| metadata.kind));
        let counter = Some(MetricKind::Counter);
        assert_eq!(kinds, [Some(MetricKind::Histogram), counter, counter, Some(MetricKind::Gauge)]);
        assert!(families.iter().all(|metadata| !metadata.help.is_empty()));
    }
}
