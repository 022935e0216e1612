//! How things look: colours where there are any, ASCII where there is nothing else.
//!
//! Views draw with the full set of characters and colours; [`Look::apply`] goes over the finished
//! picture and takes away what this terminal cannot show. It is also the last gate: no control
//! character gets past it, whatever a view did.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use super::grid::Tone;
use crate::show::{in_ascii, is_invisible, is_utf8};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) colour: bool,
    pub(crate) unicode: bool,
}

impl Look {
    /// As the environment says. `no_color` and `ascii` are what the command line says.
    pub(crate) fn of(no_color: bool, ascii: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|term| term == "dumb");
        Self {
            colour: !no_color && !dumb && set("NO_COLOR").is_none(),
            unicode: !ascii && is_utf8(&variable),
        }
    }

    /// Takes away what cannot be shown.
    pub(crate) fn apply(self, buffer: &mut Buffer) {
        for cell in &mut buffer.content {
            if cell.symbol().contains(|character: char| character.is_control() || is_invisible(character)) {
                cell.set_char('?');
            }
            if !self.unicode && !cell.symbol().is_ascii() {
                let shown = cell.symbol().chars().next().map_or('?', in_ascii);
                cell.set_char(shown);
            }
            if !self.colour {
                cell.fg = Color::Reset;
                cell.bg = Color::Reset;
            }
        }
    }
}

/// The style of a tone. Only the terminal's own sixteen colours: they follow its theme.
pub(crate) fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Quiet => Style::new().fg(Color::DarkGray),
        Tone::Good => Style::new().fg(Color::Green),
        Tone::Warning => Style::new().fg(Color::Yellow),
        Tone::Bad => Style::new().fg(Color::Red),
        Tone::Drawn => Style::new().fg(Color::Cyan),
    }
}

/// Headings.
pub(crate) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
/// The selected row.
pub(crate) const SELECTED: Style = Style::new().add_modifier(Modifier::REVERSED);
/// Lines between things.
pub(crate) const FAINT: Style = Style::new().fg(Color::DarkGray);

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    fn look(no_color: bool, ascii: bool, variables: &[(&str, &str)]) -> (bool, bool) {
        let look = Look::of(no_color, ascii, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        (look.colour, look.unicode)
    }

    #[test]
    fn the_environment_says_what_can_be_shown() {
        let usual = [("TERM", "xterm-256color"), ("LANG", "de_DE.UTF-8")];
        assert_eq!(look(false, false, &usual), (true, true));
        assert_eq!(look(true, true, &usual), (false, false));
        assert_eq!(
            look(false, false, &[("TERM", "xterm"), ("LANG", "C.utf8"), ("NO_COLOR", "1")]),
            (false, true)
        );
        assert_eq!(
            look(false, false, &[("TERM", "xterm"), ("NO_COLOR", "")]),
            (true, false),
            "an empty NO_COLOR says nothing"
        );
        assert_eq!(
            look(false, false, &[("TERM", "dumb"), ("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]),
            (false, false)
        );
        assert_eq!(look(false, false, &[]), (false, false));
    }

    #[test]
    fn nothing_gets_past_that_a_terminal_obeys() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer[(0, 0)].set_symbol("\u{1b}[2J").set_fg(Color::Red);
        buffer[(1, 0)].set_symbol("a\u{202e}");
        buffer[(2, 0)].set_symbol("█");
        buffer[(3, 0)].set_symbol("é");
        Look { colour: false, unicode: false }.apply(&mut buffer);
        let shown: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(shown, "??#?");
        assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset));
    }
}
