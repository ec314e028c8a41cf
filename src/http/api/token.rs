//! Issues access tokens to API clients (docs/contract.md, Decision 8; RFC 6749, section 4.4).

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;

use crate::auth::client_secret::ClientSecret;
use crate::auth::verified_token::VerifiedToken;
use crate::domain::ids::AccountId;
use crate::http::edge::body::{BODY_BYTES_MAX, read_body};
use crate::http::error::{ApiError, Code};
use crate::http::extract::Sent;
use crate::http::guesses::ClientAttempt;
use crate::http::reply::ok_json;
use crate::http::state::{AppState, state};
use crate::json::{ObjectText, Tree};
use crate::store::ClientRecord;
use crate::wire::problem::Problem;
use crate::wire::shape::{Shape, clean, optional};

/// The most characters of a client id; a longer one is not looked up.
const CLIENT_ID_CHARS_MAX: usize = 100;

struct Credentials {
    client_id: String,
    secret: ClientSecret,
}

/// The body of a request for a token.
struct Asked {
    grant_type: Option<String>,
    audience: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    problems: Vec<Problem>,
}

const ASKED_FIELDS: [&str; 4] = ["grant_type", "audience", "client_id", "client_secret"];

const ASKED: Shape = Shape::Object(&[
    optional(ASKED_FIELDS[0], Shape::Text),
    optional(ASKED_FIELDS[1], Shape::Text),
    optional(ASKED_FIELDS[2], Shape::Text),
    optional(ASKED_FIELDS[3], Shape::Text),
]);

/// `POST /v1/accounts/{aid}/auth/token`: a JSON or form body, which may be empty. The client's id
/// and secret are sent with HTTP Basic or else in the body (RFC 6749, section 2.3.1).
pub async fn create(request: HttpRequest, body: web::Payload) -> Result<HttpResponse, ApiError> {
    let body = body.into_inner();
    if request.headers().contains_key(AUTHORIZATION) {
        // Wrong credentials are reported before a wrong body.
        let client = authenticate(&request, basic(&request)).await?;
        let asked = read_asked(&request, body).await?;
        return answer(&request, client, asked).await;
    }
    let asked = match read_asked(&request, body).await {
        // No credentials can be read from this body.
        Err(ApiError { code: Code::InvalidRequest | Code::UnsupportedMediaType, .. }) => {
            return Err(invalid_client());
        }
        read => read?,
    };
    let client = authenticate(&request, asked.credentials()).await?;
    answer(&request, client, asked).await
}

/// The client with these credentials. Wrong ones are answered slower, the more of them come.
async fn authenticate(
    request: &HttpRequest,
    credentials: Option<Credentials>,
) -> Result<ClientRecord, ApiError> {
    let state = state(request)?;
    let credentials = credentials.ok_or_else(invalid_client)?;
    let address = state.callers.find(request).address;
    let attempt = ClientAttempt::of(&credentials.client_id, address);
    let Some(client) = known_client(state, request, &credentials).await? else {
        tokio::time::sleep(state.guesses.fail_client(&attempt, state.clock.now())).await;
        return Err(invalid_client());
    };
    state.guesses.succeed_client(&attempt);
    Ok(client)
}

async fn answer(
    request: &HttpRequest,
    client: ClientRecord,
    asked: Asked,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    check(asked, &client.account_id)?;
    // A client made a moment ago may be missing in the snapshot, but its token must work at once.
    if !state.access.snapshot().clients.contains_key(&client.client_id) {
        let access = state.access.clone();
        state.store.read(move |reader| access.reload(reader)).await?;
    }
    issue(state, client)
}

/// The client, if it belongs to the account in the path, is enabled and has that secret.
async fn known_client(
    state: &AppState,
    request: &HttpRequest,
    credentials: &Credentials,
) -> Result<Option<ClientRecord>, ApiError> {
    let client_id = credentials.client_id.clone();
    let found = state.store.read(move |reader| reader.find_client(&client_id)).await?;
    let aid = request.match_info().get("aid");
    Ok(found.filter(|client| {
        credentials.secret.matches(&client.secret_sha256)
            && client.disabled_at.is_none()
            && aid == Some(client.account_id.as_str())
    }))
}

