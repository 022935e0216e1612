//! One record of `/dev/kmsg`: `priority,sequence,microseconds,flags;text`.
//!
//! The format is the kernel's `Documentation/ABI/testing/dev-kmsg`. Who writes to `/dev/kmsg` from
//! user space cannot choose the kernel's facility: its records carry another, and are told apart by it.

use std::time::Duration;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// Counts up from the start of the host.
    pub(crate) sequence: u64,
    /// When it was written, on the kernel's own clock, which begins at the start of the host.
    pub(crate) since_boot: Duration,
    /// Whether the kernel wrote it, and no program.
    pub(crate) by_kernel: bool,
    /// How severe it is, as syslog counts: 0 to 7.
    pub(crate) severity: u8,
    /// What it says: its first line.
    pub(crate) text: &'a str,
}

impl<'a> Record<'a> {
    /// Reads a record; `None` when it is none.
    pub(crate) fn parse(record: &'a str) -> Option<Self> {
        let (prefix, text) = record.split_once(';')?;
        let mut fields = prefix.split(',');
        let priority: u32 = fields.next()?.parse().ok()?;
        let sequence = fields.next()?.parse().ok()?;
        let micros = fields.next()?.parse().ok()?;
        Some(Self {
            sequence,
            since_boot: Duration::from_micros(micros),
            // The three lowest bits are the level, the others the facility; 0 is the kernel's.
            by_kernel: priority >> 3 == 0,
            severity: (priority & 7) as u8,
            text: text.split('\n').next().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_is_taken_apart() {
        let record =
            Record::parse("6,339,5140900,-,caller=T1;NET: Registered protocol family 10\n SUBSYSTEM=net\n");
        let expected = Record {
            sequence: 339,
            since_boot: Duration::from_micros(5_140_900),
            by_kernel: true,
            severity: 6,
            text: "NET: Registered protocol family 10",
        };
        assert_eq!(record, Some(expected));
    }

    #[test]
    fn what_a_program_wrote_is_not_the_kernels() {
        for (line, by_kernel) in [("3,1,1,-;x", true), ("12,1,1,-;x", false), ("30,1,1,-;x", false)] {
            assert_eq!(Record::parse(line).map(|record| record.by_kernel), Some(by_kernel), "{line}");
        }
    }

    #[test]
    fn what_is_no_record_is_none() {
        for line in [
            "",
            ";",
            "x",
            "6;text",
            "6,1;text",
            "6,1,x,-;text",
            "-6,1,1,-;t",
            "6,1,1,-",
            "99999999999,1,1,-;t",
        ] {
            assert_eq!(Record::parse(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
            let _ = Record::parse(&text);
        }
    }
}
