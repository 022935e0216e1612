//! What is wrong with a pattern, in the words of Go's library, which Prometheus shows.

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is not read.
    #[error("error parsing regexp: {fault}: `{part}`")]
    Syntax {
        /// What is wrong.
        fault: Fault,
        /// With which part of the pattern.
        part: String,
    },
    /// It would take too much memory.
    #[error("the regular expression `{pattern}` takes more than {limit} bytes when compiled")]
    TooLarge {
        /// The pattern.
        pattern: String,
        /// How much it may take.
        limit: usize,
    },
}

/// A mistake in a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A range whose ends are the wrong way round, or a set of characters that there is not.
    #[error("invalid character class range")]
    Range,
    /// A backslash before something that it gives no meaning.
    #[error("invalid escape sequence")]
    Escape,
    /// A name of a group that is none.
    #[error("invalid named capture")]
    NamedCapture,
    /// A name that two groups have. Go takes it; which of the two a replacement means is then decided by the text.
    #[error("duplicate capture group name")]
    DuplicateName,
    /// A group that begins with `(?` and something unknown.
    #[error("invalid or unsupported Perl syntax")]
    PerlSyntax,
    /// A repetition of a repetition.
    #[error("invalid nested repetition operator")]
    NestedRepetition,
    /// A repetition of more than a thousand, also of several in each other, or one whose least is more than its most.
    #[error("invalid repeat count")]
    RepeatCount,
    /// A repetition of nothing.
    #[error("missing argument to repetition operator")]
    NothingToRepeat,
    /// A class of characters without an end.
    #[error("missing closing ]")]
    MissingBracket,
    /// A group without an end.
    #[error("missing closing )")]
    MissingParenthesis,
    /// An end without a group.
    #[error("unexpected )")]
    UnexpectedParenthesis,
    /// A backslash with nothing behind it.
    #[error("trailing backslash at end of expression")]
    TrailingBackslash,
    /// Too many groups and repetitions in each other.
    #[error("expression nests too deeply")]
    TooDeep,
}

impl Fault {
    /// The error that a part of a pattern has this.
    pub(super) fn at(self, part: &str) -> PatternError {
        PatternError::Syntax { fault: self, part: part.to_owned() }
    }
}
