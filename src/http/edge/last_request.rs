//! The last request of a connection: requests that were sent after it are refused.
//!
//! A client that is told that its connection closes may assume that nothing it sent afterwards was
//! processed, and send it again on another connection (RFC 9112, section 9.6). actix-web would
//! still process what arrived together with the last request, and so an operation could be
//! recorded twice.

use std::cell::Cell;

use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest};

use crate::http::error::ApiError;

/// True once a connection has had its last request.
struct HadLast(Cell<bool>);

/// Prepares a new connection to remember that it has had its last request.
pub fn track_last(data: &mut Extensions) {
    data.insert(HadLast(Cell::new(false)));
}

/// Makes the answered request the last of its connection.
pub fn end_after(answered: &mut ServiceResponse) {
    answered.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    note_last(answered.request());
}

fn note_last(request: &HttpRequest) {
    if let Some(had_last) = request.conn_data::<HadLast>() {
        had_last.0.set(true);
    }
}

/// Refuses requests that arrive after the last one.
pub async fn refuse_after_last(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    if request.conn_data::<HadLast>().is_some_and(|had_last| had_last.0.get()) {
        let mut answered = request.error_response(ApiError::unavailable(
            "This connection was closing when the request arrived. Nothing was recorded; send it \
             again on a new connection.",
        ));
        answered.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        return Ok(answered);
    }
    if request.head().connection_type() == ConnectionType::Close {
        note_last(request.request());
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}
