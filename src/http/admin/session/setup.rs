//! Makes the first owner, and the first account if the book has no account. The link that a new
//! server prints is the permission.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::link::{expect_usable, link_refused};
use super::sign_in::{expect_safe_transport, new_session, not_hashed, signed_in};
use crate::app::{CreateAccount, CreateUser, LinkUse, SetUp};
use crate::auth::email;
use crate::auth::password::{HashMemory, Password};
use crate::auth::session::Ticket;
use crate::domain::currency::Currency;
use crate::domain::email::Email;
use crate::domain::ids::AccountId;
use crate::domain::role::Role;
use crate::http::admin::form::Form;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{html, query_value};
use crate::http::error::ApiError;
use crate::http::state::{AppState, state};
use crate::store::StoreError;

/// Defaults of a shop that is made here. `tillbook account create` can choose others.
const CURRENCY: &str = "NOK";
const TIME_ZONE: &str = "Europe/Oslo";
const NAME_CHARS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "session/setup.html")]
struct SetUpPage {
    frame: Frame,
    ticket: String,
    needs_account: bool,
    shop: String,
    account: String,
    email: String,
    problem: String,
}

/// The form after it is read.
struct Typed {
    /// `None` when the database has an account already.
    account: Option<CreateAccount>,
    email: Email,
    password: Password,
}

/// `GET /admin/setup`
pub async fn show(request: HttpRequest) -> Result<HttpResponse, PageError> {
    let ticket = query_value(&request, "ticket");
    page(&request, &Form::of(&[("ticket", &ticket), ("account", "P00000001")]), "").await
}

/// `POST /admin/setup`
pub async fn create(form: Form, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    expect_safe_transport(state)?;
    let link_sha256 = Ticket::sent(form.text("ticket")).sha256();
    expect_usable(state, &request, link_sha256, LinkUse::SetUp).await?;
    let typed = match read(&form, needs_account(&request).await?) {
        Ok(typed) => typed,
        Err(problem) => return page(&request, &form, &problem).await,
    };
    let password_hash = hash(state, typed.password).await?;
    let ticket = Ticket::draw(&state.randomness);
    let (email, accounts) = (typed.email, Vec::new());
    let command = SetUp {
        link_sha256,
        account: typed.account,
        owner: CreateUser { email, role: Role::Owner, accounts, password_hash },
        session: new_session(state, &ticket),
    };
    let done = state.store.writer.write(command).await;
    done.map_err(|error| ApiError::from_write(error, |why| link_refused(&why, LinkUse::SetUp)))?;
    Ok(signed_in(state, &ticket, &format!("{}/admin", state.links.base_path())))
}

/// Reads the form, or describes its first error.
fn read(form: &Form, needs_account: bool) -> Result<Typed, String> {
    Ok(Typed {
        account: needs_account.then(|| parse_account(form)).transpose()?,
        email: email::parse(form.text("email")).ok_or("Enter your e-mail address.")?,
        password: Password::new(form.text("password"))
            .map_err(|why| format!("Choose another password: {why}."))?,
    })
}

fn parse_account(form: &Form) -> Result<CreateAccount, &'static str> {
    let name = form.text("shop").trim().to_owned();
    let sized = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    if !sized || name.chars().any(char::is_control) {
        return Err("Enter your shop's name.");
    }
    let account_id = AccountId::parse(form.text("account").trim())
        .ok_or("An account is P or T and eight digits, such as P00000001.")?;
    let currency = Currency::parse(CURRENCY).expect("the default currency is in the table");
    Ok(CreateAccount { account_id, name, currency, time_zone: TIME_ZONE.to_owned() })
}

async fn hash(state: &AppState, password: Password) -> Result<String, PageError> {
    let randomness = state.randomness.clone();
    let job = move |memory: &mut HashMemory| password.hash(&randomness, memory);
    let hashed = state.passwords.run(job).await.map_err(not_hashed)?;
    Ok(hashed.ok_or_else(|| ApiError::internal("a password could not be hashed"))?)
}

async fn needs_account(request: &HttpRequest) -> Result<bool, PageError> {
    let read = state(request)?.store.read(|reader| {
        let accounts = reader.list_accounts()?;
        Ok::<_, StoreError>(accounts.is_empty())
    });
    Ok(read.await?)
}

async fn page(
    request: &HttpRequest,
    form: &Form,
    problem: &str,
) -> Result<HttpResponse, PageError> {
    html(&SetUpPage {
        frame: Frame::outside(state(request)?),
        ticket: form.text("ticket").to_owned(),
        needs_account: needs_account(request).await?,
        shop: form.text("shop").to_owned(),
        account: form.text("account").to_owned(),
        email: form.text("email").to_owned(),
        problem: problem.to_owned(),
    })
}
