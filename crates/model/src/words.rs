//! What a word of a text is: one rule for those who search and for those who keep.
//!
//! The store keeps filters of the words of its texts, and a search asks them for the words that it must
//! find. Both split texts here, for a word that only one of them sees is a row that is not found.

use std::borrow::Cow;

/// Which bytes are part of a word. A table: this is asked of every byte that is written.
const OF_WORD: [bool; 256] = {
    let mut of_word = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        of_word[byte] = value.is_ascii_alphanumeric() || value == b'_' || !value.is_ascii();
        byte += 1;
    }
    of_word
};

/// Whether a byte is part of a word: letters and digits of ASCII, `_`, and whatever is not ASCII.
#[inline]
pub const fn is_of_word(byte: u8) -> bool {
    OF_WORD[byte as usize]
}

/// The words of a text, in order, as they are written.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + bytes[from..].iter().position(|byte| is_of_word(*byte))?;
        let length = bytes[start..].iter().position(|byte| !is_of_word(*byte));
        from = length.map_or(bytes.len(), |length| start + length);
        // Words are parted by bytes of ASCII, so both ends lie between characters.
        Some(&text[start..from])
    })
}

/// A word without the difference of upper and lower case.
///
/// Each character stands for itself: unlike in `str::to_lowercase`, a sigma at the end of a word is one as
/// anywhere else. What is folded is a word as well, and folding it again changes nothing.
pub fn folded(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(word);
    }
    let lower = word.chars().flat_map(char::to_lowercase);
    Cow::Owned(lower.map(|character| if character == 'ς' { 'σ' } else { character }).collect())
}

#[cfg(test)]
mod tests;
