//! What the records that follow come from.

use std::sync::Arc;

use model::event::{Flaws, Origin};

use super::RowLimits;
use super::names::{Filling, ORIGIN};
use super::texts::Texts;
use crate::otlp::resource::{Resource, Scope};

/// The present resource and scope.
#[derive(Debug, Default)]
pub(super) struct PresentOrigin {
    resource: Origin,
    resource_flaws: Flaws,
    /// Shared by all records of the scope.
    pub(super) origin: Arc<Origin>,
    pub(super) flaws: Flaws,
}

impl PresentOrigin {
    pub(super) fn set_resource(&mut self, resource: &Resource<'_>, limits: &RowLimits) {
        let mut texts = Texts::new(limits, Flaws::NONE);
        let mut filling = Filling::of(&ORIGIN);
        for attribute in &resource.attributes {
            filling.put(&attribute.key, &attribute.value, &mut texts);
        }
        let dropped = filling.kept.dropped(resource.dropped_attributes_count);
        self.resource = Origin {
            resource_attributes: filling.kept.attributes,
            dropped_resource_attributes: dropped,
            ..filling.fields
        };
        self.resource_flaws = texts.flaws;
        // A scope follows before any record does.
        self.origin = Arc::default();
        self.flaws = texts.flaws;
    }

    pub(super) fn set_scope(&mut self, scope: &Scope<'_>, limits: &RowLimits) {
        let mut texts = Texts::new(limits, self.resource_flaws);
        let mut origin = self.resource.clone();
        origin.scope_name = texts.of_some(&scope.name);
        origin.scope_version = texts.of_some(&scope.version);
        let kept = texts.attributes(&scope.attributes);
        if let Some(dropped) = kept.dropped(scope.dropped_attributes_count) {
            let before = origin.dropped_resource_attributes.unwrap_or(0);
            origin.dropped_resource_attributes = Some(before.saturating_add(dropped));
        }
        origin.scope_attributes = kept.attributes;
        self.origin = Arc::new(origin);
        self.flaws = texts.flaws;
    }
}
