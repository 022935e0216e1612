//! What is wrong with a pattern, in the words of Go's library, which Prometheus and Loki show.

/// A pattern that is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {fault}: `{part}`")]
pub struct SyntaxError {
    /// What is wrong.
    pub fault: Fault,
    /// With which part of the pattern.
    pub part: String,
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
    pub fn at(self, part: &str) -> SyntaxError {
        SyntaxError { fault: self, part: part.to_owned() }
    }
}
