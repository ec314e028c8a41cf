//! What a handler asks for in its arguments: who is calling, which order, what was sent.
//!
//! A caller comes first in every handler and is ready at once, so that a bad token is told before
//! a bad body. It depends on the token and the path alone.

use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;

use super::edge::body::{read_body, unsupported};
use super::error::{ApiError, Code};
use super::state::state;
use crate::app::{Idempotent, OnBehalfOf};
use crate::auth::access::Actor;
use crate::digest::sha256;
use crate::domain::KeptJson;
use crate::domain::ids::{AccountId, CreatedBy, OrderName};
use crate::domain::scope::Scope;
use crate::json::{self, ParseErrorKind, Tree};
use crate::sabotage::{self, Fault};
use crate::store::{KeyHash, KeyUse, NewApiEvent, WriteCommand};
use crate::wire::problem::Problem;
use crate::wire::shape::{Shape, clean};

/// Characters of an idempotency key.
const KEY_CHARS_MAX: usize = 255;

/// A caller who may change orders: `admin:shopping` or `write:shopping`.
pub struct ShoppingWriter(pub Actor);

/// A caller who may read orders: `admin:shopping` or `read:shopping`.
pub struct ShoppingReader(pub Actor);

/// A caller who may read an order's events.
pub struct OrderEventsReader(pub Actor);

/// A caller who may say what a service did about an order.
pub struct OrderEventsWriter(pub Actor);

impl FromRequest for ShoppingWriter {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request, &[Scope::AdminShopping, Scope::WriteShopping]).map(Self))
    }
}

impl FromRequest for ShoppingReader {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request, &[Scope::AdminShopping, Scope::ReadShopping]).map(Self))
    }
}

impl FromRequest for OrderEventsReader {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let scopes = [Scope::AdminShopping, Scope::ReadShopping, Scope::ReadOrderEvents];
        ready(caller(request, &scopes).map(Self))
    }
}

impl FromRequest for OrderEventsWriter {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let scopes = [Scope::AdminShopping, Scope::WriteShopping, Scope::WriteOrderEvents];
        ready(caller(request, &scopes).map(Self))
    }
}

/// Who calls: a good token of a client that may be used, for this account, with a scope.
fn caller(request: &HttpRequest, any_of: &[Scope]) -> Result<Actor, ApiError> {
    let state = state(request)?;
    let token = bearer(request).ok_or_else(ApiError::invalid_token)?;
    let verified = state.tokens.verify(token, state.clock.now());
    let verified = verified.map_err(|_| ApiError::invalid_token())?;
    let mut actor = state.access.snapshot().actor(verified).ok_or_else(ApiError::invalid_token)?;
    let named = request.match_info().get("aid");
    if sabotage::is_on(Fault::SkipAccountCheck)
        && request.method() == "GET"
        && request.path().ends_with("/captures")
    {
        actor.account_id = named.and_then(AccountId::parse).unwrap_or(actor.account_id);
    }
    if named != Some(actor.account_id.as_str()) {
        return Err(ApiError::new(
            Code::WrongAccount,
            format!("This token is for account {}; use that in the path.", actor.account_id),
        ));
    }
    if !actor.may(any_of) {
        let words: Vec<&str> = any_of.iter().map(|scope| scope.as_str()).collect();
        let message = format!("The token needs one of these scopes: {}.", words.join(", "));
        return Err(ApiError::new(Code::InsufficientScope, message));
    }
    Ok(actor)
}

/// The token of the one Authorization header; the scheme's name in any case (RFC 9110).
fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (header, another) = (headers.next()?, headers.next());
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    (another.is_none() && scheme.eq_ignore_ascii_case("bearer")).then_some(token)
}

/// The order that a path names. A name that no order can have is one that no order has.
pub fn order_in_path(request: &HttpRequest) -> Result<OrderName, ApiError> {
    let name = path_segment(request, "order_id");
    name.as_deref().and_then(OrderName::parse).ok_or_else(|| ApiError::not_found("order"))
}

/// A segment of the path, percent-decoded; `None` when that is no UTF-8.
pub fn path_segment(request: &HttpRequest, name: &str) -> Option<String> {
    // The router has decoded all but `%`, `/` and `+`, which it leaves escaped.
    let segment = request.match_info().get(name)?;
    percent_decode_str(segment).decode_utf8().ok().map(|text| text.into_owned())
}

