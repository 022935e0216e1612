//! Hosts, their GPUs, and the groups of processes that are watched.

use serde_json::Value;

use crate::commands::top::grid::{Cell, Column, Row, Subject, Tone, numbers, wide};
use crate::commands::top::picture::{Host, Picture};
use crate::show::{bytes, number, percent};

pub(super) const COLUMNS: &[Column] = &[
    wide("NAME", 12, 2, 0),
    numbers("CPU", 4, 1),
    numbers("MEM", 4, 2),
    wide("TREND", 5, 1, 4),
    numbers("DISK", 4, 3),
    numbers("LOAD", 5, 5),
    numbers("PROCS", 5, 6),
    numbers("°C", 4, 7),
    numbers("W", 5, 8),
];

pub(super) fn rows(picture: &Picture) -> Vec<Row> {
    let hosts = picture.hosts.iter().flat_map(|host| {
        std::iter::once(host_row(host, picture))
            .chain(host.gpus.iter().enumerate().map(|(index, gpu)| gpu_row(host, index, gpu)))
    });
    let groups = picture.past.group_count.keys().map(|group| group_row(group, picture));
    super::bounded(hosts.chain(groups))
}

fn host_row(host: &Host, picture: &Picture) -> Row {
    let fullest = host
        .filesystems
        .iter()
        .filter(|filesystem| filesystem.size_bytes > 0.0)
        .map(|filesystem| 1.0 - filesystem.available_bytes / filesystem.size_bytes)
        .reduce(f64::max);
    let mut trend = picture.past.host_cpu.get(&host.host).cloned().unwrap_or_default();
    trend.extend(host.cpu_ratio);
    let load = host.load.first().copied();
    Row {
        key: format!("host {}", host.host),
        subject: Subject::Host(host.host.clone()),
        cells: vec![
            Cell::text(&host.host),
            Cell::share(host.cpu_ratio),
            Cell::share(host.memory_ratio),
            Cell::curve(trend),
            Cell::share(fullest),
            Cell::number(load, |load| format!("{load:.1}")),
            Cell::text(""),
            Cell::text(""),
            Cell::text(""),
        ],
    }
}

fn group_row(group: &str, picture: &Picture) -> Row {
    let past = &picture.past;
    let last = |series: &super::super::picture::Series| {
        series.get(group).and_then(|values| values.last()).copied().filter(|value| value.is_finite())
    };
    let memory = past.group_memory.get(group).cloned().unwrap_or_default();
    let count = last(&past.group_count);
    let told = vec![
        format!("Processes of the group {group}"),
        String::new(),
        format!("members   {}", count.map(number).unwrap_or_default()),
        format!("memory    {}", last(&past.group_memory).map(bytes).unwrap_or_default()),
        format!("CPU       {} (100 % is one core)", last(&past.group_cpu).map(percent).unwrap_or_default()),
        String::new(),
        "Its members are among the processes of the host: open the host's row.".to_owned(),
    ];
    Row {
        key: format!("group {group}"),
        subject: Subject::Told(told),
        cells: vec![
            Cell::text(&format!("· {group} ×{}", count.map(number).unwrap_or_default())),
            Cell::number(last(&past.group_cpu), percent),
            Cell::number(last(&past.group_memory), bytes),
            Cell::curve(memory),
            Cell::text(""),
            Cell::text(""),
            Cell::number(count, number),
            Cell::text(""),
            Cell::text(""),
        ],
    }
}

/// The first of these fields that is a number.
fn first_number(value: &Value, names: &[&str]) -> Option<f64> {
    names.iter().find_map(|name| value[*name].as_f64())
}

/// A GPU, with whichever of its numbers the server gives.
fn gpu_row(host: &Host, place: usize, gpu: &Value) -> Row {
    let index = first_number(gpu, &["index"]).map_or(place, |index| index as usize);
    let name = ["name", "model"].iter().find_map(|field| gpu[*field].as_str()).unwrap_or("GPU");
    let used = first_number(gpu, &["memory_used_bytes"]);
    let total = first_number(gpu, &["memory_total_bytes"]).filter(|total| *total > 0.0);
    let memory = used.zip(total).map(|(used, total)| used / total);
    let busy = first_number(gpu, &["utilization_ratio", "gpu_ratio"])
        .or_else(|| first_number(gpu, &["utilization_percent"]).map(|percent| percent / 100.0));
    let failed = gpu["ok"] == false || gpu["up"] == false || gpu["error"].is_string();
    let told = serde_json::to_string_pretty(gpu).unwrap_or_default().lines().map(str::to_owned).collect();
    Row {
        key: format!("gpu {} {index}", host.host),
        subject: Subject::Told(told),
        cells: vec![
            Cell::text(&format!("· gpu{index} {name}")).tone(if failed { Tone::Bad } else { Tone::Plain }),
            Cell::share(busy),
            Cell::share(memory),
            Cell::curve(Vec::new()),
            Cell::text(""),
            Cell::text(""),
            Cell::text(""),
            Cell::number(first_number(gpu, &["temperature_celsius", "temperature_c"]), number),
            Cell::number(first_number(gpu, &["power_watts", "power_w"]), number),
        ],
    }
}
