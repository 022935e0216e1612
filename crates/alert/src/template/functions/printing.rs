//! Functions that print values.

use super::given::Given;
use super::strings;
use crate::template::printf::{print, printf};
use crate::template::value::Value;

/// A way to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum Printing {
    Print,
    Printf,
    Println,
    Html,
    Js,
    UrlQuery,
}

impl Printing {
    pub(super) fn of(self, given: &Given<'_>) -> Result<String, String> {
        let arguments = given.arguments;
        Ok(match self {
            Self::Print => print(arguments),
            Self::Println => line(arguments),
            Self::Html => strings::html(&print(arguments)),
            Self::Js => strings::js(&print(arguments)),
            Self::UrlQuery => strings::query_escape(&print(arguments)),
            Self::Printf => match arguments.split_first() {
                Some((Value::Text(format), rest)) => printf(format, rest),
                Some((other, _)) => return Err(given.wrong("string", other)),
                None => return Err(given.count("at least 1")),
            },
        })
    }
}

/// All values with a space between each two.
fn line(values: &[Value]) -> String {
    let mut line = values.iter().map(Value::printed).collect::<Vec<_>>().join(" ");
    line.push('\n');
    line
}
