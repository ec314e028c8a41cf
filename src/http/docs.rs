//! The API's reference at `/docs`: a vendored viewer of our own document. It needs no other
//! network, and sends the requests that a reader tries to this server.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::assets::{DOCS_SCRIPT, VIEWER_CSS, VIEWER_SCRIPT};
use super::error::ApiError;
use super::state::state;

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage<'a> {
    base: &'a str,
    viewer_css: &'a str,
    viewer_script: &'a str,
    script: &'a str,
}

/// `GET /docs`
pub async fn show(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let page = DocsPage {
        base: state(&request)?.links.base_path(),
        viewer_css: VIEWER_CSS.path(),
        viewer_script: VIEWER_SCRIPT.path(),
        script: DOCS_SCRIPT.path(),
    };
    let text = page.render().map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(text))
}
