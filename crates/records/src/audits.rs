//! Records of what is audited, among those of logs: they are rows of a table of their own, `audit_events`, and are
//! searched, counted and shown with the rows of `logs` as one stream of records.
//!
//! Where something lies in the one table is said for the other here ([`in_table`]), once; what a row of it is as a
//! record of a log says [`log_of_audit`]. Both take what `ingest` keeps of such a record as attributes for what it was.
//! What tells them from other records is their category: `audit`, or `security`.

mod view;

use std::collections::BTreeSet;

use model::event::{AuditCategory, AuditEvent, AuditOutcome};
use search::{Datum, Record, Scope, Test};
use store::{Entries, Predicate, Table};

use crate::Kind;
use crate::compile::first_of;
use crate::fields::{Holds, OWN, Source, Sources, attribute, conventions, field, is_labelled, origin};

pub use view::{bytes_of_audit, category_of, log_of_audit};

/// The attribute of a record that says whether it is one of what is audited.
pub(crate) const CATEGORY: &str = "category";
/// What it says of most.
pub(crate) const AUDIT: &str = "audit";
/// What it says of those that concern who may do what.
pub(crate) const SECURITY: &str = "security";

/// The category of a record, by what kind of thing was done.
pub(crate) const fn category(of: AuditCategory) -> &'static str {
    match of {
        AuditCategory::UserAction | AuditCategory::System => AUDIT,
        AuditCategory::Security => SECURITY,
    }
}

/// Where the same lies in the rows of a table that lies in these places of the kind's own.
pub(crate) fn in_table(table: Table, sources: Sources) -> Sources {
    if table != Table::AuditEvents {
        return sources;
    }
    let mut own = Sources::new();
    for source in sources.into_iter().flat_map(of_audits) {
        if !own.contains(&source) {
            own.push(source);
        }
    }
    own
}

/// What is read of the rows of a table.
pub(crate) struct Columns {
    /// Each once.
    pub(crate) columns: Vec<&'static str>,
    /// The attributes in them that are looked at.
    pub(crate) entries: Entries,
}

/// The columns of a table in which these places of the kind's own lie.
pub(crate) fn columns_in(table: Table, sources: impl IntoIterator<Item = Source>) -> Columns {
    let sources = in_table(table, sources.into_iter().collect());
    let mut columns: Vec<&'static str> = sources.iter().map(Source::column).collect();
    columns.sort_unstable();
    columns.dedup();
    let entries = columns.iter().fold(Entries::all(), |entries, column| {
        let of_column = sources.iter().filter(|source| source.column() == *column);
        let names = of_column.map(|source| match source {
            Source::Attribute(_, name) => Some(name.clone()),
            Source::Column(..) | Source::Labelled(..) => None,
        });
        match names.collect::<Option<BTreeSet<String>>>() {
            Some(names) => entries.only(*column, names),
            None => entries,
        }
    });
    Columns { columns, entries }
}

/// Rows of a table in which a column of the kind's own has a value, wherever that lies.
pub(crate) fn equals(table: Table, column: &'static str, value: &str) -> Predicate {
    let sources = in_table(table, vec![Source::Column(column, Holds::Text)]);
    first_of(sources, &Test::Equals(value.to_owned()))
}

fn of_audits(source: Source) -> Sources {
    match source {
        Source::Column(column, holds) => of_column(column, holds),
        Source::Attribute(_, key) => of_attribute(key),
        Source::Labelled(_, label) => vec![Source::Labelled(OWN, label)],
    }
}

/// Where a column of logs lies.
fn of_column(column: &'static str, holds: Holds) -> Sources {
    let text = |column| Source::Column(column, Holds::Text);
    let own = |name: &str| vec![Source::Attribute(OWN, name.to_owned())];
    match column {
        "time" | "event_id" | "service" | "host" | "job_id" | "document_id" | "tenant" | "user_id"
        | "request_id" | "trace_id" => vec![Source::Column(column, holds)],
        // What has no words says what was done.
        "message" => vec![text("message"), text("action")],
        "event_name" => vec![text("action")],
        "level" | "span_id" | "dropped_attributes" => own(column),
        "severity_text" => own("severity"),
        "scope_name" => own("otel.scope.name"),
        "scope_version" => own("otel.scope.version"),
        // What is kept of the others is kept under their present names. When a record was seen is not, nor are the
        // number of its severity, flags of its trace and its flaws.
        _ => {
            let known = conventions().chain(origin()).find(|(known, ..)| *known == column);
            known.and_then(|(_, _, names)| names.first()).map_or_else(Sources::new, |name| own(name))
        }
    }
}

