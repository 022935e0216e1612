//! Server-sent events, as they come in pieces.

use anyhow::ensure;

/// The largest event that is read: whoever answers may be anybody.
const MAX_EVENT_BYTES: usize = 16 << 20;

/// Reads events out of a stream.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// What has come of an event that has not ended.
    rest: Vec<u8>,
}

impl Feed {
    /// Takes the next piece, and hands each event that ends in it to `each`: its name and its data. What has no data, as
    /// a comment, is none.
    pub(super) fn feed(&mut self, piece: &[u8], mut each: impl FnMut(&str, &str)) -> anyhow::Result<()> {
        // The end may lie across two pieces.
        let mut looked_at = self.rest.len().saturating_sub(1);
        self.rest.extend_from_slice(piece);
        let mut begin = 0;
        while let Some(end) = self.rest[looked_at..].windows(2).position(|pair| pair == b"\n\n") {
            let end = looked_at + end;
            event(&String::from_utf8_lossy(&self.rest[begin..end]), &mut each);
            begin = end + 2;
            looked_at = begin;
        }
        self.rest.drain(..begin);
        ensure!(self.rest.len() <= MAX_EVENT_BYTES, "an event has more than {} MiB", MAX_EVENT_BYTES >> 20);
        Ok(())
    }
}

fn event(block: &str, each: &mut impl FnMut(&str, &str)) {
    let (mut name, mut data) = ("message", Vec::new());
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("event", text)) => name = text,
            Some(("data", text)) => data.push(text),
            _ => {}
        }
    }
    if !data.is_empty() {
        each(name, &data.join("\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_they_are_cut_into_pieces() {
        let text = "retry: 2000\n\n: heartbeat\n\nevent: record\ndata: {\"a\":1}\n\nevent: dropped\ndata: ö\n\ndata: x\ndata: y\n\nevent: open";
        let expected = [("record", "{\"a\":1}"), ("dropped", "ö"), ("message", "x\ny")];
        for length in [1, 2, 3, 7, text.len()] {
            let (mut feed, mut found) = (Feed::default(), Vec::new());
            for piece in text.as_bytes().chunks(length) {
                let fed = feed.feed(piece, |name, data| found.push((name.to_owned(), data.to_owned())));
                fed.expect("events");
            }
            let found: Vec<(&str, &str)> =
                found.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
            assert_eq!(found, expected, "by {length}");
            assert_eq!(feed.rest, b"event: open");
        }
    }

    #[test]
    fn an_event_without_an_end_is_given_up() {
        let mut feed = Feed::default();
        let fed = feed.feed(&vec![b'x'; MAX_EVENT_BYTES + 1], |_, _| {});
        assert!(fed.is_err_and(|error| error.to_string().contains("16 MiB")));
    }
}
