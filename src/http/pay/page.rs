//! The test page for people: the lines to pay, and a button for each outcome.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::payer::Payer;
use super::read::{NOT_RECORDED, SessionRead, load};
use crate::app::{AnswerCheckout, AnswerCheckoutRefused};
use crate::domain::item::Item;
use crate::domain::operation::OperationItem;
use crate::domain::order_session::{Outcome, SessionStatus};
use crate::http::admin::words;
use crate::http::assets::CSS;
use crate::http::edge::body::read_body;
use crate::http::error::{ApiError, Code};
use crate::http::state::{AppState, state};
use crate::store::WriteError;
use crate::wire::return_address::return_address;

/// The most bytes of the form, which has one field.
const FORM_BYTES_MAX: usize = 1 << 10;

/// The most lines that the page lists.
const LINES_MAX: usize = 100;

const DESCRIPTION_CHARS_MAX: usize = 120;

/// The page has no script, and its form may lead to the merchant's page, which is another site.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' https: http:; \
     base-uri 'none'; frame-ancestors 'none'",
);

#[derive(Template)]
#[template(path = "pay/page.html")]
struct PayPage {
    css: String,
    shop: String,
    order_id: String,
    amount: String,
    currency: String,
    lines: Vec<PayLine>,
    /// "and 3 more", if the page does not list every line.
    lines_left: String,
    /// The tax in the amount; empty if the session is for parts of lines.
    vat: String,
    is_open: bool,
    /// How the session ended, or why it cannot be paid; empty while it can.
    notice: String,
    is_good: bool,
    may_pay: bool,
    is_held: bool,
    /// The merchant's page, for a session that has ended.
    return_url: String,
}

struct PayLine {
    description: String,
    /// The quantity, and the whole price of a line that is paid in part.
    note: String,
    amount: String,
}

#[derive(Template)]
#[template(path = "pay/message.html")]
struct Message {
    css: String,
    title: &'static str,
    text: String,
}

/// `GET /pay/{token}`
pub async fn show(payer: Result<Payer, ApiError>, request: HttpRequest) -> HttpResponse {
    let shown = async {
        let state = state(&request)?;
        page(state, payer?.token, StatusCode::OK, "").await
    };
    let shown = shown.await;
    shown.unwrap_or_else(|error| message(&request, &error))
}

/// `POST /pay/{token}`: records the payer's choice and redirects to the merchant's page. If the
/// session had ended before, the page shows how it ended.
pub async fn answer(
    payer: Result<Payer, ApiError>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let answered = answer_form(payer, &request, payload).await;
    answered.unwrap_or_else(|error| message(&request, &error))
}

async fn answer_form(
    payer: Result<Payer, ApiError>,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    let token = payer?.token;
    let bytes = read_body(request, payload.into_inner(), FORM_BYTES_MAX).await?;
    let mut fields = form_urlencoded::parse(&bytes);
    let chosen = fields.find(|(key, _)| key == "outcome").map(|(_, value)| value.into_owned());
    let Some(outcome) = chosen.as_deref().and_then(Outcome::parse) else {
        return page(state, token, StatusCode::BAD_REQUEST, "Choose one of the buttons.").await;
    };
    let test_gateway = state.test_gateway;
    let command = AnswerCheckout { token: token.clone(), outcome, test_gateway };
    let answered = match state.store.writer.write(command).await {
        Ok(answered) => answered,
        Err(WriteError::Refused(AnswerCheckoutRefused::Operation(_))) => {
            // The page says why, from the order as it is now.
            return page(state, token, StatusCode::CONFLICT, NOT_RECORDED).await;
        }
        Err(error) => {
            return Err(ApiError::from_write(error, |_| super::payer::not_found()));
        }
    };
    if answered.had_ended {
        return page(state, token, StatusCode::OK, "").await;
    }
    let read = state.store.read(move |reader| reader.load_order_session(answered.session_seq));
    let address = return_address(&read.await?)?;
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, address)).insert_header((REFERRER_POLICY, "no-referrer"));
    Ok(response.finish())
}

/// The page of a session; `problem` is a sentence about a form that was refused.
async fn page(
    state: &AppState,
    token: String,
    status: StatusCode,
    problem: &str,
) -> Result<HttpResponse, ApiError> {
    let read = state.store.read(move |reader| load(reader, &token)).await?;
    let css = format!("{}/{}", state.links.base_path(), CSS.path());
    html(status, &view(&read, css, problem)?)
}

