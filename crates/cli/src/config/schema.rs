//! Reading the JSON schema of the settings: what keys a table may have, and what they hold.

use serde_json::Value as Json;

/// What a schema says about the children of a value.
pub(super) struct Shape<'a> {
    /// The alternatives; all but one of them are usually `null`.
    nodes: Vec<&'a Json>,
}

/// What a schema says about one key.
pub(super) enum Child<'a> {
    /// It is known, and this is its schema.
    Known(&'a Json),
    /// Any key may stand here.
    Free,
    /// There is no such key.
    Unknown,
}

impl<'a> Shape<'a> {
    /// Follows references and takes alternatives apart.
    pub(super) fn of(root: &'a Json, node: &'a Json) -> Self {
        let mut nodes = Vec::new();
        gather(root, node, &mut nodes, 0);
        Self { nodes }
    }

    /// The schema of a key.
    pub(super) fn child(&self, name: &str) -> Child<'a> {
        if let Some(child) = self.nodes.iter().find_map(|node| node.get("properties")?.get(name)) {
            return Child::Known(child);
        }
        let mut closed = false;
        for node in &self.nodes {
            match node.get("additionalProperties") {
                Some(Json::Bool(false)) => closed = true,
                Some(child @ Json::Object(_)) => return Child::Known(child),
                _ => {}
            }
        }
        if closed { Child::Unknown } else { Child::Free }
    }

    /// The keys that have names, with their schemas.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&'a String, &'a Json)> {
        self.nodes.iter().filter_map(|node| node.get("properties")?.as_object()).flatten()
    }

    /// Whether a key must be there.
    pub(super) fn requires(&self, name: &str) -> bool {
        self.nodes.iter().any(|node| {
            node.get("required")
                .and_then(Json::as_array)
                .is_some_and(|names| names.iter().any(|known| known == name))
        })
    }

    /// The names of the keys.
    pub(super) fn names(&self) -> Vec<String> {
        self.properties().map(|(name, _)| name.clone()).collect()
    }

    /// The schema of an array's items.
    pub(super) fn items(&self) -> Option<&'a Json> {
        self.nodes.iter().find_map(|node| node.get("items"))
    }

    /// The schema of the values of a table with free keys.
    pub(super) fn values(&self) -> Option<&'a Json> {
        self.nodes
            .iter()
            .find_map(|node| node.get("additionalProperties").filter(|values| values.is_object()))
    }

    /// Whether a text may stand here.
    pub(super) fn takes_text(&self) -> bool {
        self.nodes.iter().any(|node| {
            let named = |json: &Json| json.as_str() == Some("string");
            match node.get("type") {
                Some(Json::Array(types)) => types.iter().any(named),
                Some(one) => named(one),
                None => node.get("enum").is_some() || node.get("const").is_some_and(Json::is_string),
            }
        })
    }

    /// What may stand here, in words.
    pub(super) fn type_name(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for node in &self.nodes {
            if let Some(values) = node.get("enum").and_then(Json::as_array) {
                names
                    .extend(values.iter().filter(|value| !value.is_null()).map(|value| format!("`{value}`")));
                continue;
            }
            if let Some(value) = node.get("const") {
                names.push(format!("`{value}`"));
                continue;
            }
            match node.get("type") {
                Some(Json::Array(types)) => {
                    names.extend(
                        types.iter().filter_map(Json::as_str).filter(|name| *name != "null").map(plain),
                    );
                }
                Some(Json::String(name)) if name != "null" => names.push(plain(name)),
                _ => {}
            }
        }
        names.dedup();
        names.join(" or ")
    }
}

fn plain(name: &str) -> String {
    match name {
        "string" => "text",
        "boolean" => "true or false",
        "array" => "list",
        "object" => "table",
        other => other,
    }
    .to_owned()
}

/// References to references do not occur deeper than this; a schema that has a loop ends here.
const MAX_DEPTH: usize = 8;

fn gather<'a>(root: &'a Json, node: &'a Json, into: &mut Vec<&'a Json>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let mut referred = false;
    let target = node.get("$ref").and_then(Json::as_str).and_then(|target| target.strip_prefix('#'));
    if let Some(target) = target.and_then(|pointer| root.pointer(pointer)) {
        gather(root, target, into, depth + 1);
        referred = true;
    }
    for alternatives in ["anyOf", "oneOf", "allOf"] {
        for node in node.get(alternatives).and_then(Json::as_array).into_iter().flatten() {
            gather(root, node, into, depth + 1);
            referred = true;
        }
    }
    if !referred || node.get("properties").is_some() {
        into.push(node);
    }
}
