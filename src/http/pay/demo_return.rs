//! The page of the demo shop to which a payer returns: it shows the query that it got.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::page::html;
use crate::http::assets::CSS;
use crate::http::error::ApiError;
use crate::http::state::state;

/// The most parameters that the page shows, and the most characters of each text.
const SHOWN_MAX: usize = 20;
const SHOWN_CHARS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "pay/demo_return.html")]
struct DemoReturn {
    css: String,
    given: Vec<(String, String)>,
}

/// `GET /demo/return`: only in a demo shop.
pub async fn show(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let seed = state.store.read(|reader| reader.load_demo_seed()).await?;
    if seed.is_none() {
        return Err(ApiError::no_such_path());
    }
    let cut = |text: &str| text.chars().take(SHOWN_CHARS_MAX).collect::<String>();
    let given = form_urlencoded::parse(request.query_string().as_bytes());
    let given = given.take(SHOWN_MAX).map(|(name, value)| (cut(&name), cut(&value))).collect();
    let css = format!("{}/{}", state.links.base_path(), CSS.path());
    html(StatusCode::OK, &DemoReturn { css, given })
}
