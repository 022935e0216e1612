use model::event::columns::{OF_ORIGIN, OF_RECORD};

use super::*;

fn field(name: &str, kind: Kind) -> Target {
    Target::Field { name: name.to_owned(), kind }
}

fn attribute(scope: Scope, name: &str) -> Target {
    Target::Attribute { scope, name: name.to_owned() }
}

#[test]
fn names_mean_fields_or_else_attributes() {
    let cases = [
        ("service", field("service", Kind::Keyword)),
        ("svc", field("service", Kind::Keyword)),
        ("service.name", field("service", Kind::Keyword)),
        ("resource.service.name", field("service", Kind::Keyword)),
        ("severity", field("level", Kind::Level)),
        ("http.response.status_code", field("http.response.status_code", Kind::Number)),
        ("attributes.http.response.status_code", field("http.response.status_code", Kind::Number)),
        ("resource.http.response.status_code", attribute(Scope::Resource, "http.response.status_code")),
        ("attributes.level", attribute(Scope::Record, "level")),
        ("resource.k8s.pod.name", attribute(Scope::Resource, "k8s.pod.name")),
        ("team", attribute(Scope::Any, "team")),
        ("tenant", field("tenant", Kind::Keyword)),
        ("attributes.tenant", attribute(Scope::Record, "tenant")),
        ("resource.tenant", attribute(Scope::Resource, "tenant")),
        ("gen_ai.usage.prompt_tokens", field("gen_ai.usage.prompt_tokens", Kind::Number)),
        ("attributes.db.statement", field("db.statement", Kind::Text)),
        ("user_id", field("user_id", Kind::Id)),
        ("http_status_code", field("http_status_code", Kind::Number)),
        ("deployment.environment", field("deployment.environment", Kind::Keyword)),
        ("resource.service.version", attribute(Scope::Resource, "service.version")),
        ("event.name", field("event_name", Kind::Keyword)),
        ("attributes.", attribute(Scope::Any, "attributes.")),
        ("Service", attribute(Scope::Any, "Service")),
    ];
    for (name, target) in cases {
        assert_eq!(Schema::logs().target(name), target, "{name}");
    }
}

#[test]
fn every_name_that_fills_a_column_is_known_and_so_is_the_column() {
    for schema in [Schema::logs(), Schema::spans()] {
        let of_record = OF_RECORD.iter().flat_map(|column| column.names.iter().chain([&column.name]));
        let of_origin = OF_ORIGIN.iter().flat_map(|column| column.names.iter().chain([&column.name]));
        for name in of_record.chain(of_origin) {
            assert!(matches!(schema.target(name), Target::Field { .. }), "{name}");
        }
    }
}

#[test]
fn what_the_shipped_schemas_search_and_go_by_they_have() {
    for schema in [Schema::logs(), Schema::spans()] {
        let has = |name: &str| schema.fields().any(|(field, _)| field == name);
        assert!(schema.searched().iter().all(|name| has(name)));
        assert!(schema.aliases().all(|(_, name)| has(name)));
        assert!(schema.clock().is_some_and(has));
    }
}

#[test]
fn a_slip_of_the_pen_has_a_nearest_name_and_another_word_has_none() {
    let cases = [
        ("servce", Some("service")),
        ("Service", Some("service")),
        ("trace-id", Some("trace_id")),
        ("http.response.status", Some("http.response.status_code")),
        ("team", None),
        ("x", None),
    ];
    for (name, expected) in cases {
        assert_eq!(Schema::logs().nearest(name), expected, "{name}");
    }
    assert_eq!(Schema::logs().nearest(&"service".repeat(100)), None);
}
