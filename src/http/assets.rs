//! The static files of the pages, compiled in. The name of each contains a hash of its content, so
//! that browsers may cache it for ever.

use std::sync::OnceLock;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse};

use super::error::{ApiError, Code};
use crate::digest::sha256;

/// A file of `static/`. Does not compile if the file does not exist.
macro_rules! asset {
    ($file:literal, $content_type:literal) => {
        Asset {
            file: $file,
            content: include_bytes!(concat!("../../static/", $file)),
            content_type: $content_type,
            path: OnceLock::new(),
        }
    };
}

/// The style of every page.
pub static CSS: Asset = asset!("app.css", "text/css");
/// The script that makes forms quicker to use. Every page works without it.
pub static SCRIPT: Asset = asset!("app.js", "text/javascript");

/// The vendored viewer of the API's document, and the script that starts it.
pub static VIEWER_CSS: Asset = asset!("swagger-ui/swagger-ui.css", "text/css");
pub static VIEWER_SCRIPT: Asset = asset!("swagger-ui/swagger-ui-bundle.js", "text/javascript");
pub static DOCS_SCRIPT: Asset = asset!("docs.js", "text/javascript");

/// Every asset that is served.
static ASSETS: [&Asset; 5] = [&CSS, &SCRIPT, &VIEWER_CSS, &VIEWER_SCRIPT, &DOCS_SCRIPT];

pub struct Asset {
    /// Its path below `static/`.
    file: &'static str,
    content: &'static [u8],
    content_type: &'static str,
    path: OnceLock<String>,
}

impl Asset {
    /// Its path below the public URL: `static/`, the start of the content's hash, and the name.
    pub fn path(&self) -> &str {
        self.path.get_or_init(|| {
            let name = self.file.rsplit('/').next().unwrap_or(self.file);
            let hash = sha256(self.content);
            let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            format!("static/{hash}-{name}")
        })
    }
}

/// `GET /static/{file}`
pub async fn show(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let wanted = format!("static/{}", request.match_info().get("file").unwrap_or_default());
    let asset = ASSETS.into_iter().find(|asset| asset.path() == wanted).ok_or_else(no_such_file)?;
    Ok(HttpResponse::Ok()
        .content_type(format!("{}; charset=utf-8", asset.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.content))
}

fn no_such_file() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such file. Reload the page that links to it.")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Files that only people read: the licences and the versions of vendored code.
    const NOT_SERVED: [&str; 4] = ["LICENSE", "NOTICE", "VERSION", "LICENSE.txt"];

    /// The paths of all files below a folder, relative to it.
    fn files(folder: &str) -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut folders = vec![root.clone()];
        let mut found = BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        found
    }

    #[test]
    fn every_file_is_served() {
        let mut found = files("static");
        found.retain(|name| !NOT_SERVED.iter().any(|ending| name.ends_with(ending)));
        let served: BTreeSet<String> = ASSETS.map(|asset| asset.file.to_owned()).into();
        assert_eq!(found, served, "static/ (left) differs from what assets.rs serves (right)");
    }

    #[test]
    fn templates_name_no_file_themselves() {
        for name in files("templates") {
            let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(&name);
            let text = std::fs::read_to_string(template).unwrap();
            assert!(!text.contains("static/"), "{name} names a file that could be misspelt");
        }
    }
}
