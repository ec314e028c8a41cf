//! Refuses requests for the back office whose host name is not configured.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HOST;
use actix_web::middleware::Next;

use super::page_error::PageError;
use crate::http::state::state;

/// Answers 421 when the request names a host that is not this server, so that a hostile site cannot
/// point a name of its own here (DNS rebinding).
pub async fn refuse_unknown_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let is_known =
        state(request.request()).is_ok_and(|s| s.known_hosts.names_only_ours(request.request()));
    if is_known {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    tracing::info!(
        http.host = ?request.headers().get(HOST),
        "refused a page: the host name is not configured; see --public-url and --host"
    );
    Ok(request.error_response(PageError::UnknownHost))
}
