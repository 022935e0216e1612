mod classic;
mod protobuf;
mod strict;
mod text;

use super::{Exposition, ExpositionError, Format, Options, decode};

fn options() -> Options {
    Options {
        max_bytes: 1 << 20,
        native_histograms: true,
        classic_histograms: false,
        custom_histograms: false,
    }
}

fn read(format: Format, body: impl AsRef<[u8]>) -> Result<Exposition, ExpositionError> {
    decode(format, body.as_ref(), &options())
}

/// The samples, each as `name{labels} value @time`.
fn shown(exposition: &Exposition) -> Vec<String> {
    let show = |sample: super::ShownSample<'_>| {
        let time = sample.time_ms.map(|time| format!(" @{time}")).unwrap_or_default();
        match exposition.histograms().of(sample.value) {
            Some(histogram) => {
                let histogram = histogram.expect("our own encoding");
                format!("{} histogram of {}{time}", sample.labels, histogram.count)
            }
            None => format!("{} {}{time}", sample.labels, sample.value),
        }
    };
    exposition.samples().map(show).collect()
}

/// Since when samples count that say so, each as `name{labels} start`.
fn starts(exposition: &Exposition) -> Vec<String> {
    let telling = exposition.samples().filter(|sample| sample.start_ms != model::NO_START);
    telling.map(|sample| format!("{} {}", sample.labels, sample.start_ms)).collect()
}

/// What is said of families, each as `family: kind unit help`.
fn described(exposition: &Exposition) -> Vec<String> {
    let all = exposition.metadata().iter();
    all.map(|said| format!("{}: {} {:?} {:?}", said.family, said.kind.name(), said.unit, said.help)).collect()
}

/// The error of a body that cannot be read.
#[track_caller]
fn fault(format: Format, body: impl AsRef<[u8]>) -> String {
    match read(format, body) {
        Ok(exposition) => panic!("it was read: {:?}", shown(&exposition)),
        Err(error) => error.to_string(),
    }
}
