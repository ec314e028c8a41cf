//! Serves the health check and the document that describes the API.

use actix_web::{HttpRequest, HttpResponse};

use crate::clock::rfc3339;
use crate::http::error::ApiError;
use crate::http::reply::ok_json;
use crate::http::state::state;
use crate::json::{ObjectText, Tree};
use crate::store::Trouble;

/// `GET /health`: 200 while the server accepts writes. Does not read the database.
pub async fn health(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let store = &state(&request)?.store;
    if let Some(loss) = store.condition.loss() {
        return Err(ApiError::lost(loss));
    }
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
    if let Some(jump) = store.condition.clock_jump() {
        let times = [("from", rfc3339(jump.from)), ("to", rfc3339(jump.to))];
        let times = times.map(|(name, time)| (name, Tree::text(&time)));
        object.json("clock_jump", &Tree::object(times).to_string());
    }
    Ok(ok_json(object.end()))
}

fn word(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Damaged => "damaged",
        Trouble::Lost(_) => "lost",
        Trouble::DiskFull => "disk_full",
        Trouble::WalLarge => "wal_large",
        Trouble::ClockJumped(_) => "clock_jumped",
        Trouble::ExpiryWaits(_) => "expiry_waits",
    }
}

/// `GET /openapi.yaml`
pub async fn openapi_yaml(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let text = state(&request)?.api_document.yaml.clone();
    Ok(HttpResponse::Ok().content_type("application/yaml").body(text))
}

/// `GET /openapi.json`
pub async fn openapi_json(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let text = state(&request)?.api_document.json.clone();
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}
