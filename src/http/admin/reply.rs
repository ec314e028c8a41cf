//! Answers and addresses that every page needs: HTML, redirects, query values, path segments.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use percent_encoding::utf8_percent_encode;

use super::page_error::PageError;
use super::visitor::Staff;
use crate::domain::ids::{AccountId, OrderName};
use crate::http::state::AppState;
use crate::wire::links::SEGMENT_ESCAPED;

/// Renders a page as a 200.
pub fn html(page: &impl Template) -> Result<HttpResponse, PageError> {
    let text = page.render().map_err(PageError::render)?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(text))
}

/// Like [`html`] for a page that may be large: its bytes are counted until they are read.
pub fn large_html(
    state: &AppState,
    staff: &Staff,
    page: &impl Template,
) -> Result<HttpResponse, PageError> {
    let text = page.render().map_err(PageError::render)?;
    let held = state.answers.hold(&staff.visitor.user_id, text)?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(held.into_body()))
}

/// A redirect (303) that browsers follow with GET.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()
}

/// The value of a query parameter; empty when it is missing.
pub fn query_value(request: &HttpRequest, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(request.query_string().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// A text, percent-encoded as one segment of a path.
pub fn escaped_segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT_ESCAPED).to_string()
}

/// The address of an account's list of orders.
pub fn orders_href(state: &AppState, account_id: &AccountId) -> String {
    format!("{}/admin/{account_id}/orders", state.links.base_path())
}

/// The address of an order's page.
pub fn order_href(state: &AppState, account_id: &AccountId, order: &OrderName) -> String {
    format!("{}/{}", orders_href(state, account_id), escaped_segment(order.as_str()))
}

/// The address of an operation's form. It carries the form's one-time key and, unless it is empty,
/// the chosen authorization.
pub fn form_href(href: &str, key: &str, authorization_id: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("key", key);
    if !authorization_id.is_empty() {
        query.append_pair("authorization_id", authorization_id);
    }
    format!("{href}?{}", query.finish())
}
