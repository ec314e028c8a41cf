//! Shows an order's receipt, as a page to print or as JSON (docs/contract.md, Decision 14).

use actix_web::http::header::{ACCEPT, VARY};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::operation::OperationKind;
use crate::http::admin::frame::Frame;
use crate::http::admin::order::read;
use crate::http::admin::order::receipt::Receipt;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{ShoppingReader, order_in_path};
use crate::http::state::state;
use crate::wire::receipt_view::{self, has_receipt};

const NO_RECEIPT: &str = "This order has no receipt yet: it gets one with its first successful \
    capture.";

/// `GET /orders/{order_id}/receipt`
pub async fn show(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    state.answers.expect_room(&actor.client_id)?;
    let (account_id, name) = (actor.account_id.clone(), order_in_path(&request)?);
    let (links, frame, as_json) =
        (state.links.clone(), Frame::outside(state), wants_json(&request));
    let body = state.read(&actor.account_id, move |reader| {
        let found = read::load(reader, &account_id, &name)?;
        let read = found.ok_or_else(|| ApiError::not_found("order"))?;
        if !has_receipt(read.order.operations_of(OperationKind::Capture)) {
            return Err(ApiError::new(Code::NotFound, NO_RECEIPT));
        }
        match as_json {
            true => Ok(receipt_view::render(&links, &read.order, &read.shop_name)),
            false => Receipt::of(&read, frame, String::new()).render().map_err(ApiError::internal),
        }
    });
    let body = state.answers.hold(&actor.client_id, body.await?)?.into_body();
    let content_type = if as_json { "application/json" } else { "text/html; charset=utf-8" };
    Ok(HttpResponse::Ok().content_type(content_type).insert_header((VARY, "accept")).body(body))
}

/// True if the caller accepts JSON and does not mention HTML, as browsers do.
fn wants_json(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let accepted: Vec<&str> = accepted
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .collect();
    let names = |media: &str| accepted.iter().any(|range| range.eq_ignore_ascii_case(media));
    names("application/json") && !names("text/html")
}
