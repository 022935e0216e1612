//! What the records that follow come from.
//!
//! A resource and a scope are translated when they are heard, and put together when there is a record of theirs: a scope
//! without any takes two bytes, and a request can have millions.

use std::sync::Arc;

use model::event::{Attributes, Flaws, Origin};

use super::RowLimits;
use super::names::{Filling, ORIGIN};
use super::texts::Texts;
use crate::otlp::resource::{Resource, Scope};

/// The present resource and scope.
#[derive(Debug, Default)]
pub(super) struct PresentOrigin {
    resource: PresentResource,
    scope: PresentScope,
    /// Both together, once there was a record.
    shared: Option<SharedOrigin>,
}

/// What all records of a scope share.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedOrigin {
    pub(super) origin: Arc<Origin>,
    pub(super) flaws: Flaws,
    /// What it takes, with each record anew: it is stored with every one of them.
    pub(super) bytes: usize,
}

#[derive(Debug, Default)]
struct PresentResource {
    /// The origin without its scope.
    origin: Origin,
    flaws: Flaws,
    text_bytes: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct PresentScope {
    name: Option<String>,
    version: Option<String>,
    attributes: Attributes,
    dropped: Option<u64>,
    flaws: Flaws,
    bytes: usize,
}

/// What is kept for the scope of all bytes that both may have: a quarter.
const SCOPE_PART: usize = 4;

impl PresentOrigin {
    pub(super) fn set_resource(&mut self, resource: &Resource<'_>, limits: &RowLimits) {
        let budget = limits.max_origin_bytes - limits.max_origin_bytes / SCOPE_PART;
        let mut texts = Texts::of_origin(limits, budget);
        texts.flaws = resource.beyond.flaws();
        let mut filling = Filling::of(&ORIGIN);
        filling.kept.expect_up_to(resource.attributes.len());
        for attribute in &resource.attributes {
            filling.put(&attribute.key, &attribute.value, &mut texts);
        }
        let (fields, kept) = filling.end(&mut texts);
        let bytes = texts.bytes() + kept.bytes();
        let origin = Origin {
            dropped_resource_attributes: kept.dropped(resource.dropped_attributes_count),
            resource_attributes: kept.attributes,
            ..fields
        };
        self.resource = PresentResource { origin, flaws: texts.flaws, text_bytes: texts.bytes(), bytes };
        // A scope follows before any record does.
        self.scope = PresentScope::default();
        self.shared = None;
    }

    pub(super) fn set_scope(&mut self, scope: &Scope<'_>, limits: &RowLimits) {
        let budget = limits.max_origin_bytes.saturating_sub(self.resource.text_bytes);
        let mut texts = Texts::of_origin(limits, budget);
        texts.flaws = scope.beyond.flaws();
        let name = texts.of_some(&scope.name);
        let version = texts.of_some(&scope.version);
        let kept = texts.attributes(&scope.attributes);
        self.scope = PresentScope {
            name,
            version,
            dropped: kept.dropped(scope.dropped_attributes_count),
            flaws: texts.flaws,
            bytes: texts.bytes() + kept.bytes(),
            attributes: kept.attributes,
        };
        self.shared = None;
    }

    /// What a record of the present scope comes from.
    pub(super) fn shared(&mut self) -> SharedOrigin {
        let Self { resource, scope, shared } = self;
        shared.get_or_insert_with(|| together(resource, scope)).clone()
    }
}

fn together(resource: &PresentResource, scope: &mut PresentScope) -> SharedOrigin {
    let mut origin = resource.origin.clone();
    origin.scope_name = scope.name.take();
    origin.scope_version = scope.version.take();
    origin.scope_attributes = std::mem::take(&mut scope.attributes);
    if let Some(dropped) = scope.dropped {
        let before = origin.dropped_resource_attributes.unwrap_or(0);
        origin.dropped_resource_attributes = Some(before.saturating_add(dropped));
    }
    SharedOrigin {
        origin: Arc::new(origin),
        flaws: resource.flaws.join(scope.flaws),
        bytes: resource.bytes + scope.bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_without_records_is_not_put_together_with_its_resource() {
        let (limits, mut present) = (RowLimits::default(), PresentOrigin::default());
        present.set_resource(&Resource::default(), &limits);
        for _ in 0..3 {
            present.set_scope(&Scope { name: "lib".into(), ..Scope::default() }, &limits);
            assert!(present.shared.is_none());
        }
        let first = present.shared();
        assert_eq!(first.origin.scope_name.as_deref(), Some("lib"));
        assert!(Arc::ptr_eq(&first.origin, &present.shared().origin), "records share it");
        present.set_scope(&Scope::default(), &limits);
        assert_eq!(present.shared().origin.scope_name, None);
    }
}
