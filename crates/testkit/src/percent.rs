//! Texts in the address of a question.

/// A text as the value of a parameter: every byte that is not a letter or a digit as `%` and two digits.
pub fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
