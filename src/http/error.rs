//! Errors of the API: the one table of codes and statuses, and the one shape of an error's answer.

use std::convert::Infallible;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};

use crate::json::Tree;
use crate::randomness::Randomness;
use crate::store::{FileLoss, StoreError, StoreErrorKind, WriteError};
use crate::wire::problem::{Problem, summary};

/// Seconds after which a client may try again.
const RETRY_AFTER_S: &str = "1";

/// Every `code` that an error can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    InvalidRequest,
    InvalidToken,
    InvalidClient,
    InsufficientScope,
    WrongAccount,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    AmountExceedsRemaining,
    OrderCancelled,
    OrderNotOpen,
    OrderNotClosed,
    OrderHasCaptures,
    HasPaymentOperations,
    OrderIdTaken,
    DraftCompleted,
    DraftDeleted,
    LineInUse,
    CurrencyMismatch,
    OrderTooLarge,
    PayoutRuleTaken,
    PayoutRuleDeleted,
    TooManyPayoutRules,
    TooManyHooks,
    HookPaused,
    DeliveryExpired,
    NoCheckout,
    SessionNotOpen,
    TooManySessions,
    BodyTooLarge,
    UriTooLong,
    HeadTooLarge,
    UnsupportedMediaType,
    IdempotencyKeyReused,
    InternalError,
    Unavailable,
}

impl Code {
    /// The code as answers spell it, and its status.
    pub fn wire(self) -> (&'static str, StatusCode) {
        match self {
            Self::InvalidRequest => ("invalid_request", StatusCode::BAD_REQUEST),
            Self::InvalidToken => ("invalid_token", StatusCode::UNAUTHORIZED),
            Self::InvalidClient => ("invalid_client", StatusCode::UNAUTHORIZED),
            Self::InsufficientScope => ("insufficient_scope", StatusCode::FORBIDDEN),
            Self::WrongAccount => ("wrong_account", StatusCode::FORBIDDEN),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED),
            Self::RequestTimeout => ("request_timeout", StatusCode::REQUEST_TIMEOUT),
            Self::AmountExceedsRemaining => ("amount_exceeds_remaining", StatusCode::CONFLICT),
            Self::OrderCancelled => ("order_cancelled", StatusCode::CONFLICT),
            Self::OrderNotOpen => ("order_not_open", StatusCode::CONFLICT),
            Self::OrderNotClosed => ("order_not_closed", StatusCode::CONFLICT),
            Self::OrderHasCaptures => ("order_has_captures", StatusCode::CONFLICT),
            Self::HasPaymentOperations => ("has_payment_operations", StatusCode::CONFLICT),
            Self::OrderIdTaken => ("order_id_taken", StatusCode::CONFLICT),
            Self::DraftCompleted => ("draft_completed", StatusCode::CONFLICT),
            Self::DraftDeleted => ("draft_deleted", StatusCode::CONFLICT),
            Self::PayoutRuleTaken => ("payout_rule_taken", StatusCode::CONFLICT),
            Self::PayoutRuleDeleted => ("payout_rule_deleted", StatusCode::CONFLICT),
            Self::TooManyPayoutRules => ("too_many_payout_rules", StatusCode::CONFLICT),
            Self::LineInUse => ("line_in_use", StatusCode::CONFLICT),
            Self::CurrencyMismatch => ("currency_mismatch", StatusCode::CONFLICT),
            Self::OrderTooLarge => ("order_too_large", StatusCode::CONFLICT),
            Self::TooManyHooks => ("too_many_hooks", StatusCode::CONFLICT),
            Self::HookPaused => ("hook_paused", StatusCode::CONFLICT),
            Self::DeliveryExpired => ("delivery_expired", StatusCode::CONFLICT),
            Self::NoCheckout => ("no_checkout", StatusCode::CONFLICT),
            Self::SessionNotOpen => ("session_not_open", StatusCode::CONFLICT),
            Self::TooManySessions => ("too_many_sessions", StatusCode::CONFLICT),
            Self::BodyTooLarge => ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::UriTooLong => ("uri_too_long", StatusCode::URI_TOO_LONG),
            Self::HeadTooLarge => ("head_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::IdempotencyKeyReused => {
                ("idempotency_key_reused", StatusCode::UNPROCESSABLE_ENTITY)
            }
            Self::InternalError => ("internal_error", StatusCode::INTERNAL_SERVER_ERROR),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// The header that tells a client how to go on.
    fn header(self) -> Option<(HeaderName, &'static str)> {
        match self {
            Self::InvalidToken => Some((WWW_AUTHENTICATE, "Bearer")),
            Self::InvalidClient => Some((WWW_AUTHENTICATE, "Basic realm=\"tillbook\"")),
            Self::Unavailable => Some((RETRY_AFTER, RETRY_AFTER_S)),
            Self::InvalidRequest
            | Self::InsufficientScope
            | Self::WrongAccount
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::AmountExceedsRemaining
            | Self::OrderCancelled
            | Self::OrderNotOpen
            | Self::OrderNotClosed
            | Self::OrderHasCaptures
            | Self::HasPaymentOperations
            | Self::PayoutRuleTaken
            | Self::PayoutRuleDeleted
            | Self::TooManyPayoutRules
            | Self::OrderIdTaken
            | Self::DraftCompleted
            | Self::DraftDeleted
            | Self::LineInUse
            | Self::CurrencyMismatch
            | Self::OrderTooLarge
            | Self::TooManyHooks
            | Self::HookPaused
            | Self::DeliveryExpired
            | Self::NoCheckout
            | Self::SessionNotOpen
            | Self::TooManySessions
            | Self::BodyTooLarge
            | Self::UriTooLong
            | Self::HeadTooLarge
            | Self::UnsupportedMediaType
            | Self::IdempotencyKeyReused
            | Self::InternalError => None,
        }
    }
}

/// An answer that says why a request failed.
#[derive(Debug)]
pub struct ApiError {
    pub code: Code,
    pub message: String,
    pub problems: Vec<Problem>,
    /// The methods that the path allows; only with a 405.
    allow: Option<String>,
    /// The id under which the log has the cause; only with a 500.
    request_id: Option<String>,
}

impl ApiError {
    /// `message` tells the caller what to do next.
    pub fn new(code: Code, message: impl Into<String>) -> ApiError {
        let message = message.into();
        ApiError { code, message, problems: Vec::new(), allow: None, request_id: None }
    }

