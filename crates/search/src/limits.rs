//! How large a query may be. Queries come from outside, and everything behind the parser walks them by
//! recursion or keeps them for as long as a search runs.

/// The longest text, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 << 10;
/// The most brackets and negations in each other.
pub const MAX_DEPTH: usize = 64;
/// The most terms: words, phrases and conditions on fields.
pub const MAX_TERMS: usize = 1_000;
/// The longest name of a field, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// The most words of a phrase.
pub const MAX_PHRASE_WORDS: usize = 256;
/// The longest regular expression, or word with wildcards, in bytes.
pub const MAX_PATTERN_BYTES: usize = 4 << 10;
/// The most regular expressions and words with wildcards together.
pub const MAX_PATTERNS: usize = 64;
/// The largest compiled pattern, in bytes.
pub const MAX_COMPILED_BYTES: usize = 1 << 20;
/// The most hints that come with one query.
pub const MAX_HINTS: usize = 16;
