//! Text for a terminal: what comes from outside made harmless, and numbers as people read them.
//!
//! What a job, an error or a label says is written by whoever submits jobs. A terminal obeys control
//! characters wherever they come from, so everything from outside goes through [`clean`] once.

/// The most characters of one text that are shown.
pub(crate) const MAX_CHARS: usize = 4_096;

/// The text without what a terminal would obey or what would hide or reorder its neighbours.
///
/// Line breaks and tabs become spaces; other control characters become `�`, so that one sees that
/// something was there. Marks of direction and of no width go. What is too long is cut.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(MAX_CHARS));
    for (count, character) in text.chars().enumerate() {
        if count >= MAX_CHARS {
            cleaned.push('…');
            break;
        }
        match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => cleaned.push(' '),
            _ if character.is_control() => cleaned.push('\u{fffd}'),
            _ if is_invisible(character) => {}
            _ => cleaned.push(character),
        }
    }
    cleaned
}

/// Characters that change how their neighbours are shown and show nothing themselves.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Bytes: `312M`, `4.5G`. As in the rules, 1 G is 1024 M.
pub(crate) fn bytes(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "K", "M", "G", "T"] {
        if value.abs() < 999.5 {
            let digits = usize::from(value.abs() < 9.95 && unit != "B");
            return format!("{value:.digits$}{unit}");
        }
        value /= 1024.0;
    }
    format!("{value:.1}P")
}

/// A number: `7`, `0.4`, `12.3k`.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let (mut scaled, mut unit) = (value, "");
    for next in ["k", "M", "G", "T"] {
        if scaled.abs() < 9_999.5 {
            break;
        }
        scaled /= 1000.0;
        unit = next;
    }
    let digits = usize::from(scaled.abs() < 99.95 && scaled.fract() != 0.0);
    format!("{scaled:.digits$}{unit}")
}

/// A share, 0 to 1, in percent.
pub(crate) fn percent(ratio: f64) -> String {
    if ratio.is_finite() { format!("{:.0}%", ratio * 100.0) } else { "-".to_owned() }
}

/// Seconds: `850ms`, `42s`, `5m07s`, `3h12m`, `2d04h`.
pub(crate) fn seconds(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "-".to_owned();
    }
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0 if seconds > 0.0005 => format!("{:.0}ms", seconds * 1000.0),
        0..60 => format!("{whole}s"),
        60..3_600 => format!("{}m{:02}s", whole / 60, whole % 60),
        3_600..86_400 => format!("{}h{:02}m", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{}d{:02}h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last `width` values as a row of bars, from 0 to the largest of them.
pub(crate) fn sparkline(values: &[f64], width: usize) -> String {
    let shown = &values[values.len().saturating_sub(width)..];
    let top = shown.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    shown
        .iter()
        .map(|value| {
            if !value.is_finite() {
                return ' ';
            }
            let step = if top > 0.0 { (value.max(0.0) / top * 7.0).ceil() as usize } else { 0 };
            SPARKS[step.min(7)]
        })
        .collect()
}

/// A share, 0 to 1, as a bar of `width` characters.
pub(crate) fn bar(ratio: f64, width: usize) -> String {
    let ratio = if ratio.is_finite() { ratio.clamp(0.0, 1.0) } else { 0.0 };
    let filled = (ratio * width as f64).round() as usize;
    (0..width).map(|place| if place < filled { '█' } else { '░' }).collect()
}

/// Whether the locale can show more than ASCII, as `variable` gives the environment.
pub(crate) fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// What stands for a character where only ASCII can be shown.
pub(crate) fn in_ascii(character: char) -> char {
    match character {
        _ if character.is_ascii() => character,
        '▁' => '_',
        '▂' => '.',
        '▃' => ':',
        '▄' => '-',
        '▅' => '=',
        '▆' => '+',
        '▇' => '*',
        '█' | '●' => '#',
        '░' | '·' => '.',
        '─' | '–' | '—' => '-',
        '│' => '|',
        '▸' | '→' => '>',
        '▲' | '↑' => '^',
        '▼' | '↓' => 'v',
        '…' => '~',
        '×' => 'x',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let every: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        for chunk in every.chars().collect::<Vec<_>>().chunks(MAX_CHARS) {
            let cleaned = clean(&chunk.iter().collect::<String>());
            assert!(!cleaned.contains(|c: char| c.is_control() || is_invisible(c)), "{cleaned:?}");
        }
        assert_eq!(clean("a\x1b[31mb\nc\u{9b}d\u{202e}e"), "a\u{fffd}[31mb c\u{fffd}de");
        assert_eq!(clean(&"x".repeat(10_000)).chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(0.0, "0B"), (1023.0, "1.0K"), (512.0, "512B"), (4.5 * 1024.0 * 1024.0 * 1024.0, "4.5G")]
        {
            assert_eq!(bytes(value), text);
        }
        for (value, text) in [(0.0, "0"), (0.44, "0.4"), (112.0, "112"), (12_345.0, "12.3k"), (f64::NAN, "-")]
        {
            assert_eq!(number(value), text);
        }
        for (value, text) in [
            (0.0, "0s"),
            (0.25, "250ms"),
            (42.0, "42s"),
            (307.0, "5m07s"),
            (11_520.0, "3h12m"),
            (187_200.0, "2d04h"),
        ] {
            assert_eq!(seconds(value), text);
        }
    }

    #[test]
    fn bars_rise_with_their_values() {
        assert_eq!(sparkline(&[0.0, 1.0, 7.0, f64::NAN, 3.5], 9), "▁▂█ ▅");
        assert_eq!(sparkline(&[0.0, 0.0], 1), "▁");
        assert_eq!(bar(0.5, 4), "██░░");
        assert_eq!(bar(f64::NAN, 2), "░░");
        let ascii: String = (sparkline(&[0.0, 7.0], 2) + &bar(1.5, 1)).chars().map(in_ascii).collect();
        assert_eq!(ascii, "_##");
    }
}
