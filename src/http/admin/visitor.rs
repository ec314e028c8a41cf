//! The signed-in user behind a request, and the account in its path.

use std::future::Future;
use std::pin::Pin;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest};

use super::form::Form;
use super::page_error::PageError;
use super::paused_hooks::{HookNotice, load_notices};
use crate::app::{OnBehalfOf, SESSION_LIFE_MS, TouchSession};
use crate::auth::session::{IDLE_MS_MAX, Ticket, is_form_token};
use crate::domain::email::Email;
use crate::domain::ids::{AccountId, CreatedBy};
use crate::domain::role::{Right, Role};
use crate::http::state::{AppState, state};
use crate::store::{AccountRecord, KeyHash, SessionRecord, StoreError};

/// Age of `last_seen_at` above which it is written again. Writing it on every request would cost a
/// commit each time.
const TOUCH_MS: i64 = 60_000;

/// A signed-in user.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub user_id: String,
    pub email: Email,
    pub role: Role,
    /// The accounts that this user has access to.
    pub accounts: Vec<AccountRecord>,
    /// The token that every form of this session must carry.
    pub form_token: String,
    pub token_sha256: [u8; 32],
}

/// A signed-in user on a page of one of their accounts.
#[derive(Debug, Clone)]
pub struct Staff {
    pub visitor: Visitor,
    pub account_id: AccountId,
    /// The name of the shop.
    pub account_name: String,
    /// Its webhooks that were paused because they failed, for those who can mend them.
    pub hook_notices: Vec<HookNotice>,
    /// True if the database was made by `tillbook demo`.
    pub demo: bool,
}

impl Visitor {
    /// An error unless the form carries the token of this visitor's session.
    pub fn expect_own_form(&self, form: &Form) -> Result<(), PageError> {
        if is_form_token(&self.form_token, form.text("form_token")) {
            return Ok(());
        }
        Err(PageError::Forbidden(
            "This form belongs to an older session. Go back, reload the page and try again.",
        ))
    }
}

impl Staff {
    /// The stored hash of a form's key. It includes the user, so that users cannot use each other's
    /// keys.
    pub fn key_hash(&self, key: &str) -> KeyHash {
        KeyHash::of(&self.account_id, &self.visitor.user_id, key)
    }

    /// An error unless the visitor's role has this right.
    pub fn expect_right(&self, right: Right) -> Result<(), PageError> {
        if self.visitor.role.may(right) {
            return Ok(());
        }
        Err(PageError::Forbidden("Your role does not allow this. Ask an owner of the shop."))
    }

    /// The shop's IANA time zone.
    pub fn time_zone(&self) -> &str {
        let mut accounts = self.visitor.accounts.iter();
        let account = accounts.find(|account| account.account_id == self.account_id);
        account.map(|account| account.time_zone.as_str()).unwrap_or_default()
    }

    /// The account and user that a command acts for.
    pub fn on_behalf_of(&self) -> OnBehalfOf {
        OnBehalfOf {
            account_id: self.account_id.clone(),
            created_by: CreatedBy(self.visitor.user_id.clone()),
        }
    }
}

impl FromRequest for Visitor {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Visitor, PageError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = state(&request)?;
            let found = find_visitor(state, &request).await?;
            found.ok_or_else(|| sign_in_first(state, &request))
        })
    }
}

impl FromRequest for Staff {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Staff, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let visitor = Visitor::from_request(request, payload);
        let account_id = request.match_info().get("aid").and_then(AccountId::parse);
        let request = request.clone();
        Box::pin(async move {
            let visitor = visitor.await?;
            let mut accounts = visitor.accounts.iter();
            let account = accounts.find(|account| Some(&account.account_id) == account_id.as_ref());
            // Not 403, which would tell that the account exists.
            let account = account.cloned().ok_or(PageError::NotFound)?;
            let account_id = account.account_id;
            let (id, base) = (account_id.clone(), state(&request)?.links.base_path().to_owned());
            let may_mend = visitor.role.may(Right::ManageHooks);
            let read = state(&request)?.store.read(move |reader| {
                let notices = match may_mend {
                    true => load_notices(reader, &id, &base)?,
                    false => Vec::new(),
                };
                Ok::<_, StoreError>((notices, reader.load_demo_seed()?.is_some()))
            });
            let (hook_notices, demo) = read.await?;
            Ok(Staff { visitor, account_id, account_name: account.name, hook_notices, demo })
        })
    }
}