/// Where an attribute lies. There is one map of them, in which those of resources are, too.
fn of_attribute(key: String) -> Sources {
    let (column, holds) = match key.as_str() {
        CATEGORY | "log.category" | "log_category" => {
            return vec![Source::Column("category", Holds::Category)];
        }
        "action" | "event.action" | "event_action" | "event.name" | "event_name" => ("action", Holds::Text),
        "audit.category" | "audit_category" | "event.category" | "event_category" => {
            ("category", Holds::Text)
        }
        "outcome" | "event.outcome" | "event_outcome" => ("outcome", Holds::Text),
        "actor" | "user.name" => ("user_id", Holds::Text),
        "target" | "resource" => ("target", Holds::Text),
        "client.address" | "client_address" | "client_ip" => ("client_ip", Holds::Text),
        _ => return vec![Source::Attribute(OWN, key)],
    };
    // What had no room in the column is an attribute.
    vec![Source::Attribute(OWN, key), Source::Column(column, holds)]
}

/// A record of what is audited, as a search of logs sees it.
#[derive(Clone, Copy, Debug)]
pub struct AuditRecord<'a>(pub &'a AuditEvent);

impl AuditRecord<'_> {
    fn first_of(&self, sources: Sources) -> Option<Datum<'_>> {
        let sources = in_table(Table::AuditEvents, sources);
        sources.iter().find_map(|source| match source {
            Source::Column(column, holds) => self.column(column, *holds),
            Source::Attribute(_, key) => self.0.attributes.get(key).map(|value| value.as_str().into()),
            Source::Labelled(_, label) => {
                let named = self.0.attributes.iter().rfind(|(key, _)| is_labelled(key, label));
                named.map(|(_, value)| value.as_str().into())
            }
        })
    }

    fn column(&self, name: &str, holds: Holds) -> Option<Datum<'_>> {
        let audit = self.0;
        let text = match name {
            "time" => return Some(Datum::Time(audit.time)),
            "category" if holds == Holds::Category => Some(category(audit.category)),
            "category" => Some(audit.category.as_str()),
            "outcome" => audit.outcome.map(AuditOutcome::as_str),
            "event_id" => Some(audit.event_id.as_str()),
            "action" => Some(audit.action.as_str()),
            "user_id" => audit.user_id.as_deref(),
            "target" => audit.target.as_deref(),
            "message" => audit.message.as_deref(),
            "client_ip" => audit.client_ip.as_deref(),
            "tenant" => audit.tenant.as_deref(),
            "service" => audit.service.as_deref(),
            "host" => audit.host.as_deref(),
            "job_id" => audit.job_id.as_deref(),
            "document_id" => audit.document_id.as_deref(),
            "request_id" => audit.request_id.as_deref(),
            "trace_id" => audit.trace_id.as_deref(),
            _ => None,
        };
        text.map(Datum::from)
    }
}

impl Record for AuditRecord<'_> {
    fn field(&self, name: &str) -> Option<Datum<'_>> {
        self.first_of(field(Kind::Logs, name))
    }

    fn attribute(&self, scope: Scope, name: &str) -> Option<Datum<'_>> {
        self.first_of(attribute(scope, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column that is new to logs lies somewhere in what is audited, or is said here to be nothing of it.
    #[test]
    fn what_columns_of_logs_have_lies_somewhere_but_for_what_is_not_kept() {
        const NOT_KEPT: [&str; 5] =
            ["observed_time", "severity_number", "trace_flags", "flaws", "dropped_resource_attributes"];
        let of_audits = store::schema(Table::AuditEvents);
        for column in store::schema(Table::Logs).fields() {
            let name: &'static str = column.name().clone().leak();
            if name.ends_with("attributes") && !name.starts_with("dropped") {
                continue;
            }
            let places = in_table(Table::AuditEvents, vec![Source::Column(name, Holds::Text)]);
            assert_eq!(places.is_empty(), NOT_KEPT.contains(&name), "{name}");
            for place in places {
                assert!(of_audits.field_with_name(place.column()).is_ok(), "{place:?}");
            }
        }
    }
}
