//! Errors as people read them: with their causes, in one line.

use std::error::Error;

/// An error and its causes. Some errors of others say their cause's words as well as have it: those are told once.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    /// As Parquet's: it says its cause's words, and has it.
    #[derive(Debug)]
    struct External(std::io::Error);

    impl fmt::Display for External {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "External: {}", self.0)
        }
    }

    impl Error for External {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_cause_that_an_error_tells_itself_is_told_once() {
        let full = || std::io::Error::from_raw_os_error(28);
        let cases = [
            (anyhow::Error::from(full()), "could not write x: No space left on device (os error 28)"),
            (External(full()).into(), "could not write x: External: No space left on device (os error 28)"),
        ];
        for (error, wanted) in cases {
            assert_eq!(told(error.context("could not write x").as_ref()), wanted);
        }
    }
}
