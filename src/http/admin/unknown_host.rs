//! Refuses requests for the back office under a name that the server was not told.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HOST;
use actix_web::middleware::Next;

use super::page_error::PageError;
use crate::http::state::state;

/// Refuses what is meant for a host that nobody said is this one.
pub async fn refuse_unknown_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let is_known =
        state(request.request()).is_ok_and(|s| s.known_hosts.are_meant(request.request()));
    if is_known {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    tracing::info!(
        http.host = ?request.headers().get(HOST),
        "refused a page: the server was told no such name; see --public-url and --host"
    );
    Ok(request.error_response(PageError::UnknownHost))
}
