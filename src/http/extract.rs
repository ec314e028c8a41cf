//! The arguments of handlers: the caller, the order in the path, the body.
//!
//! The caller is every handler's first argument and never waits for the body, so that a bad token
//! is reported before a bad body. It depends only on the token and the path.

use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;

use super::edge::body::{read_body_if, unsupported};
use super::error::{ApiError, Code};
use super::long_body::{FREE_BODY_BYTES_MAX, SHORT_BODY_BYTES_MAX, run_aside, turn};
use super::state::state;
use super::turns::Turn;
use crate::app::{Idempotent, OnBehalfOf};
use crate::auth::access::Actor;
use crate::digest::sha256;
use crate::domain::KeptJson;
use crate::domain::ids::{AccountId, CreatedBy, OrderName};
use crate::domain::scope::Scope;
use crate::json::{self, ParseErrorKind, Tree};
use crate::sabotage::{self, Fault};
use crate::store::{AnswerName, KeyHash, KeyUse, NewApiEvent, WriteCommand};
use crate::wire::problem::Problem;
use crate::wire::shape::{Shape, clean};

/// Some clients write it before UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The most characters of an idempotency key.
const KEY_CHARS_MAX: usize = 255;

/// A caller who may change orders: `admin:shopping` or `write:shopping`.
pub struct ShoppingWriter(pub Actor);

/// A caller who may read orders: `admin:shopping` or `read:shopping`.
pub struct ShoppingReader(pub Actor);

/// A caller who may read an order's events: with the scope for that, or one that reads orders.
pub struct OrderEventsReader(pub Actor);

/// A caller who may add a service's events to an order: with the scope for that, or one that
/// changes orders.
pub struct OrderEventsWriter(pub Actor);

/// A caller who may change webhooks: `admin:hooks` or `write:hooks`.
pub struct HooksWriter(pub Actor);

/// A caller who may read webhooks: `admin:hooks` or `read:hooks`.
pub struct HooksReader(pub Actor);

/// A caller who may change payout rules: `admin:billing` or `write:billing`.
pub struct BillingWriter(pub Actor);

/// A caller who may read payout rules: `admin:billing` or `read:billing`.
pub struct BillingReader(pub Actor);

/// A request that writes, with its idempotency key.
pub struct Sent<const BYTES_MAX: usize> {
    method: &'static str,
    path: String,
    query: String,
    /// The body; `{}` if it was empty.
    pub body: Tree,
    was_empty: bool,
    key: Option<String>,
    /// Values made from a long body; `None` for a short one.
    long: Option<Long>,
    /// Kept until the request has been carried out, unless its body is short.
    turn: Option<Turn>,
}

/// Values that were made from a long body while it was parsed, away from the event loop.
struct Long {
    event: NewApiEvent,
    /// The fingerprint of the request, if it has a key.
    fingerprint: Option<[u8; 32]>,
}

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

impl FromRequest for HooksWriter {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request, &[Scope::AdminHooks, Scope::WriteHooks]).map(Self))
    }
}

impl FromRequest for HooksReader {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request, &[Scope::AdminHooks, Scope::ReadHooks]).map(Self))
    }
}

impl FromRequest for BillingWriter {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request, &[Scope::AdminBilling, Scope::WriteBilling]).map(Self))
    }
}

impl FromRequest for BillingReader {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request, &[Scope::AdminBilling, Scope::ReadBilling]).map(Self))
    }
}

impl<const BYTES_MAX: usize> FromRequest for Sent<BYTES_MAX> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let judge = || expect_json(&request);
            let bytes = read_body_if(&request, payload, BYTES_MAX, judge).await?;
            let method = match request.method().as_str() {
                "PUT" => "PUT",
                "DELETE" => "DELETE",
                _ => "POST",
            };
            let path = request.path().to_owned();
            let query = request.query_string().to_owned();
            let key = idempotency_key(&request);
            let sent = move |bytes: &[u8]| {
                let parsed = parse_body(bytes)?;
                let was_empty = parsed.is_none();
                let body = parsed.unwrap_or_else(|| Tree::Object(Vec::new()));
                let (key, long, turn) = (key?, None, None);
                Ok(Sent { method, path, query, body, was_empty, key, long, turn })
            };
            if bytes.len() <= FREE_BODY_BYTES_MAX {
                return sent(&bytes);
            }
            if bytes.len() <= SHORT_BODY_BYTES_MAX {
                let turn = turn(&request, |state| &state.medium_bodies).await?;
                return sent(&bytes).map(|sent: Sent<BYTES_MAX>| sent.within(turn));
            }
            let turn = turn(&request, |state| &state.long_bodies).await?;
            run_aside(move || sent(&bytes).map(|sent: Sent<BYTES_MAX>| sent.within(turn).long()))
                .await
        })
    }
}

impl<const BYTES_MAX: usize> Sent<BYTES_MAX> {
    /// Keeps a turn for as long as the request.
    fn within(mut self, turn: Turn) -> Self {
        self.turn = Some(turn);
        self
    }

    /// Makes what follows from a long body.
    fn long(mut self) -> Self {
        let fingerprint = self.key.is_some().then(|| self.fingerprint());
        self.long = Some(Long { event: self.event(), fingerprint });
        self
    }

