//! The service itself: whether it is well, and the document that describes it.

use std::sync::OnceLock;

use actix_web::{HttpRequest, HttpResponse};

use super::super::error::ApiError;
use super::super::extract::{ok_json, state};
use crate::json::{ObjectText, Tree};
use crate::store::Trouble;

/// The contract, by hand.
const OPENAPI: &str = include_str!("../../../data/openapi.yaml");

/// What stands in the document for the server's own address.
const SERVER_PLACEHOLDER: &str = "  - url: /\n";

/// `GET /health`: 200 while the server can write. Touches no database.
pub async fn health(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let store = &state(&request)?.store;
    if store.condition.is_damaged() {
        return Err(ApiError::damaged());
    }
    if store.writer.is_off() {
        return Err(ApiError::unavailable("The server has stopped writing and will restart."));
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
    let text = openapi(state(&request)?.links.public_url());
    Ok(HttpResponse::Ok().content_type("application/yaml").body(text))
}

/// `GET /openapi.json`
pub async fn openapi_json(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    static JSON: OnceLock<String> = OnceLock::new();
    let read = || -> Result<String, ApiError> {
        let document: serde_json::Value =
            yaml_serde::from_str(OPENAPI).map_err(ApiError::internal)?;
        Ok(document.to_string())
    };
    let document = match JSON.get() {
        Some(document) => document,
        None => JSON.get_or_init({
            let document = read()?;
            || document
        }),
    };
    let server = Tree::text(state(&request)?.links.public_url()).to_string();
    Ok(ok_json(document.replacen("\"url\":\"/\"", &format!("\"url\":{server}"), 1)))
}

fn openapi(public_url: &str) -> String {
    OPENAPI.replacen(SERVER_PLACEHOLDER, &format!("  - url: {public_url}\n"), 1)
}
