//! What telemetry comes from: a resource (a service, a process, a host) and a scope in it (a library).

use std::borrow::Cow;

use super::bounds::Beyond;
use super::value::KeyValue;

/// What produced the telemetry that follows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource<'a> {
    /// What describes it: `service.name` and the like.
    pub attributes: Vec<KeyValue<'a>>,
    /// How many more attributes the sender had.
    pub dropped_attributes_count: u32,
    /// The schema that its attributes follow.
    pub schema_url: Cow<'a, str>,
    /// What of it was not read.
    pub beyond: Beyond,
}

/// The part of it that produced the records that follow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope<'a> {
    /// Its name; empty where it is not known.
    pub name: Cow<'a, str>,
    /// Its version.
    pub version: Cow<'a, str>,
    /// What else describes it.
    pub attributes: Vec<KeyValue<'a>>,
    /// How many more attributes the sender had.
    pub dropped_attributes_count: u32,
    /// The schema that its records follow.
    pub schema_url: Cow<'a, str>,
    /// What of it was not read.
    pub beyond: Beyond,
}

/// Hears what a request holds, in its order: a resource, a scope of it, that scope's records, and so on.
///
/// A request is heard while it is read. When decoding ends with an error, what was heard is a part of a request that
/// is wrong, and whoever heard it forgets it.
pub trait Sink {
    /// What follows comes from another resource.
    fn resource(&mut self, resource: &Resource<'_>);
    /// What follows comes from another scope of the resource.
    fn scope(&mut self, scope: &Scope<'_>);
}
