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
        ("tenant", attribute(Scope::Any, "tenant")),
        ("attributes.", attribute(Scope::Any, "attributes.")),
        ("Service", attribute(Scope::Any, "Service")),
    ];
    for (name, target) in cases {
        assert_eq!(Schema::logs().target(name), target, "{name}");
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
        ("tenant", None),
        ("x", None),
    ];
    for (name, expected) in cases {
        assert_eq!(Schema::logs().nearest(name), expected, "{name}");
    }
    assert_eq!(Schema::logs().nearest(&"service".repeat(100)), None);
}
