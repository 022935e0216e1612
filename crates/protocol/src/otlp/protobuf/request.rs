//! The frame that the requests of all signals have: resources, scopes in them, and records in these.

use super::Read;
use super::value::{put_attribute, text, uint32};
use crate::otlp::bounds::Bounds;
use crate::otlp::resource::{Resource, Scope, Sink};
use crate::wire::{Fields, Malformed, Value};

/// What the lists of a request are called.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) resources: &'static str,
    pub(super) scopes: &'static str,
    pub(super) records: &'static str,
}

/// Goes over a request: `record` gets each record's message.
pub(super) struct Walk<'w, S, R> {
    pub(super) names: Names,
    pub(super) sink: &'w mut S,
    pub(super) bounds: &'w Bounds,
    pub(super) record: R,
}

impl<'a, S: Sink, R: FnMut(&'a [u8], &mut S) -> Read<()>> Walk<'_, S, R> {
    pub(super) fn request(&mut self, body: &'a [u8]) -> Read<()> {
        let name = self.names.resources;
        each(body, 1, name, |message| self.resource(message))
    }

    fn resource(&mut self, message: &'a [u8]) -> Read<()> {
        self.bounds.begin();
        let mut resource = Resource::default();
        // What holds for all records may stand behind them.
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(message)) => {
                    read_resource(message, self.bounds, &mut resource)
                        .map_err(|error| error.within("resource"))?;
                }
                (3, Value::Bytes(url)) => resource.schema_url = text(url, "schema_url")?,
                (number @ (1 | 3), _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        resource.beyond = self.bounds.beyond();
        self.sink.resource(&resource);
        let name = self.names.scopes;
        each(message, 2, name, |message| self.scope(message))
    }

    fn scope(&mut self, message: &'a [u8]) -> Read<()> {
        self.bounds.begin();
        let mut scope = Scope::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(message)) => {
                    read_scope(message, self.bounds, &mut scope).map_err(|error| error.within("scope"))?;
                }
                (3, Value::Bytes(url)) => scope.schema_url = text(url, "schema_url")?,
                (number @ (1 | 3), _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        scope.beyond = self.bounds.beyond();
        self.sink.scope(&scope);
        let Self { names, sink, bounds, record } = self;
        each(message, 2, names.records, |message| {
            bounds.begin();
            record(message, sink)
        })
    }
}

/// Hands each message of a list to `take`; an error says which one it was.
pub(super) fn each<'a>(
    message: &'a [u8],
    field: u32,
    name: &str,
    mut take: impl FnMut(&'a [u8]) -> Read<()>,
) -> Read<()> {
    let mut index = 0;
    for read in Fields::of(message) {
        match read? {
            (number, Value::Bytes(item)) if number == field => {
                take(item).map_err(|error| error.within_item(name, index))?;
                index += 1;
            }
            (number, _) if number == field => return Err(Malformed::Type(field).into()),
            _ => {}
        }
    }
    Ok(())
}

fn read_resource<'a>(message: &'a [u8], bounds: &Bounds, into: &mut Resource<'a>) -> Read<()> {
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(attribute)) => {
                put_attribute(attribute, "attributes", bounds, &mut into.attributes)?;
            }
            (2, Value::Number(count)) => into.dropped_attributes_count = uint32(count),
            (number @ 1..=2, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(())
}

fn read_scope<'a>(message: &'a [u8], bounds: &Bounds, into: &mut Scope<'a>) -> Read<()> {
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(name)) => into.name = text(name, "name")?,
            (2, Value::Bytes(version)) => into.version = text(version, "version")?,
            (3, Value::Bytes(attribute)) => {
                put_attribute(attribute, "attributes", bounds, &mut into.attributes)?;
            }
            (4, Value::Number(count)) => into.dropped_attributes_count = uint32(count),
            (number @ 1..=4, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(())
}
