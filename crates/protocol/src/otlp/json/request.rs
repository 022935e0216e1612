//! The frame that the requests of all signals have: resources, scopes in them, and records in these.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_path_to_error::Track;

use super::Read;
use super::object::{FromJson, Object, Seed, object, value};
use super::scalar::Raw;
use crate::otlp::bounds::Bounds;
use crate::otlp::error::{Fault, OtlpError};
use crate::otlp::resource::{Resource, Scope, Sink};

/// What the lists of a signal's requests are called.
pub(super) trait Names: Default {
    const RESOURCES: &'static str;
    const SCOPES: &'static str;
    const RECORDS: &'static str;
}

/// A request.
#[derive(Default)]
struct Request<'a, N> {
    resources: Raw<'a>,
    names: PhantomData<N>,
}

/// A resource and its scopes.
#[derive(Default)]
struct ResourceGroup<'a, N> {
    resource: Resource<'a>,
    schema_url: Cow<'a, str>,
    scopes: Raw<'a>,
    names: PhantomData<N>,
}

/// A scope and its records.
#[derive(Default)]
struct ScopeGroup<'a, N> {
    scope: Scope<'a>,
    schema_url: Cow<'a, str>,
    records: Raw<'a>,
    names: PhantomData<N>,
}

object!(Resource<'de>, "a resource", {
    "attributes" => attributes,
    "droppedAttributesCount" => dropped_attributes_count,
});

object!(Scope<'de>, "a scope", {
    "name" => name,
    "version" => version,
    "attributes" => attributes,
    "droppedAttributesCount" => dropped_attributes_count,
});

/// The objects whose lists are called differently by each signal.
macro_rules! group {
    ($type:ident, $what:literal, $list:ident: $list_name:ident $(, $field:ident: $name:literal)*) => {
        impl<'de, N: Names> Object<'de> for $type<'de, N> {
            const WHAT: &'static str = $what;

            fn field<A: MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
                bounds: &Bounds,
            ) -> Result<bool, A::Error> {
                match name {
                    _ if name == N::$list_name => self.$list = value(map, bounds)?,
                    $($name => self.$field = value(map, bounds)?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}
group!(Request, "an export request", resources: RESOURCES);
group!(ResourceGroup, "telemetry of a resource", scopes: SCOPES, resource: "resource", schema_url: "schemaUrl");
group!(ScopeGroup, "telemetry of a scope", records: RECORDS, scope: "scope", schema_url: "schemaUrl");

/// Takes a request apart: `record` gets each of its records.
pub(super) fn walk<'a, N: Names, T: FromJson<'a>, S: Sink>(
    body: &'a [u8],
    bounds: &Bounds,
    sink: &mut S,
    mut record: impl FnMut(T, &mut S) -> Read<()>,
) -> Read<()> {
    let text = std::str::from_utf8(body).map_err(|_| Fault::NotUtf8)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let request = Request::<N>::from_json(&mut deserializer, bounds);
    let request = request.and_then(|request| deserializer.end().map(|()| request));
    let request = request.map_err(|error| Fault::json(&error.to_string()))?;
    each(request.resources, N::RESOURCES, bounds, |group: ResourceGroup<'a, N>| {
        let (schema_url, beyond) = (group.schema_url, bounds.beyond());
        sink.resource(&Resource { schema_url, beyond, ..group.resource });
        each(group.scopes, N::SCOPES, bounds, |group: ScopeGroup<'a, N>| {
            let (schema_url, beyond) = (group.schema_url, bounds.beyond());
            sink.scope(&Scope { schema_url, beyond, ..group.scope });
            each(group.records, N::RECORDS, bounds, |one| record(one, sink))
        })
    })
}

/// Hands each item of a list to `take`; an error says which one it was.
pub(super) fn each<'a, T: FromJson<'a>>(
    list: Raw<'a>,
    field: &str,
    bounds: &Bounds,
    take: impl FnMut(T) -> Read<()>,
) -> Read<()> {
    let Some(raw) = list.0 else { return Ok(()) };
    let mut failed = None;
    let items = Items { field, bounds, take, failed: &mut failed, kind: PhantomData };
    let read = serde_json::Deserializer::from_str(raw.get()).deserialize_seq(items);
    read.map_err(|error| failed.unwrap_or_else(|| OtlpError::from(fault(&error)).within(field)))
}

/// What is wrong; the line and the column would be those of a part of the request, and are left out.
fn fault(error: &impl fmt::Display) -> Fault {
    let text = error.to_string();
    let is_place =
        |place: &str| place.bytes().all(|byte| byte.is_ascii_digit() || b" column".contains(&byte));
    let words = text.rsplit_once(" at line ").filter(|(_, place)| is_place(place));
    Fault::json(words.map_or(text.as_str(), |(words, _)| words))
}

/// Goes over the items of a list.
struct Items<'i, T, F> {
    field: &'i str,
    bounds: &'i Bounds,
    take: F,
    /// What went wrong with an item, and where.
    failed: &'i mut Option<OtlpError>,
    kind: PhantomData<T>,
}

impl<'de, T: FromJson<'de>, F: FnMut(T) -> Read<()>> Visitor<'de> for Items<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            self.bounds.begin();
            let item = Item { bounds: self.bounds, failed: self.failed, kind: PhantomData };
            let taken = match seq.next_element_seed(item) {
                Ok(None) => return Ok(()),
                Ok(Some(item)) => (self.take)(item).map_err(|error| {
                    *self.failed = Some(error);
                    A::Error::custom("an item is wrong")
                }),
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                *self.failed = self.failed.take().map(|error| error.within_item(self.field, index));
                return Err(error);
            }
            index += 1;
        }
    }
}

/// Reads an item, and notes where in it something is wrong.
struct Item<'i, T> {
    bounds: &'i Bounds,
    failed: &'i mut Option<OtlpError>,
    kind: PhantomData<T>,
}

impl<'de, T: FromJson<'de>> DeserializeSeed<'de> for Item<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let mut track = Track::new();
        let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        Seed::new(self.bounds).deserialize(tracked).inspect_err(|error| {
            let path = track.path().to_string();
            let error = OtlpError::from(fault(error));
            // A path of nothing is written as a point.
            *self.failed = Some(if path == "." { error } else { error.within(&path) });
        })
    }
}
