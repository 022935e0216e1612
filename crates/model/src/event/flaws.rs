//! What is not right about a record that was kept all the same: what its sender got wrong, and what was cut.

use std::fmt;
use std::str::FromStr;

use super::UnknownName;
use super::names::text_enum;

text_enum! {
    /// Something that is not right about a record.
    Flaw {
        /// What was sent as its trace id is none.
        TraceId = "trace_id_invalid",
        /// What was sent as its span id is none.
        SpanId = "span_id_invalid",
        /// What was sent as the id of its parent is none.
        ParentId = "parent_span_id_invalid",
        /// Its sender did not say when it happened; it stands where it was seen, or came in.
        NoTime = "time_missing",
        /// The number of its severity is none that there is.
        Severity = "severity_invalid",
        /// Its end is not there, lies before its start, or too far out: its duration is not known.
        EndTime = "end_time_invalid",
        /// It had more attributes than are kept, or some with keys that are too long.
        Attributes = "attributes_cut",
        /// A text was too long and is cut; or an id was, and is left out: cut, it would be that of something else.
        Text = "text_cut",
        /// Values were nested too deep.
        Depth = "depth_cut",
        /// It had more values than are read.
        Values = "values_cut",
        /// It had more events than are kept.
        Events = "events_cut",
        /// It had more links than are kept.
        Links = "links_cut",
        /// It is not written as its protocol has it, and was kept as the text that it is.
        Format = "format_invalid",
        /// It had bytes that are no text; others stand in their place.
        Binary = "bytes_replaced",
    }
}

/// All that is not right about a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flaws(u16);

impl Flaws {
    /// Nothing is wrong.
    pub const NONE: Self = Self(0);

    /// Adds one; one that is there already changes nothing.
    pub fn insert(&mut self, flaw: Flaw) {
        self.0 |= Self::bit(flaw);
    }

    /// Those of both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is there.
    pub fn contains(self, flaw: Flaw) -> bool {
        self.0 & Self::bit(flaw) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// All of them, in their order.
    pub fn iter(self) -> impl Iterator<Item = Flaw> {
        Flaw::ALL.iter().copied().filter(move |flaw| self.contains(*flaw))
    }

    const fn bit(flaw: Flaw) -> u16 {
        1 << flaw as u16
    }
}

impl FromIterator<Flaw> for Flaws {
    fn from_iter<I: IntoIterator<Item = Flaw>>(flaws: I) -> Self {
        let mut all = Self::NONE;
        flaws.into_iter().for_each(|flaw| all.insert(flaw));
        all
    }
}

impl fmt::Display for Flaws {
    /// Their names with commas between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, flaw) in self.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            f.write_str(flaw.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Flaws {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        text.split(',').filter(|name| !name.is_empty()).map(str::parse::<Flaw>).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_written_and_read_by_their_names() {
        let flaws: Flaws = [Flaw::Text, Flaw::TraceId, Flaw::Text].into_iter().collect();
        assert_eq!(flaws.to_string(), "trace_id_invalid,text_cut");
        assert_eq!("trace_id_invalid,text_cut".parse(), Ok(flaws));
        assert_eq!((Flaws::NONE.to_string().as_str(), "".parse()), ("", Ok(Flaws::NONE)));
        assert!("text_cut,other".parse::<Flaws>().is_err());
        let all: Flaws = Flaw::ALL.iter().copied().collect();
        assert!(all.iter().eq(Flaw::ALL.iter().copied()));
    }
}
