//! A path with its ids taken out, for applications that do not name the route that matched.

/// The longest route, in segments; deeper ones are cut.
const MAX_SEGMENTS: usize = 8;
/// A segment longer than this is no name.
const MAX_SEGMENT_BYTES: usize = 40;

/// `/documents/7/pages/3?x=1` becomes `/documents/{id}/pages/{id}`.
pub(super) fn route_of(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut route = String::with_capacity(path.len());
    for (depth, segment) in segments.enumerate() {
        if depth == MAX_SEGMENTS {
            route.push_str("/…");
            break;
        }
        route.push('/');
        route.push_str(name_or_id(segment));
    }
    if route.is_empty() { "/".to_owned() } else { route }
}

fn name_or_id(segment: &str) -> &str {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let hex = segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_number = digits > 0 && digits == segment.len();
    let is_hex = hex && digits > 0 && segment.len() >= 8;
    // Names hold a digit or two (`v1`, `oauth2`); identifiers hold many.
    let is_mixed = digits >= 4 && segment.len() >= 10;
    if is_number || is_hex || is_mixed || segment.len() > MAX_SEGMENT_BYTES { "{id}" } else { segment }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_out_of_paths_and_names_stay() {
        let cases = [
            ("/", "/"),
            ("", "/"),
            ("/documents/7/pages/3?x=1", "/documents/{id}/pages/{id}"),
            ("/api/v1/health", "/api/v1/health"),
            ("/u/0f8fad5b-d9cb-469f-a165-70867728950e", "/u/{id}"),
            ("/job/job-20250801-1234/log", "/job/{id}/log"),
            ("/cafe/deadbeef", "/cafe/deadbeef"),
            ("/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h/…"),
        ];
        for (path, route) in cases {
            assert_eq!(route_of(path), route, "{path}");
        }
        assert_eq!(route_of(&format!("/x/{}", "y".repeat(100))), "/x/{id}");
    }
}