    /// Parses the body further with `parse`. A long one is parsed away from the event loop.
    pub async fn parse<T: Send + 'static>(
        self,
        parse: fn(&Tree) -> Result<T, Vec<Problem>>,
    ) -> Result<(Self, T), ApiError> {
        if self.long.is_none() {
            let parsed = parse(&self.body)?;
            return Ok((self, parsed));
        }
        run_aside(move || {
            let parsed = parse(&self.body)?;
            Ok((self, parsed))
        })
        .await
    }

    /// Wraps a command so that it runs once per idempotency key; `name` names its answer.
    pub fn once<C: WriteCommand>(
        &self,
        actor: &Actor,
        command: C,
        name: fn(&C::Done) -> AnswerName,
    ) -> Idempotent<C> {
        Idempotent { command, key: self.key_use(actor), name }
    }

    /// Refuses a body that is not an object, for routes that need nothing from it.
    pub fn expect_object(&self) -> Result<(), ApiError> {
        let mut problems = Vec::new();
        clean(self.body.clone(), Shape::FreeObject, "", &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(ApiError::invalid(problems)) }
    }

    /// The request as an API event keeps it.
    pub fn event(&self) -> NewApiEvent {
        if let Some(long) = &self.long {
            return long.event.clone();
        }
        let body = (!self.was_empty).then(|| self.body.to_string());
        NewApiEvent {
            method: self.method,
            path: self.path.clone(),
            body_sha256: body.as_ref().map(|text| sha256(text.as_bytes())),
            body: body.map(KeptJson),
        }
    }

    /// The request's idempotency key, with the fingerprint of everything that a repetition must
    /// have in common with it.
    pub fn key_use(&self, actor: &Actor) -> Option<KeyUse> {
        let key = self.key.as_ref()?;
        let made = self.long.as_ref().and_then(|long| long.fingerprint);
        Some(KeyUse {
            hash: KeyHash::of(&actor.account_id, &actor.client_id, key),
            fingerprint: made.unwrap_or_else(|| self.fingerprint()),
        })
    }

    fn fingerprint(&self) -> [u8; 32] {
        let body = self.body.canonical_text();
        let request = [self.method, &self.path, &self.query, &body].join("\n");
        sha256(request.as_bytes())
    }
}

/// The order that the path names. A name that is not valid is reported as not found.
pub fn order_in_path(request: &HttpRequest) -> Result<OrderName, ApiError> {
    let name = path_segment(request, "order_id");
    name.as_deref().and_then(OrderName::parse).ok_or_else(|| ApiError::not_found("order"))
}

/// A segment of the path, percent-decoded; `None` if the result is not UTF-8.
pub fn path_segment(request: &HttpRequest, name: &str) -> Option<String> {
    // The router has decoded all but `%`, `/` and `+`, which it leaves escaped.
    let segment = request.match_info().get(name)?;
    percent_decode_str(segment).decode_utf8().ok().map(|text| text.into_owned())
}

/// The account and the author that a command of this actor gets.
pub fn on_behalf_of(actor: &Actor) -> OnBehalfOf {
    OnBehalfOf {
        account_id: actor.account_id.clone(),
        created_by: CreatedBy(actor.client_id.clone()),
    }
}

/// The caller, who has a valid token of an enabled client, for the account in the path, with one of
/// the scopes.
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
            format!("This token is for account {}; use that one in the path.", actor.account_id),
        ));
    }
    if !actor.may(any_of) {
        let words: Vec<&str> = any_of.iter().map(|scope| scope.as_str()).collect();
        let words = words.join(", ");
        let message = format!("Use the token of a client that has one of these scopes: {words}.");
        return Err(ApiError::new(Code::InsufficientScope, message));
    }
    Ok(actor)
}

/// The token of the only Authorization header. The scheme's case does not matter (RFC 9110).
fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (header, another) = (headers.next()?, headers.next());
    let (scheme, token) = std::str::from_utf8(header.as_bytes()).ok()?.split_once(' ')?;
    (another.is_none() && scheme.eq_ignore_ascii_case("bearer")).then_some(token)
}

/// A body as JSON; `None` if it is empty or `null`. Harmless differences between clients are
/// accepted: a byte order mark is skipped, and `[]`, PHP's empty map, is read as `{}`
/// (docs/contract.md, Decision 3).
fn parse_body(bytes: &[u8]) -> Result<Option<Tree>, ApiError> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = json::parse(text).map(|tree| match tree {
        Tree::Null => None,
        Tree::List(elements) if elements.is_empty() => Some(Tree::Object(Vec::new())),
        tree => Some(tree),
    });
    parsed.map_err(|error| {
        let (code, refusal) = match error.kind {
            ParseErrorKind::DuplicateKey(_) => ("duplicate_key", "cannot be accepted"),
            ParseErrorKind::TooDeep => ("too_deep", "cannot be accepted"),
            ParseErrorKind::Nul => ("nul_character", "cannot be accepted"),
            ParseErrorKind::NotUtf8
            | ParseErrorKind::EndsEarly
            | ParseErrorKind::Unexpected
            | ParseErrorKind::Number
            | ParseErrorKind::Text
            | ParseErrorKind::Trailing => ("invalid_json", "is not valid JSON"),
        };
        let message = format!("The body {refusal}: {error}.");
        ApiError::invalid(vec![Problem::new("", code, message)])
    })
}

/// Refuses a body whose Content-Type is not JSON; a missing one counts as JSON.
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
            "Send one such header with 1 to 255 printable ASCII characters.",
        )])),
    }
}
