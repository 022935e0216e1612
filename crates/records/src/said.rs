//! What a record says under names that all senders share, one by one.

use model::event::{Conventions, Origin};
use search::Datum;

use crate::event::{of_conventions, of_origin};
use crate::fields::{CONVENTIONS, Named, ORIGIN};

/// One thing that is said.
#[derive(Clone, Debug, PartialEq)]
pub struct Said<'a> {
    /// The column that has it.
    pub column: &'static str,
    /// The present name of the attribute.
    pub name: &'static str,
    /// What: a text or a number.
    pub value: Datum<'a>,
}

/// What a record says of itself.
pub fn said(conventions: &Conventions) -> impl Iterator<Item = Said<'_>> {
    each(CONVENTIONS, |column| of_conventions(conventions, column))
}

/// What is said of where records come from.
pub fn said_of_origin(origin: &Origin) -> impl Iterator<Item = Said<'_>> {
    each(ORIGIN, |column| of_origin(origin, column))
}

fn each<'a>(
    table: &'static [Named],
    value: impl Fn(&'static str) -> Option<Datum<'a>>,
) -> impl Iterator<Item = Said<'a>> {
    table.iter().filter_map(move |(column, _, names)| {
        let (column, name) = (*column, *names.first()?);
        value(column).map(|value| Said { column, name, value })
    })
}
