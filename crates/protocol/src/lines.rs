//! What a line of a log says, for sources that send lines: Loki's shippers and syslog.

use model::event::LogEvent;

use crate::otlp::rows::texts::Texts;

/// Puts a line into a record that has everything else that was sent with it. The one place where lines of these
/// sources are read: a line is the message as it stands.
pub(crate) fn take_line(line: &str, log: &mut LogEvent, texts: &mut Texts<'_>) {
    log.message = texts.of_some(line);
}
