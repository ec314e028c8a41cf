//! The links that sign a user in once.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::sign_in::{expect_safe_transport, new_session, next_path, own_address, signed_in};
use crate::app::{LinkUse, UseLinkRefused, UseSignInLink, find_usable_link};
use crate::auth::session::Ticket;
use crate::http::admin::form::Form;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{html, query_value};
use crate::http::error::{ApiError, Code};
use crate::http::guesses::LinkAttempt;
use crate::http::state::{AppState, state};
use crate::store::Reader;

/// What to do about a link to sign in with that does not work. No page makes such links.
const SIGN_IN_INSTEAD: &str = "Sign in with your e-mail and password instead. If you have no \
    password, ask for one where the server runs: `tillbook user passwd` sets it.";

/// What to do about a link to the set-up page that does not work.
const SET_UP_AGAIN: &str = "If somebody has set up this book with it, sign in. Otherwise restart \
    the server: as long as the book has no users, each start prints a new link.";

const TOO_SOON: &str = "Too many links from this address did not work. Links are blocked for up to \
    15 minutes. Wait, or open the link on the server itself.";

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
    let link_sha256 = Ticket::sent(form.text("ticket")).sha256();
    expect_usable(state, &request, link_sha256, LinkUse::SignIn).await?;
    let ticket = Ticket::draw(&state.randomness);
    let command = UseSignInLink { link_sha256, session: new_session(state, &ticket) };
    let used = state.store.writer.write(command).await;
    used.map_err(|error| ApiError::from_write(error, |why| link_refused(&why, LinkUse::SignIn)))?;
    Ok(signed_in(state, &ticket, &next_path(state, "")))
}

/// An error unless the link can be used for that. Callers need no session, so this costs only one
/// read. Failures are counted, and each is answered later than the last, as with wrong passwords.
pub async fn expect_usable(
    state: &AppState,
    request: &HttpRequest,
    link_sha256: [u8; 32],
    link_use: LinkUse,
) -> Result<(), PageError> {
    let attempt = LinkAttempt::of(own_address(state, request));
    let now = state.clock.now();
    state.guesses.begin_link(&attempt, now).map_err(|wait_ms| PageError::TooMany {
        why: TOO_SOON,
        retry_after_s: wait_ms.unsigned_abs().div_ceil(1_000),
    })?;
    let find = move |reader: &Reader<'_>| find_usable_link(reader, &link_sha256, now, link_use);
    if state.store.read(find).await?.is_some() {
        state.guesses.succeed_link(&attempt);
        return Ok(());
    }
    tokio::time::sleep(state.guesses.fail_link(&attempt)).await;
    Err(link_refused(&UseLinkRefused::LinkGone, link_use).into())
}

/// The error for a link that is unknown, used or expired, or that leads to nothing.
pub fn link_refused(why: &UseLinkRefused, link_use: LinkUse) -> ApiError {
    let advice = match link_use {
        LinkUse::SignIn => SIGN_IN_INSTEAD,
        LinkUse::SetUp => SET_UP_AGAIN,
    };
    ApiError::new(Code::InvalidRequest, format!("The link did not work: {why}. {advice}"))
}
