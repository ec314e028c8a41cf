//! The page that a person sees instead of the one they asked for.

use std::fmt;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::http::error::{ApiError, Code};
use crate::http::state::state;
use crate::store::StoreError;

/// Why a page cannot be shown.
#[derive(Debug)]
pub enum PageError {
    /// The visitor is not signed in. `next` is the address of the sign-in page, which leads back.
    SignInFirst { next: String },
    /// The visitor is not signed in and has sent a form, which the browser sends on to the sign-in
    /// page at `next`, so that nothing typed is lost.
    SignInWithForm { next: String },
    /// The visitor may not do this, with the reason as a sentence.
    Forbidden(&'static str),
    /// The request names a host that is not configured for this server.
    UnknownHost,
    /// Too much was asked at once or tried in vain, with the reason as a sentence.
    TooMany { why: &'static str, retry_after_s: u64 },
    /// The page does not exist, or it belongs to another account.
    NotFound,
    /// The error that the API would answer with.
    Api(ApiError),
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    title: &'a str,
    message: &'a str,
    base: &'a str,
    is_office: bool,
    css: &'a str,
}

/// How to configure a host name. The sentence does not repeat the name, which an attacker may have
/// chosen.
const UNKNOWN_HOST: &str = "The back office answers only to host names that the server was started \
    with. If the name in the address bar is yours, start the server with --public-url and the \
    whole address, or with --host and the name if it is an additional one. If that is done, a \
    proxy in front is changing the name: make it pass the Host header on unchanged, or give the \
    name that it sends with --host.";

impl PageError {
    /// A template failed to render, which is a bug.
    pub fn render(error: askama::Error) -> PageError {
        PageError::Api(ApiError::internal(error))
    }

    fn title_and_message(&self) -> (&'static str, String) {
        match self {
            Self::SignInFirst { .. } | Self::SignInWithForm { .. } => {
                ("Sign in", "Please sign in first.".to_owned())
            }
            Self::Forbidden(why) => ("Not allowed", (*why).to_owned()),
            Self::UnknownHost => ("Unknown host name", UNKNOWN_HOST.to_owned()),
            Self::TooMany { why, .. } => ("Try again later", (*why).to_owned()),
            Self::NotFound => (
                "Not found",
                "This page does not exist, or you do not have access to it.".to_owned(),
            ),
            Self::Api(error) => words_of(error),
        }
    }
}

/// An error of the API in words for a person.
fn words_of(error: &ApiError) -> (&'static str, String) {
    match error.code {
        Code::NotFound => PageError::NotFound.title_and_message(),
        Code::Unavailable => ("Not available right now", error.message.clone()),
        Code::InternalError => ("Something went wrong", error.page_message()),
        Code::BodyTooLarge => (
            "Too long",
            "The form is too long, so nothing was recorded. Go back and shorten it.".to_owned(),
        ),
        _ => ("That did not work", error.message.clone()),
    }
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> PageError {
        match error.code {
            Code::NotFound => PageError::NotFound,
            _ => PageError::Api(error),
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> PageError {
        PageError::Api(error.into())
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.title_and_message().1)
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignInFirst { .. } => StatusCode::SEE_OTHER,
            Self::SignInWithForm { .. } => StatusCode::TEMPORARY_REDIRECT,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::UnknownHost => StatusCode::MISDIRECTED_REQUEST,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Api(error) => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Self::SignInFirst { next } | Self::SignInWithForm { next } = self {
            return response.insert_header((LOCATION, next.as_str())).finish();
        }
        if let Self::TooMany { retry_after_s, .. } = self {
            response.insert_header((RETRY_AFTER, *retry_after_s));
        }
        response.content_type("text/plain; charset=utf-8").body(self.title_and_message().1)
    }
}

/// Renders errors as pages where a person sees them: those of pages, and those of the API on paths
/// of the back office or for a browser. This is a middleware because `error_response` has no access
/// to the server's state, which the page needs for its links.
pub async fn show_errors(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let answered = next.call(request).await?;
    let page = answered
        .response()
        .error()
        .and_then(|error| for_person(answered.request(), error))
        .and_then(|(title, message)| render(answered.request(), title, &message));
    let Some(page) = page else { return Ok(answered.map_into_boxed_body()) };
    let answered = answered.map_body(|head, _| {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        head.headers_mut().insert(CONTENT_TYPE, html);
        BoxBody::new(page)
    });
    Ok(answered)
}

/// Title and text of the page; `None` if the answer stays as it is.
fn for_person(request: &HttpRequest, error: &Error) -> Option<(&'static str, String)> {
    if let Some(error) = error.as_error::<PageError>() {
        return (!error.status_code().is_redirection()).then(|| error.title_and_message());
    }
    let error = error.as_error::<ApiError>()?;
    let path = path_of(request)?;
    let accepted = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let is_browser = accepted.is_some_and(|types| types.contains("text/html"));
    (is_office(path) || is_browser && !is_api(path)).then(|| words_of(error))
}

/// The request's path below that of the public URL.
fn path_of(request: &HttpRequest) -> Option<&str> {
    let base = state(request).ok()?.links.base_path();
    Some(request.path().strip_prefix(base).unwrap_or(request.path()))
}

fn is_api(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

fn is_office(path: &str) -> bool {
    path == "/admin" || path.starts_with("/admin/")
}

fn render(request: &HttpRequest, title: &str, message: &str) -> Option<String> {
    let base = state(request).ok()?.links.base_path();
    let is_office = is_office(path_of(request)?);
    ErrorPage { title, message, base, is_office, css: crate::http::assets::CSS.path() }
        .render()
        .ok()
}