fn issue(state: &AppState, client: ClientRecord) -> Result<HttpResponse, ApiError> {
    let granted = client.grants.to_string();
    let token = VerifiedToken {
        client_id: client.client_id,
        account_id: client.account_id,
        scopes: client.grants,
    };
    let jti = state.randomness.uuid();
    let issued = state.tokens.issue(&token, state.clock.now(), jti);
    let text = issued.ok_or_else(|| ApiError::internal("there is no key to sign tokens with"))?;
    let mut answer = ObjectText::default();
    answer
        .text("access_token", &text)
        .text("token_type", "Bearer")
        .integer("expires_in", state.tokens.life_s())
        .text("scope", &granted);
    Ok(ok_json(answer.end()))
}

impl Credentials {
    /// `None` if the id is longer than any client's.
    fn of(client_id: String, secret: &str) -> Option<Credentials> {
        let sized = client_id.chars().count() <= CLIENT_ID_CHARS_MAX;
        sized.then(|| Credentials { client_id, secret: ClientSecret::sent(secret) })
    }
}

/// The credentials of the only Authorization header (RFC 7617).
fn basic(request: &HttpRequest) -> Option<Credentials> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (header, another) = (headers.next()?, headers.next());
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if another.is_some() || !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = decoded.split_once(':')?;
    Credentials::of(form_decoded(client_id), &form_decoded(secret))
}

/// Undoes the form encoding that RFC 6749 requires in HTTP Basic. Many clients do not encode, so
/// text without a `%` is taken as it is; no id or secret contains one.
fn form_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

async fn read_asked(request: &HttpRequest, mut body: Payload) -> Result<Asked, ApiError> {
    let form = request.headers().get(CONTENT_TYPE).is_some_and(|value| {
        let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    if form {
        return Ok(asked_by_form(&read_body(request, body, BODY_BYTES_MAX).await?));
    }
    let sent = Sent::<BODY_BYTES_MAX>::from_request(request, &mut body).await?;
    let mut problems = Vec::new();
    let kept = clean(sent.body, ASKED, "", &mut problems);
    let value = |name| kept.member(name).and_then(Tree::as_text).map(str::to_owned);
    Ok(Asked::read(value, problems))
}

/// A field without a value counts as absent, and no field may be repeated (RFC 6749, section 3.2).
fn asked_by_form(bytes: &[u8]) -> Asked {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
    let named = |name: &'static str| pairs.iter().filter(move |(key, _)| key == name);
    let repeated = ASKED_FIELDS.into_iter().filter(|name| 1 < named(name).count());
    let problem =
        |name| Problem::new(format!("/{name}"), "duplicate_key", "Send this field only once.");
    let problems: Vec<Problem> = repeated.map(problem).collect();
    let value = |name| match named(name).collect::<Vec<_>>().as_slice() {
        [(_, value)] if !value.is_empty() => Some(value.clone()),
        _ => None,
    };
    Asked::read(value, problems)
}

impl Asked {
    fn read(value: impl Fn(&'static str) -> Option<String>, problems: Vec<Problem>) -> Asked {
        let [grant_type, audience, client_id, client_secret] = ASKED_FIELDS.map(value);
        Asked { grant_type, audience, client_id, client_secret, problems }
    }

    fn credentials(&self) -> Option<Credentials> {
        Credentials::of(self.client_id.clone()?, self.client_secret.as_ref()?)
    }
}

/// Refuses another grant or another account's audience. Clients have the original API's host
/// compiled in, so only the end of an audience is checked: `/accounts/{aid}`.
fn check(asked: Asked, account_id: &AccountId) -> Result<(), ApiError> {
    let mut problems = asked.problems;
    if asked.grant_type.as_deref().is_some_and(|grant| grant != "client_credentials") {
        let message = "Expected client_credentials, the only supported grant.";
        problems.push(Problem::new("/grant_type", "bad_value", message));
    }
    let ours = format!("/accounts/{account_id}");
    if asked.audience.as_deref().is_some_and(|audience| !path_of(audience).ends_with(&ours)) {
        let message = format!("Expected a URL whose path ends in {ours}.");
        problems.push(Problem::new("/audience", "bad_value", message));
    }
    if problems.is_empty() { Ok(()) } else { Err(ApiError::invalid(problems)) }
}

/// The path of a URL, without slashes at its end.
fn path_of(url: &str) -> &str {
    let whole = url.split(['?', '#']).next().unwrap_or_default();
    let rest = whole.split_once("://").map_or(whole, |(_, rest)| rest);
    rest.find('/').map_or("", |at| &rest[at..]).trim_end_matches('/')
}

fn invalid_client() -> ApiError {
    ApiError::new(
        Code::InvalidClient,
        "The client is unknown, disabled or of another account, or its secret is wrong. Send id \
         and secret with HTTP Basic, or as `client_id` and `client_secret` in the body; `tillbook \
         client create` makes a new client.",
    )
}
