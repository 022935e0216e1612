//! `logproto.PushRequest`, read where it lies.
//!
//! Field numbers are those of <https://github.com/grafana/loki/blob/main/pkg/push/push.proto>. Texts need not be
//! UTF-8: shippers send what a program has written.

use model::Timestamp;

use super::rows::{LineTime, PushRows};
use crate::wire::{Fields, Malformed, Value};

type Read<T> = Result<T, Malformed>;

/// Takes a request apart.
pub(super) fn read(body: &[u8], rows: &mut PushRows<'_>) -> Read<()> {
    for field in Fields::of(body) {
        match field? {
            (1, Value::Bytes(stream)) => read_stream(stream, rows)?,
            (1, _) => return Err(Malformed::Type(1)),
            _ => {}
        }
    }
    Ok(())
}

fn read_stream(message: &[u8], rows: &mut PushRows<'_>) -> Read<()> {
    let mut labels: &[u8] = b"{}";
    // What holds for all lines may stand behind them.
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(text)) => labels = text,
            (number @ 1..=2, value) if !matches!(value, Value::Bytes(_)) => {
                return Err(Malformed::Type(number));
            }
            _ => {}
        }
    }
    rows.stream_of_text(&String::from_utf8_lossy(labels));
    for field in Fields::of(message) {
        if let (2, Value::Bytes(entry)) = field? {
            read_entry(entry, rows)?;
        }
    }
    Ok(())
}

fn read_entry(message: &[u8], rows: &mut PushRows<'_>) -> Read<()> {
    let (mut time, mut line): (_, &[u8]) = (LineTime::Unknown, b"");
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(timestamp)) => time = read_time(timestamp)?,
            (2, Value::Bytes(text)) => line = text,
            (number @ 1..=3, value) if !matches!(value, Value::Bytes(_)) => {
                return Err(Malformed::Type(number));
            }
            _ => {}
        }
    }
    rows.line(time, &String::from_utf8_lossy(line), message, |put| {
        for field in Fields::of(message) {
            if let (3, Value::Bytes(pair)) = field? {
                let (name, value) = read_pair(pair)?;
                put(&String::from_utf8_lossy(name), &String::from_utf8_lossy(value));
            }
        }
        Ok(())
    })
}

/// A `google.protobuf.Timestamp`; one that is all zeros was not set.
fn read_time(message: &[u8]) -> Read<LineTime> {
    let (mut seconds, mut nanos) = (0i64, 0i64);
    for field in Fields::of(message) {
        match field? {
            // Negative numbers are sent as their two's complement.
            (1, Value::Number(number)) => seconds = number.cast_signed(),
            (2, Value::Number(number)) => nanos = number.cast_signed(),
            (number @ 1..=2, _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    if (seconds, nanos) == (0, 0) {
        return Ok(LineTime::Unknown);
    }
    let all = seconds.checked_mul(1_000_000_000).and_then(|all| all.checked_add(nanos));
    Ok(all.map_or(LineTime::TooFarOut, |all| LineTime::At(Timestamp::from_nanos(all))))
}

fn read_pair(message: &[u8]) -> Read<(&[u8], &[u8])> {
    let (mut name, mut value): (&[u8], &[u8]) = (b"", b"");
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(text)) => name = text,
            (2, Value::Bytes(text)) => value = text,
            (number @ 1..=2, _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    Ok((name, value))
}