fn view(read: &SessionRead, css: String, problem: &str) -> Result<PayPage, ApiError> {
    let session = &read.session;
    let is_open = session.status == SessionStatus::Open;
    let mut notice = if is_open { read.obstacle.clone() } else { ended(read) };
    if notice.is_empty() {
        notice = problem.to_owned();
    }
    let minor_units = i128::from(session.amount.minor_units());
    Ok(PayPage {
        css,
        shop: read.account.name.clone(),
        order_id: session.order_id.as_str().to_owned(),
        amount: read.currency.figure(minor_units),
        currency: read.currency.code().to_owned(),
        lines: read.items.iter().take(LINES_MAX).map(|item| line(read, item)).collect(),
        lines_left: words::count_left(read.items.len().saturating_sub(LINES_MAX)),
        vat: vat(read),
        is_open,
        notice,
        is_good: session.status == SessionStatus::Completed,
        may_pay: is_open && read.obstacle.is_empty(),
        is_held: is_open && session.held_at.is_some(),
        return_url: if is_open { String::new() } else { return_address(session)? },
    })
}

/// How a session ended, as a sentence.
fn ended(read: &SessionRead) -> String {
    let session = &read.session;
    let when = read.local(session.ended_at.unwrap_or(session.expires_at));
    match session.status {
        SessionStatus::Completed => {
            let amount = read.currency.display(session.amount.minor_units().into());
            format!("This payment of {amount} was approved on {when}.")
        }
        SessionStatus::Failed => format!("This payment was declined on {when}."),
        SessionStatus::Cancelled => format!("This payment was cancelled on {when}."),
        SessionStatus::Expired => {
            format!("This payment link ended on {when}. Start the payment again in the shop.")
        }
        SessionStatus::Open => String::new(),
    }
}

fn order_item<'a>(read: &'a SessionRead, item: &OperationItem) -> Option<&'a Item> {
    read.order_items.iter().find(|one| one.line_id == item.line_id)
}

fn line(read: &SessionRead, item: &OperationItem) -> PayLine {
    let sold = order_item(read, item);
    let document =
        sold.map(|sold| words::parsed(&sold.document)).unwrap_or(crate::json::Tree::Null);
    let quantity = words::quantity_in(&document).map(|quantity| format!("Quantity {quantity}"));
    let whole = sold.map(|sold| sold.price.payable()).filter(|whole| *whole != item.amount);
    let figure = |minor_units: i64| read.currency.figure(minor_units.into());
    let part = whole.map(|whole| format!("part of {}", figure(whole.minor_units())));
    let notes: Vec<String> = quantity.into_iter().chain(part).collect();
    let description = words::description_in(&document);
    let number = format!("Line {}", item.line_id.number());
    let description = if description.is_empty() { number } else { description };
    PayLine {
        description: words::cut(&description, DESCRIPTION_CHARS_MAX),
        note: notes.join(", "),
        amount: figure(item.amount.minor_units()),
    }
}

/// The tax in the amount, if every line is paid whole.
fn vat(read: &SessionRead) -> String {
    let tax = |item: &OperationItem| {
        let sold = order_item(read, item).filter(|sold| sold.price.payable() == item.amount)?;
        Some(i128::from(sold.price.tax().minor_units()))
    };
    match read.items.iter().map(tax).sum::<Option<i128>>() {
        Some(vat) if vat != 0 => read.currency.figure(vat),
        _ => String::new(),
    }
}

/// A page that says why nothing can be shown.
fn message(request: &HttpRequest, error: &ApiError) -> HttpResponse {
    let base = state(request).map_or("", |state| state.links.base_path());
    let title = match error.code {
        Code::NotFound => "No such payment",
        _ => "That did not work",
    };
    let text = match error.code {
        Code::InternalError => error.page_message(),
        _ => error.message.clone(),
    };
    let page = Message { css: format!("{base}/{}", CSS.path()), title, text };
    html(error.code.wire().1, &page).unwrap_or_else(HttpResponse::from_error)
}

/// A page that search engines leave out, and whose address is not sent as a referrer.
pub fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse, ApiError> {
    let text = page.render().map_err(ApiError::internal)?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((HeaderName::from_static("x-robots-tag"), "noindex, nofollow"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(text))
}
