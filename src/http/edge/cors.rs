//! CORS: which web pages may call the API from a browser, and with which methods.

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ResourceDef, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_METHODS, HeaderName, HeaderValue, RETRY_AFTER};

/// The methods of each path of the API.
#[derive(Clone)]
pub struct PathMethods(Vec<(ResourceDef, HeaderValue)>);

impl PathMethods {
    /// The methods of these paths, which are also served below `prefix`.
    pub fn new<'p>(prefix: &str, paths: impl Iterator<Item = (&'p str, String)>) -> PathMethods {
        let known = paths.filter_map(|(path, methods)| {
            let both = [path.to_owned(), format!("{prefix}{path}")];
            Some((ResourceDef::new(both.to_vec()), HeaderValue::try_from(methods).ok()?))
        });
        PathMethods(known.collect())
    }

    fn of(&self, path: &str) -> Option<&HeaderValue> {
        self.0.iter().find(|(known, _)| known.is_match(path)).map(|(_, methods)| methods)
    }
}

/// Allows pages of these origins to call the API, and only the API. They may send any header, since
/// libraries for tracing and caching add their own.
pub fn cors(origins: &[String]) -> Cors {
    let origins = origins.to_vec();
    Cors::default()
        .allowed_origin_fn(move |origin: &HeaderValue, head| {
            let named = origins.iter().any(|named| origin.as_bytes() == named.as_bytes());
            named && head.uri.path().contains("/v1/")
        })
        .allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE])
        .allow_any_header()
        .expose_headers([
            RETRY_AFTER,
            HeaderName::from_static("idempotency-replayed"),
            HeaderName::from_static("total-count"),
        ])
        .max_age(3_600)
}

/// Narrows the methods in the answer to a preflight to those of its path, which `cors` does not
/// know.
pub fn name_path_methods(answered: &mut ServiceResponse<impl MessageBody>) {
    let request = answered.request();
    if request.method() != Method::OPTIONS {
        return;
    }
    let paths = request.app_data::<PathMethods>();
    let methods = paths.and_then(|paths| paths.of(request.path())).cloned();
    let headers = answered.headers_mut();
    if let Some(methods) = methods
        && headers.contains_key(ACCESS_CONTROL_ALLOW_METHODS)
    {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
}
