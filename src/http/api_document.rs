//! The document that describes the API, as this server serves it.

use actix_web::web::Bytes;

use crate::json::Tree;

/// The API's document, which is written by hand.
const OPENAPI_YAML: &str = include_str!("../../data/openapi.yaml");
/// The same document as JSON. A test checks that both are equal.
const OPENAPI_JSON: &str = include_str!("../../data/openapi.json");

/// The server's address in both files. It is replaced by the public URL.
const YAML_SERVER: &str = "  - url: /\n";
const JSON_SERVER: &str = "\"url\": \"/\"";

/// The API's document with this server's public URL. Answers share its text, however many of them
/// wait to be read.
#[derive(Debug, Clone)]
pub struct ApiDocument {
    pub yaml: Bytes,
    pub json: Bytes,
}

impl ApiDocument {
    pub fn new(public_url: &str) -> ApiDocument {
        let yaml = OPENAPI_YAML.replacen(YAML_SERVER, &format!("  - url: {public_url}\n"), 1);
        let url = Tree::text(public_url);
        let json = OPENAPI_JSON.replacen(JSON_SERVER, &format!("\"url\": {url}"), 1);
        ApiDocument { yaml: yaml.into(), json: json.into() }
    }
}
