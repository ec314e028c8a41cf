//! Signing in with a password, and signing out.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::kept;
use crate::app::{EndSession, StartSession};
use crate::auth::counted_address::CountedAddress;
use crate::auth::email;
use crate::auth::password::{HashMemory, Password};
use crate::auth::password_thread::NotHashed;
use crate::auth::session::Ticket;
use crate::domain::email::Email;
use crate::http::admin::form::Form;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{html, query_value, see_other};
use crate::http::admin::visitor::{
    Visitor, cookie_sha256, find_visitor, no_cookie, session_cookie,
};
use crate::http::error::ApiError;
use crate::http::guesses::SignInAttempt;
use crate::http::state::{AppState, state};
use crate::store::{NewSession, UserRecord};

const NO_SUCH_USER: &str = "No user has this e-mail and password.";

const SESSION_ENDED: &str = "You were signed out before you sent the form, and nothing was done. \
    Sign in again to get it back as you filled it in.";

const TOO_SOON: &str = "Too many wrong passwords. Signing in with this e-mail or from this \
    address is blocked for up to 15 minutes. Wait, or sign in on the server itself.";

const TOO_MANY_AT_ONCE: &str = "Too many people are signing in at this moment. Go back and try \
    again in a few seconds.";

/// Seconds in which a full queue of passwords is worked off.
const QUEUE_FULL_RETRY_AFTER_S: u64 = 3;

const PLAIN_HTTP: &str = "This page came over plain http, where others could read your password. \
    Put TLS in front of the server and start it with --public-url https://…, or start it with \
    --insecure-http if no one else is on this network.";

#[derive(Template)]
#[template(path = "session/sign_in.html")]
struct SignInPage {
    frame: Frame,
    email: String,
    next: String,
    /// The fields of a form that was sent after its session had ended.
    kept: Option<String>,
    problem: &'static str,
    /// Why the sign-in form is not shown; empty when it is.
    refused: &'static str,
}

/// Values of a sign-in form that the page shows again.
#[derive(Clone, Copy)]
struct Typed<'a> {
    email: &'a str,
    next: &'a str,
    kept: Option<&'a str>,
}

/// `GET /admin/sign-in`
pub async fn show(request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    let next = query_value(&request, "next");
    if find_visitor(state, &request).await?.is_some() {
        return Ok(see_other(&next_path(state, &next)));
    }
    page(state, Typed { email: "", next: &next, kept: None }, "")
}

/// `POST /admin/sign-in`: signs in. A form of another page comes here if its session has ended;
/// its fields are kept until its sender has signed in again.
pub async fn create(form: Form, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let next = query_value(&request, "next");
    if next.is_empty() {
        return sign_in(form, request).await;
    }
    let kept = kept::fields(&form);
    page(state(&request)?, Typed { email: "", next: &next, kept: Some(&kept) }, SESSION_ENDED)
}

/// Signs in. An unknown user and a wrong password get the same answer in the same time, so that the
/// answer does not tell which e-mails exist.
async fn sign_in(form: Form, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    expect_safe_transport(state)?;
    let email = form.text("email");
    let typed = Typed { email, next: form.text("next"), kept: form.find("kept") };
    let attempt = attempt(state, &request, email);
    if let Err(wait_ms) = state.guesses.begin_sign_in(&attempt, state.clock.now()) {
        return too_soon(state, typed, wait_ms);
    }
    let compared = known_user(state, email::parse(email), form.text("password")).await;
    if compared.is_err() {
        state.guesses.withdraw_sign_in(&attempt);
    }
    let Some(user) = compared? else {
        slow_down(state, &attempt).await;
        return page(state, typed, NO_SUCH_USER);
    };
    let ticket = Ticket::draw(&state.randomness);
    let session = new_session(state, &ticket);
    let form_token = session.form_token.clone();
    let command = StartSession {
        user,
        session,
        replaces: cookie_sha256(state, &request),
        forgets: state.guesses.succeed_sign_in(&attempt),
    };
    // False if the user was disabled or got another password after `known_user` read them.
    let started = state.store.writer.write(command).await;
    if !started.map_err(|error| ApiError::from_write(error, ApiError::from))? {
        return page(state, typed, NO_SUCH_USER);
    }
    let next = next_path(state, typed.next);
    let Some(kept) = typed.kept else { return Ok(signed_in(state, &ticket, &next)) };
    let mut response = kept::page(state, &next, &form_token, kept)?;
    add_cookie(&mut response, session_cookie(state, &ticket))?;
    Ok(response)
}

/// `POST /admin/sign-out`
pub async fn delete(
    visitor: Visitor,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    visitor.expect_own_form(&form)?;
    let command = EndSession { token_sha256: visitor.token_sha256 };
    let ended = state.store.writer.write(command).await;
    ended.map_err(|error| ApiError::from_write(error, ApiError::from))?;
    let mut response = see_other(&format!("{}/admin/sign-in", state.links.base_path()));
    add_cookie(&mut response, no_cookie(state))?;
    Ok(response)
}

