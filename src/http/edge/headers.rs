//! Middleware of every request: security headers, the declared length of bodies, and the log.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY,
};
use actix_web::middleware::{DefaultHeaders, Next};
use actix_web::{Error, ResponseError};

use super::body::{BODY_BYTES_MAX, FORM_BYTES_MAX, ORDER_BODY_BYTES_MAX, body_too_large};
use super::cors::name_path_methods;
use crate::http::error::ApiError;
use crate::http::state::state;
use crate::wire::problem::Problem;

/// Pages load only our own styles and scripts, and have nothing inline.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'; object-src 'none'";

/// Tells browsers to use only https for this host for a year, even where a link says http. Leaves
/// subdomains out, since they may belong to other servers.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Headers of every answer, unless the answer sets its own.
pub fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Referrer-Policy", "same-origin"))
        .add(("Cross-Origin-Resource-Policy", "same-origin"))
        .add(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
        .add(("Cross-Origin-Opener-Policy", "same-origin"))
        .add(("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"))
        .add((CACHE_CONTROL, "no-store"))
}

/// Adds `HTTPS_ONLY` if the request came over https: to the host of a public URL that is https. The
/// header must not be sent over plain http (RFC 6797, section 7.2). It is not sent for `localhost`
/// either, where it would keep browsers from every other program that serves http.
pub async fn keep_to_https(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let came_by_https = state(request.request()).is_ok_and(|state| {
        let is_public = state.links.is_https() && state.known_hosts.is_public(request.request());
        is_public && !came_by_http(&request)
    });
    let mut answered = next.call(request).await?;
    if came_by_https {
        answered.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    Ok(answered)
}

/// Refuses a body whose declared length is too large before anything else is checked, and logs
/// every answer.
pub async fn guard_request(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let base = state(request.request()).map_or("", |state| state.links.base_path());
    let bytes_max = body_bytes_max(base, request.path());
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(|text| text.parse().ok()).is_some_and(|bytes: usize| bytes_max < bytes) {
        // Returned as a response, since an error would not get the headers of other answers.
        return Ok(request.error_response(body_too_large(bytes_max)));
    }
    let mut answered = next.call(request).await?;
    if let Some(refused) = cors_refusal(&answered) {
        return Ok(answered.into_response(refused.error_response()));
    }
    name_path_methods(&mut answered);
    tracing::debug!(
        http.method = %answered.request().method(),
        http.route = answered.request().match_pattern().as_deref().unwrap_or("none"),
        http.status = answered.status().as_u16(),
        "answered"
    );
    Ok(answered.map_into_boxed_body())
}

/// True if a proxy says that the request reached it over plain http. It need not be a trusted one,
/// since a false claim only leaves the header out.
fn came_by_http(request: &ServiceRequest) -> bool {
    let headers = request.headers().get_all(HeaderName::from_static("x-forwarded-proto"));
    let mut schemes =
        headers.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    schemes.any(|scheme| scheme.trim().eq_ignore_ascii_case("http"))
}

/// A refusal of the CORS library, in the shape of all errors.
fn cors_refusal(answered: &ServiceResponse<impl MessageBody>) -> Option<ApiError> {
    let error = answered.response().error()?.as_error::<actix_cors::CorsError>()?;
    let message = format!("{error}. To allow an origin, start the server with --cors-origin.");
    Some(ApiError::invalid(vec![Problem::new("Origin", "bad_value", message)]))
}

/// Bodies that contain a whole order are sent to a draft or an order, or to the list of either. All
/// forms are sent to the back office, which is also served below the path of the public URL.
fn body_bytes_max(base: &str, path: &str) -> usize {
    if path.strip_prefix(base).unwrap_or(path).starts_with("/admin/") {
        return FORM_BYTES_MAX;
    }
    let mut segments = path.trim_end_matches('/').rsplit('/');
    let is_collection = |segment| matches!(segment, Some("draft_orders" | "orders"));
    let is_order = is_collection(segments.next()) || is_collection(segments.next());
    if is_order { ORDER_BODY_BYTES_MAX } else { BODY_BYTES_MAX }
}
