//! Checks requests and answers against our OpenAPI document and against the published capture API.

use std::collections::HashMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::http_client::Reply;
use super::schema::{OPENAPI, assert_valid, compile, is_valid};

/// Checks one request and its answer. A path that the document does not have must be a 404.
#[track_caller]
pub fn check(method: &str, path: &str, sent: Option<&str>, reply: &Reply) {
    let Some((template, operation)) = operation(method, path) else { return };
    let at = format!("{method} {template} -> {}", reply.status);
    let response = operation["responses"].get(reply.status.to_string());
    let response = resolve(response.unwrap_or_else(|| panic!("{at} is not documented")));
    let sent_type = reply.header("content-type").unwrap_or_default();
    let media = sent_type.split(';').next().unwrap_or_default();
    let documented = response["content"].as_object();
    if let Some(documented) = documented.filter(|_| !media.is_empty()) {
        assert!(documented.contains_key(media), "{at}: {media} is not documented");
    }
    let content = &response["content"]["application/json"]["schema"];
    if !content.is_null() && media == "application/json" {
        assert_valid(&at, content, &reply.body);
    }
    if method == "POST" && template.ends_with("/captures") {
        match reply.status {
            200 => assert_published("OrderCapture", &reply.body),
            _ => assert_published("Error", &reply.body),
        }
    }
    let request = &operation["requestBody"]["content"]["application/json"]["schema"];
    if let (200, Some(sent), false) = (reply.status, sent, request.is_null())
        && let Ok(sent) = serde_json::from_str::<Value>(sent)
    {
        assert_valid(&format!("{at}, request"), request, &as_documented(sent, request));
    }
}

/// A body in the form that the document describes: lenient routes also take `null` for no body, and
/// PHP's empty map, `[]`, where an object belongs.
fn as_documented(sent: Value, schema: &'static Value) -> Value {
    match sent {
        Value::Null => json!({}),
        sent if is_valid(schema, &sent) => sent,
        sent => serde_json::from_str(&sent.to_string().replace("[]", "{}")).unwrap(),
    }
}

/// The documented operation of a request.
fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    let paths = OPENAPI["paths"].as_object()?;
    // The router takes the template with the fewest parameters.
    let matching = paths.iter().filter(|(template, _)| matches(template, &segments));
    let (template, item) = matching.min_by_key(|(template, _)| template.matches('{').count())?;
    Some((template.as_str(), item.get(method.to_lowercase())?))
}

fn matches(template: &str, segments: &[&str]) -> bool {
    let parts: Vec<&str> = template.split('/').collect();
    let same = |(part, segment): (&&str, &&str)| part.starts_with('{') || part == segment;
    parts.len() == segments.len() && parts.iter().zip(segments).all(same)
}

/// Follows a `$ref` of our document.
pub fn resolve(value: &'static Value) -> &'static Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => OPENAPI.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Checks the answer to a capture against the published API's schema of it.
#[track_caller]
fn assert_published(name: &str, value: &Value) {
    static PUBLISHED: LazyLock<HashMap<&str, Validator>> = LazyLock::new(|| {
        let published = include_str!("published-capture.yaml");
        let document: Value = yaml_serde::from_str(published).unwrap();
        let published = |name: &'static str| {
            let schema = json!({
                "$ref": format!("#/components/schemas/{name}"),
                "components": document["components"],
            });
            (name, compile(jsonschema::Draft::Draft4, &schema))
        };
        ["OrderCapture", "Error"].map(published).into()
    });
    let errors: Vec<String> = PUBLISHED[name].iter_errors(value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "not the published {name}: {errors:#?}\n{value:#}");
}
