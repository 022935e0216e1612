//! Why parts of a request are not taken, as their sender is told.

use std::fmt;

/// The most reasons that are told.
const MAX_REASONS: usize = 10;

/// Reasons in words that say what to change: the first few, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons(Vec<String>);

impl Reasons {
    /// Adds one, unless it is there or there are many.
    pub fn add(&mut self, reason: &str) {
        if self.0.len() < MAX_REASONS && !self.0.iter().any(|known| known == reason) {
            self.0.push(reason.to_owned());
        }
    }

    /// Those that are told, in their order.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl<S: AsRef<str>> Extend<S> for Reasons {
    fn extend<I: IntoIterator<Item = S>>(&mut self, reasons: I) {
        reasons.into_iter().for_each(|reason| self.add(reason.as_ref()));
    }
}

impl<S: AsRef<str>> FromIterator<S> for Reasons {
    fn from_iter<I: IntoIterator<Item = S>>(reasons: I) -> Self {
        let mut all = Self::default();
        all.extend(reasons);
        all
    }
}

impl fmt::Display for Reasons {
    /// All of them, with semicolons between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, reason) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            f.write_str(reason)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_once_and_not_more_than_a_few_are() {
        let reasons: Reasons = ["b", "a", "b"].into_iter().collect();
        assert_eq!((reasons.to_string().as_str(), Reasons::default().to_string().as_str()), ("b; a", ""));
        let many: Reasons = (0..1000).map(|number| number.to_string()).collect();
        assert_eq!(many.as_slice().len(), MAX_REASONS);
        assert_eq!(many.as_slice()[0], "0");
    }
}
