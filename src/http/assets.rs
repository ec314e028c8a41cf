//! The files that pages need, compiled in, each under a name that changes with its content.

use std::sync::LazyLock;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse};
use include_dir::{Dir, include_dir};

use super::error::ApiError;
use crate::digest::sha256;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/static");

/// The style of every page.
pub static CSS: LazyLock<Asset> = LazyLock::new(|| Asset::new("app.css", "text/css"));
/// What makes forms quicker; every page works without it.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| Asset::new("app.js", "text/javascript"));

/// The viewer of the API's document, and what starts it.
pub static VIEWER_CSS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("swagger-ui/swagger-ui.css", "text/css"));
pub static VIEWER_SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("swagger-ui/swagger-ui-bundle.js", "text/javascript"));
pub static DOCS_SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("docs.js", "text/javascript"));

/// A file that is served as it is, for ever.
pub struct Asset {
    path: String,
    content: &'static [u8],
    content_type: &'static str,
}

impl Asset {
    fn new(file: &str, content_type: &'static str) -> Asset {
        let content = FILES.get_file(file).map(|file| file.contents()).unwrap_or_default();
        let name = file.rsplit('/').next().unwrap_or(file);
        let hash: String = sha256(content).iter().take(6).map(|b| format!("{b:02x}")).collect();
        Asset { path: format!("static/{hash}-{name}"), content, content_type }
    }

    /// Where it is, below the public URL.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// `GET /static/{file}`
pub async fn show(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let wanted = format!("static/{}", request.match_info().get("file").unwrap_or_default());
    let assets = [&*CSS, &*SCRIPT, &*VIEWER_CSS, &*VIEWER_SCRIPT, &*DOCS_SCRIPT];
    let asset = assets
        .into_iter()
        .find(|asset| asset.path == wanted)
        .ok_or_else(|| ApiError::not_found("file"))?;
    Ok(HttpResponse::Ok()
        .content_type(format!("{}; charset=utf-8", asset.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.content))
}
