//! Numbers as exporters write them, and as `le` and `quantile` are written in labels.

/// Whole numbers of up to so many digits are exact.
const EXACT_DIGITS: usize = 15;

/// The number that a text is: decimal, or `NaN`, `+Inf`, `-Inf` in any case. No NaN but the usual one comes from it.
#[inline]
pub(super) fn parse(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return None;
    }
    // Most values are small whole numbers.
    if bytes.len() <= EXACT_DIGITS && bytes.iter().all(u8::is_ascii_digit) {
        let whole = bytes.iter().fold(0u64, |whole, digit| whole * 10 + u64::from(digit - b'0'));
        return Some(whole as f64);
    }
    let value: f64 = text.parse().ok()?;
    Some(if value.is_nan() { f64::NAN } else { value })
}

/// A time in seconds, as milliseconds since the epoch.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let value = parse(text)?;
    value.is_finite().then_some((value * 1000.0).round() as i64)
}

/// Whether a text is written as [`canonical`] writes it, as far as can be seen at a glance.
fn is_canonical(text: &str) -> bool {
    if matches!(text, "+Inf" | "-Inf" | "NaN") {
        return true;
    }
    let Some((whole, fraction)) = text.split_once('.') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && whole.len() <= 6
        && (whole == "0" || !whole.starts_with('0'))
        && (fraction.len() == 1 || !fraction.ends_with('0'))
        && !text.starts_with("0.0000")
}

/// `le` and `quantile` in the one form that they are stored in, whatever client wrote them: `1` becomes `1.0`.
/// Nothing when it is in this form already, or is no number.
pub(super) fn normalized(text: &str) -> Option<String> {
    if is_canonical(text) {
        return None;
    }
    parse(text).map(canonical)
}

/// A number as OpenMetrics writes it in `le` and `quantile`: always with a point or an exponent, as Go does it.
pub(super) fn canonical(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = value.to_string();
    if plain.contains('.') { plain } else { plain + ".0" }
}
