//! Serves the health check and the document that describes the API.

use actix_web::{HttpRequest, HttpResponse};

use crate::http::error::ApiError;
use crate::http::reply::ok_json;
use crate::http::state::state;
use crate::json::{ObjectText, Tree};
use crate::store::Trouble;

/// The API's document, which is written by hand.
const OPENAPI_YAML: &str = include_str!("../../../data/openapi.yaml");
/// The same document as JSON. A test checks that both are equal.
const OPENAPI_JSON: &str = include_str!("../../../data/openapi.json");

/// The server's address in both files. It is replaced by the public URL.
const YAML_SERVER: &str = "  - url: /\n";
const JSON_SERVER: &str = "\"url\": \"/\"";

/// `GET /health`: 200 while the server accepts writes. Does not read the database.
pub async fn health(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let store = &state(&request)?.store;
    if store.condition.is_damaged() {
        return Err(ApiError::damaged());
    }
    if store.writer.is_off() {
        return Err(ApiError::unavailable(
            "The server has stopped writing and will restart. Try again later.",
        ));
    }
    let warnings: Vec<Tree> =
        store.condition.troubles().into_iter().map(|trouble| Tree::text(word(trouble))).collect();
    let mut object = ObjectText::default();
    object.text("status", "ok").text("version", env!("CARGO_PKG_VERSION"));
    if !warnings.is_empty() {
        object.json("warnings", &Tree::List(warnings).to_string());
    }
    Ok(ok_json(object.end()))
}

fn word(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Damaged => "damaged",
        Trouble::DiskFull => "disk_full",
        Trouble::WalLarge => "wal_large",
    }
}

/// `GET /openapi.yaml`
pub async fn openapi_yaml(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let server = format!("  - url: {}\n", state(&request)?.links.public_url());
    let text = OPENAPI_YAML.replacen(YAML_SERVER, &server, 1);
    Ok(HttpResponse::Ok().content_type("application/yaml").body(text))
}

/// `GET /openapi.json`
pub async fn openapi_json(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let url = Tree::text(state(&request)?.links.public_url());
    Ok(ok_json(OPENAPI_JSON.replacen(JSON_SERVER, &format!("\"url\": {url}"), 1)))
}