/// A request that writes: what was sent and under which key.
pub struct Sent<const BYTES_MAX: usize> {
    method: &'static str,
    path: String,
    query: String,
    /// The body; `{}` when there was none.
    pub body: Tree,
    was_empty: bool,
    key: Option<String>,
}

impl<const BYTES_MAX: usize> FromRequest for Sent<BYTES_MAX> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            expect_json(&request)?;
            let bytes = read_body(&request, payload, BYTES_MAX).await?;
            let body = parse_body(&bytes)?;
            let was_empty = bytes.is_empty();
            let key = idempotency_key(&request)?;
            let method = match request.method().as_str() {
                "PUT" => "PUT",
                "DELETE" => "DELETE",
                _ => "POST",
            };
            let path = request.path().to_owned();
            let query = request.query_string().to_owned();
            Ok(Sent { method, path, query, body, was_empty, key })
        })
    }
}

impl<const BYTES_MAX: usize> Sent<BYTES_MAX> {
    /// The command, to be run once for each key, and answered with what `render` makes of it.
    pub fn once<C: WriteCommand, R: Fn(&C::Done) -> String + Send + 'static>(
        &self,
        actor: &Actor,
        command: C,
        render: R,
    ) -> Idempotent<C, R> {
        Idempotent { command, key: self.key_use(actor), render }
    }

    /// An error unless the body is an object, where nothing in it is needed.
    pub fn expect_object(&self) -> Result<(), ApiError> {
        let mut problems = Vec::new();
        clean(&self.body, Shape::FreeObject, "", &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(ApiError::invalid(problems)) }
    }

    /// The request as an order's event shows it.
    pub fn event(&self) -> NewApiEvent {
        let body = (!self.was_empty).then(|| self.body.to_string());
        NewApiEvent {
            method: self.method,
            path: self.path.clone(),
            body_sha256: body.as_ref().map(|text| sha256(text.as_bytes())),
            body: body.map(KeptJson),
        }
    }

    fn key_use(&self, actor: &Actor) -> Option<KeyUse> {
        let key = self.key.as_ref()?;
        let body = self.body.canonical();
        let request = format!("{}\n{}\n{}\n{body}", self.method, self.path, self.query);
        Some(KeyUse {
            hash: KeyHash::of(&actor.account_id, &actor.client_id, key),
            fingerprint: sha256(request.as_bytes()),
        })
    }
}

/// Whom a command acts for when this actor calls.
pub fn on_behalf_of(actor: &Actor) -> OnBehalfOf {
    OnBehalfOf {
        account_id: actor.account_id.clone(),
        created_by: CreatedBy(actor.client_id.clone()),
    }
}

/// A body as JSON. An empty one is `{}`, which a route with required fields refuses by itself.
fn parse_body(bytes: &[u8]) -> Result<Tree, ApiError> {
    if bytes.is_empty() {
        return Ok(Tree::Object(Vec::new()));
    }
    json::parse(bytes).map_err(|error| {
        let code = match error.kind {
            ParseErrorKind::DuplicateKey(_) => "duplicate_key",
            ParseErrorKind::TooDeep => "too_deep",
            ParseErrorKind::Nul => "nul_character",
            ParseErrorKind::NotUtf8
            | ParseErrorKind::EndsEarly
            | ParseErrorKind::Unexpected
            | ParseErrorKind::Number
            | ParseErrorKind::Text
            | ParseErrorKind::Trailing => "invalid_json",
        };
        let message = format!("This is not the JSON that is taken here: {error}.");
        ApiError::invalid(vec![Problem::new("", code, message)])
    })
}

/// A missing Content-Type is taken as JSON, a wrong one is not.
fn expect_json(request: &HttpRequest) -> Result<(), ApiError> {
    let Some(header) = request.headers().get(CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = header.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(unsupported("This Content-Type", "send application/json"))
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let mut headers = request.headers().get_all("idempotency-key");
    let Some(header) = headers.next() else {
        return Ok(None);
    };
    let key = header.to_str().ok().filter(|key| {
        let printable = key.bytes().all(|b| (0x20..=0x7e).contains(&b));
        printable && (1..=KEY_CHARS_MAX).contains(&key.len())
    });
    match (key, headers.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => Err(ApiError::invalid(vec![Problem::new(
            "Idempotency-Key",
            "bad_value",
            "Expected one header of 1 to 255 printable ASCII characters.",
        )])),
    }
}