    /// An invalid body, query or header, with everything that is wrong with it.
    pub fn invalid(problems: Vec<Problem>) -> ApiError {
        let message = summary(&problems);
        ApiError { problems, ..ApiError::new(Code::InvalidRequest, message) }
    }

    /// This error with a list of its single problems.
    pub fn with_problems(self, problems: Vec<Problem>) -> ApiError {
        ApiError { problems, ..self }
    }

    /// The token is missing or not valid.
    pub fn invalid_token() -> ApiError {
        ApiError::new(
            Code::InvalidToken,
            "The access token is missing, expired or not from this server. \
             Get one with POST /v1/accounts/{aid}/auth/token.",
        )
    }

    /// `what` does not exist, or belongs to another account.
    pub fn not_found(what: &str) -> ApiError {
        ApiError::new(
            Code::NotFound,
            format!("There is no such {what} in this account. Check its id."),
        )
    }

    /// What the answer of a repeated request shows has expired.
    pub fn expired(what: &str) -> ApiError {
        ApiError::new(
            Code::NotFound,
            format!(
                "The {what} of this request has expired and was removed. Nothing was done now."
            ),
        )
    }

    /// No route has the request's path.
    pub fn no_such_path() -> ApiError {
        ApiError::new(Code::NotFound, "There is no such path. /openapi.yaml lists every path.")
    }

    /// The path exists, but not with the request's method.
    pub fn method_not_allowed(allow: String) -> ApiError {
        let message = format!("This path allows only {allow}.");
        ApiError { allow: Some(allow), ..ApiError::new(Code::MethodNotAllowed, message) }
    }

    /// A failure of the server. Logs the cause, once, under an id that the caller is told.
    pub fn internal(source: impl fmt::Display) -> ApiError {
        let request_id = Randomness::System.uuid();
        tracing::error!(request.id = %request_id, error = %source, "a request failed");
        let message = "The server failed, and it is unknown whether the request had an effect. \
                       Send it again with the same Idempotency-Key. If that fails too, look for \
                       request_id in the server's log.";
        ApiError { request_id: Some(request_id), ..ApiError::new(Code::InternalError, message) }
    }

