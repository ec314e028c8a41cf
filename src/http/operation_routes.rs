//! A shortcut past the router for the requests that record payment operations.
//!
//! The router tries a regular expression for each route until one matches, which costs more than
//! reading the request's body. These paths are recognized by their segments instead. Any other path
//! goes to the router, which has these routes too: for paths with escapes, and below a prefix.

use actix_web::dev::{
    AppService, HttpServiceFactory, ResourceDef, ServiceRequest, ServiceResponse, fn_service,
};
use actix_web::guard::{Guard, fn_guard};
use actix_web::http::Method;
use actix_web::{Error, FromRequest, HttpResponse};

use super::api::operations;
use super::edge::body::BODY_BYTES_MAX;
use super::error::ApiError;
use super::extract::{Sent, ShoppingWriter};
use crate::domain::operation::OperationKind;

/// `POST /v1/accounts/{aid}/shopping/orders/{order_id}/{kind}s` for each kind of operation.
pub struct OperationRoutes;

/// The segments of such a path that differ.
struct Segments<'p> {
    account: &'p str,
    order: &'p str,
    kind: OperationKind,
}

impl HttpServiceFactory for OperationRoutes {
    fn register(self, config: &mut AppService) {
        let is_operation = fn_guard(|context| {
            let head = context.head();
            head.method == Method::POST && segments(head.uri.path()).is_some()
        });
        let guards: Vec<Box<dyn Guard>> = vec![Box::new(is_operation)];
        config.register_service(ResourceDef::prefix(""), Some(guards), fn_service(record), None);
    }
}

async fn record(mut request: ServiceRequest) -> Result<ServiceResponse, Error> {
    let found = segments(request.uri().path())
        .map(|found| (found.account.to_owned(), found.order.to_owned(), found.kind));
    let Some((account, order, kind)) = found else {
        return Ok(request.into_response(HttpResponse::from_error(ApiError::no_such_path())));
    };
    request.match_info_mut().add_static("aid", account);
    request.match_info_mut().add_static("order_id", order);
    let (request, mut body) = request.into_parts();
    let answered = async {
        // In this order, so that a bad token is reported before a bad body.
        let caller = ShoppingWriter::from_request(&request, &mut body).await?;
        let sent = Sent::<BODY_BYTES_MAX>::from_request(&request, &mut body).await?;
        operations::create(kind, caller, request.clone(), sent).await
    };
    let response = answered.await.unwrap_or_else(HttpResponse::from_error);
    Ok(ServiceResponse::new(request, response))
}

fn segments(path: &str) -> Option<Segments<'_>> {
    if path.contains('%') {
        return None;
    }
    let (account, rest) = path.strip_prefix("/v1/accounts/")?.split_once('/')?;
    let (order, kind) = rest.strip_prefix("shopping/orders/")?.split_once('/')?;
    let kind = OperationKind::ALL.into_iter().find(|known| known.plural() == kind)?;
    (!account.is_empty() && !order.is_empty()).then_some(Segments { account, order, kind })
}