/// A redirect that also sets the session cookie.
pub fn signed_in(state: &AppState, ticket: &Ticket, path: &str) -> HttpResponse {
    let mut response = see_other(path);
    // This cannot fail: the cookie's value is base64url, which is always valid in a header.
    drop(add_cookie(&mut response, session_cookie(state, ticket)));
    response
}

/// A new session for this ticket, with a form token of its own.
pub fn new_session(state: &AppState, ticket: &Ticket) -> NewSession {
    let form_token = Ticket::draw(&state.randomness).reveal().to_owned();
    NewSession { token_sha256: ticket.sha256(), form_token }
}

/// An error unless passwords may be sent.
pub fn expect_safe_transport(state: &AppState) -> Result<(), PageError> {
    if is_safe_transport(state) { Ok(()) } else { Err(PageError::Forbidden(PLAIN_HTTP)) }
}

/// The names that a sign-in is counted under.
fn attempt(state: &AppState, request: &HttpRequest, typed: &str) -> SignInAttempt {
    // One spelling, so that other spellings of an e-mail are not further names to guess under.
    let user = email::parse(typed).map_or_else(|| typed.to_lowercase(), |email| email.to_string());
    let caller = state.callers.find(request);
    if caller.is_local {
        return SignInAttempt::local(&user);
    }
    SignInAttempt::remote(&user, caller.address)
}

/// The address under which the caller's failures are counted; `None` if others may share it:
/// programs on this machine, or all callers behind a proxy that does not name them.
pub fn own_address(state: &AppState, request: &HttpRequest) -> Option<CountedAddress> {
    let caller = state.callers.find(request);
    caller.address.filter(|address| !caller.is_local && address.own.is_some())
}

/// Delays the answer to a wrong password, and stores the failure so that a restart keeps it.
async fn slow_down(state: &AppState, attempt: &SignInAttempt) {
    let (delay, failures) = state.guesses.fail_sign_in(attempt);
    let is_worth_a_write = !failures.known.is_empty() || !failures.forgotten.is_empty();
    if is_worth_a_write && state.store.writer.write(failures.clone()).await.is_err() {
        state.guesses.not_written(&failures);
        tracing::warn!("a failed sign-in could not be written; a restart would forget it");
    }
    tokio::time::sleep(delay).await;
}

/// The sign-in page again, with a 429.
fn too_soon(state: &AppState, typed: Typed<'_>, wait_ms: i64) -> Result<HttpResponse, PageError> {
    let mut response = page(state, typed, TOO_SOON)?;
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = HeaderValue::from(wait_ms.unsigned_abs().div_ceil(1_000));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    Ok(response)
}

fn add_cookie(
    response: &mut HttpResponse,
    cookie: actix_web::cookie::Cookie<'static>,
) -> Result<(), PageError> {
    response.add_cookie(&cookie).map_err(|error| ApiError::internal(error).into())
}

fn page(
    state: &AppState,
    typed: Typed<'_>,
    problem: &'static str,
) -> Result<HttpResponse, PageError> {
    let refused = if is_safe_transport(state) { "" } else { PLAIN_HTTP };
    html(&SignInPage {
        frame: Frame::outside(state),
        email: typed.email.to_owned(),
        next: typed.next.to_owned(),
        kept: typed.kept.map(str::to_owned),
        problem,
        refused,
    })
}

/// True if passwords may be sent: over TLS, on this machine, or with `--insecure-http`.
fn is_safe_transport(state: &AppState) -> bool {
    state.links.is_https() || state.links.is_loopback() || state.insecure_http
}

/// The user, if the password is theirs. An unknown user costs one hash too.
async fn known_user(
    state: &AppState,
    email: Option<Email>,
    typed: &str,
) -> Result<Option<UserRecord>, PageError> {
    let found = match email {
        Some(email) => state.store.read(move |reader| reader.find_user(&email)).await?,
        None => None,
    };
    let found = found.filter(|user| user.disabled_at.is_none());
    let Some(password) = Password::typed(typed) else { return Ok(None) };
    let compare = move |memory: &mut HashMemory| {
        let same = password.is(found.as_ref().map(|user| user.password_hash.as_str()), memory);
        found.filter(|_| same)
    };
    state.passwords.run(compare).await.map_err(not_hashed)
}

/// The answer to a caller whose password was not hashed.
pub fn not_hashed(why: NotHashed) -> PageError {
    match why {
        NotHashed::QueueFull => {
            PageError::TooMany { why: TOO_MANY_AT_ONCE, retry_after_s: QUEUE_FULL_RETRY_AFTER_S }
        }
        NotHashed::ThreadEnded => ApiError::internal(why).into(),
    }
}

/// The page to show after signing in. Only paths of the back office are accepted, so that a link to
/// the sign-in page cannot lead to another site.
pub fn next_path(state: &AppState, next: &str) -> String {
    let is_page = next.starts_with("/admin/")
        && next.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.%~".contains(&b))
        && !next.contains("//");
    let path = if is_page { next } else { "/admin" };
    format!("{}{path}", state.links.base_path())
}