    /// The book cannot be read or written at the moment.
    pub fn unavailable(message: &str) -> ApiError {
        ApiError::new(Code::Unavailable, message)
    }

    /// The book was found damaged, and nothing is written until its operator has repaired it.
    pub fn damaged() -> ApiError {
        ApiError::unavailable(
            "The book was found damaged, so nothing is recorded until the server's operator has \
             repaired it. The server's log says what is wrong. Reading still works.",
        )
    }

    /// The book's file was lost, and nothing is written until its operator has put it right.
    pub fn lost(loss: FileLoss) -> ApiError {
        ApiError::unavailable(&format!(
            "Nothing is recorded, because {loss}. The server's log tells its operator what to do. \
             Reading still works."
        ))
    }

    /// Explains a failed write to the caller; `refused` explains the refusals of the command.
    pub fn from_write<R>(error: WriteError<R>, refused: impl FnOnce(R) -> ApiError) -> ApiError {
        match error {
            WriteError::Refused(reason) => refused(reason),
            WriteError::Store(error) => error.into(),
            WriteError::QueueFull => ApiError::unavailable(
                "Too many requests are waiting. Nothing was recorded; try again later.",
            ),
            WriteError::Unavailable(StoreErrorKind::DiskFull) => {
                tracing::error!(
                    "the disk is full, and writes are refused until you free some space"
                );
                ApiError::unavailable(
                    "The server's disk is full. Nothing was recorded; try again later.",
                )
            }
            WriteError::Unavailable(StoreErrorKind::Corrupt) => ApiError::damaged(),
            WriteError::Unavailable(StoreErrorKind::Lost(loss)) => ApiError::lost(loss),
            WriteError::Unavailable(
                StoreErrorKind::Busy
                | StoreErrorKind::Constraint
                | StoreErrorKind::Inconsistent
                | StoreErrorKind::Machine
                | StoreErrorKind::Other,
            ) => ApiError::unavailable("The database is busy. Nothing was recorded; try again."),
            WriteError::Crashed => ApiError::internal("a command panicked or broke the schema"),
            WriteError::WritesOff => ApiError::unavailable(
                "The server has stopped writing, and it is unknown whether this was recorded. Send \
                 it again with the same Idempotency-Key.",
            ),
        }
    }

    /// What a page of the back office says about a failure of the server.
    pub fn page_message(&self) -> String {
        let id = self.request_id.as_deref().unwrap_or("none");
        format!(
            "It is unknown whether this had an effect: look at the order before you do it again. \
             If it keeps happening, give the server's operator this id: {id}."
        )
    }

    /// The JSON text.
    pub fn body(&self) -> String {
        let mut error = vec![
            ("code".to_owned(), Tree::text(self.code.wire().0)),
            ("message".to_owned(), Tree::text(&self.message)),
        ];
        if !self.problems.is_empty() {
            let problems = self.problems.iter().map(Problem::tree).collect();
            error.push(("errors".to_owned(), Tree::List(problems)));
        }
        if let Some(id) = &self.request_id {
            error.push(("request_id".to_owned(), Tree::text(id)));
        }
        Tree::object([("error", Tree::Object(error))]).to_string()
    }
}

impl From<Vec<Problem>> for ApiError {
    fn from(problems: Vec<Problem>) -> ApiError {
        ApiError::invalid(problems)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        match error.kind {
            StoreErrorKind::Busy => {
                ApiError::unavailable("The database is busy. Nothing was changed; try again.")
            }
            StoreErrorKind::DiskFull
            | StoreErrorKind::Corrupt
            | StoreErrorKind::Constraint
            | StoreErrorKind::Inconsistent
            | StoreErrorKind::Machine
            | StoreErrorKind::Lost(_)
            | StoreErrorKind::Other => ApiError::internal(error),
        }
    }
}

/// For a command that cannot be refused.
impl From<Infallible> for ApiError {
    fn from(never: Infallible) -> ApiError {
        match never {}
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code.wire().0, self.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.wire().1
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/json");
        if let Some(header) = self.code.header() {
            response.insert_header(header);
        }
        if let Some(allow) = &self.allow {
            response.insert_header((ALLOW, allow.as_str()));
        }
        response.body(self.body())
    }
}
