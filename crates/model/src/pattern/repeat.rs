//! Repetitions by counts: `{2}`, `{2,}`, `{2,3}`. Every other brace is a character.

/// How often something may be repeated, also by several counts in each other.
const MOST: u32 = 1000;

/// How often something is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    least: u32,
    most: Option<u32>,
}

impl Counts {
    pub(super) fn are_allowed(self) -> bool {
        self.least <= MOST && !self.most.is_some_and(|most| most > MOST || most < self.least)
    }

    /// How often the innermost is repeated that is in something which itself has a weight; nothing when that is too
    /// often. What is repeated no times counts for nothing, and without a most it is the least that counts.
    pub(super) fn around(self, weight: u32) -> Option<u32> {
        let product = match self.most.unwrap_or(self.least) {
            0 if self.most.is_some() => 1,
            0 => weight,
            times => weight.saturating_mul(times),
        };
        (product <= MOST).then_some(product)
    }
}

/// The counts that a text begins with, and what follows them; nothing when its brace is a character.
pub(super) fn counts(text: &str) -> Option<(Counts, &str)> {
    let (least, rest) = number(text.strip_prefix('{')?)?;
    let (most, rest) = match rest.strip_prefix(',') {
        None => (Some(least), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => number(rest).map(|(most, rest)| (Some(most), rest))?,
    };
    Some((Counts { least, most }, rest.strip_prefix('}')?))
}

/// A number without zeros before it. One that is too large is larger than any that is allowed.
fn number(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let is_number = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
    is_number.then(|| (digits.parse().unwrap_or(u32::MAX), rest))
}
