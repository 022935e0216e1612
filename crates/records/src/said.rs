//! What a record says under names that all senders share, one by one.

use model::event::{Conventions, Origin};
use search::Datum;

use crate::event::{of_conventions, of_origin};
use crate::fields::{self, Named};

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
    each(fields::conventions(), |column| of_conventions(conventions, column))
}

/// What is said of where records come from.
pub fn said_of_origin(origin: &Origin) -> impl Iterator<Item = Said<'_>> {
    each(fields::origin(), |column| of_origin(origin, column))
}

fn each<'a>(
    table: impl Iterator<Item = Named>,
    value: impl Fn(&'static str) -> Option<Datum<'a>>,
) -> impl Iterator<Item = Said<'a>> {
    table.filter_map(move |(column, _, names)| {
        let name = *names.first()?;
        value(column).map(|value| Said { column, name, value })
    })
}
