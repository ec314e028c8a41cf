//! The links that sign a user in once.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::sign_in::{expect_safe_transport, new_session, next_path, signed_in};
use crate::app::{UseLinkRefused, UseSignInLink};
use crate::auth::session::Ticket;
use crate::http::admin::form::Form;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{html, query_value};
use crate::http::error::{ApiError, Code};
use crate::http::state::state;

#[derive(Template)]
#[template(path = "session/link.html")]
struct LinkPage {
    frame: Frame,
    ticket: String,
}

/// `GET /admin/link`: a page with one button, since a GET must not use the link up: mail scanners
/// and browsers fetch links on their own.
pub async fn show(request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    let ticket = query_value(&request, "ticket");
    html(&LinkPage { frame: Frame::outside(state), ticket })
}

/// `POST /admin/link`: uses the link up and signs in its user.
pub async fn use_link(form: Form, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    expect_safe_transport(state)?;
    let ticket = Ticket::draw(&state.randomness);
    let command = UseSignInLink {
        link_sha256: Ticket::sent(form.text("ticket")).sha256(),
        session: new_session(state, &ticket),
    };
    let used = state.store.writer.write(command).await;
    used.map_err(|error| ApiError::from_write(error, link_refused))?;
    Ok(signed_in(state, &ticket, &next_path(state, "")))
}

/// The error for a link that is unknown, used or expired.
pub fn link_refused(why: UseLinkRefused) -> ApiError {
    let message = format!(
        "The link did not work: {why}. Restart the server to get a new one, or ask an owner to add \
         you as a user."
    );
    ApiError::new(Code::InvalidRequest, message)
}