/// The visitor that the request's session cookie belongs to; `None` without a cookie, or when the
/// session has ended.
pub async fn find_visitor(
    state: &AppState,
    request: &HttpRequest,
) -> Result<Option<Visitor>, PageError> {
    let Some(token_sha256) = cookie_sha256(state, request) else { return Ok(None) };
    let read = state.store.read(move |reader| {
        let session = reader.find_session(&token_sha256)?;
        let Some(session) = session else { return Ok(None) };
        let accounts = reader.list_accounts_of(session.user.user_seq)?;
        Ok::<_, PageError>(Some((session, accounts)))
    });
    let Some((session, accounts)) = read.await? else { return Ok(None) };
    let now = state.clock.now();
    let unused_ms = now.0 - session.last_seen_at.0;
    let alive = unused_ms < IDLE_MS_MAX && now.0 - session.created_at.0 < SESSION_LIFE_MS;
    if !alive || session.user.disabled_at.is_some() {
        return Ok(None);
    }
    if TOUCH_MS < unused_ms
        && state.store.writer.write(TouchSession { token_sha256 }).await.is_err()
    {
        tracing::warn!("could not record that a session is in use; it may end early");
    }
    Ok(Some(visitor(session, accounts, token_sha256)))
}

/// SHA-256 of the request's session cookie.
pub fn cookie_sha256(state: &AppState, request: &HttpRequest) -> Option<[u8; 32]> {
    let cookie = request.cookie(cookie_name(state))?;
    Some(Ticket::sent(cookie.value()).sha256())
}

/// The cookie that signs a browser in.
pub fn session_cookie(state: &AppState, ticket: &Ticket) -> Cookie<'static> {
    Cookie::build(cookie_name(state), ticket.reveal().to_owned())
        .path("/")
        .http_only(true)
        .secure(state.links.is_https())
        .same_site(SameSite::Lax)
        .finish()
}

/// The cookie that signs a browser out.
pub fn no_cookie(state: &AppState) -> Cookie<'static> {
    let mut cookie = session_cookie(state, &Ticket::sent(""));
    cookie.make_removal();
    cookie
}

fn visitor(
    session: SessionRecord,
    accounts: Vec<AccountRecord>,
    token_sha256: [u8; 32],
) -> Visitor {
    Visitor {
        role: session.user.role,
        user_id: session.user.user_id,
        email: session.user.email,
        accounts,
        form_token: session.form_token,
        token_sha256,
    }
}

/// Browsers accept a `__Host-` cookie only over TLS and only from this very host. Over plain http
/// (loopback, or `--insecure-http`) such a cookie is refused, so it has another name there.
fn cookie_name(state: &AppState) -> &'static str {
    if state.links.is_https() { "__Host-tillbook" } else { "tillbook" }
}

/// The redirect to the sign-in page. A form is sent on to it with all its fields, so that they can
/// be kept.
fn sign_in_first(state: &AppState, request: &HttpRequest) -> PageError {
    let next = sign_in_path(state, request);
    let is_sign_out = request.path().ends_with("/admin/sign-out");
    match request.method() == Method::POST && !is_sign_out {
        true => PageError::SignInWithForm { next },
        false => PageError::SignInFirst { next },
    }
}

fn sign_in_path(state: &AppState, request: &HttpRequest) -> String {
    let wanted = request.path().trim_start_matches(state.links.base_path());
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("next", wanted).finish();
    format!("{}/admin/sign-in?{query}", state.links.base_path())
}
