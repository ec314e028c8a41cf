//! Where signing in leads: the orders of the one account, or a choice of several.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::extract::state;
use super::frame::Frame;
use super::order_tabs::{TO_CAPTURE, count_to_capture};
use super::page_error::PageError;
use super::sign_in::{html, see_other};
use super::visitor::Visitor;
use crate::store::{AccountRecord, Reader, StoreError};

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    account: String,
    href: String,
    to_capture: String,
    to_capture_href: String,
}

/// `GET /admin`
pub async fn show(visitor: Visitor, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    let base = format!("{}/admin", state.links.base_path());
    match visitor.accounts.as_slice() {
        [] => Err(PageError::Forbidden(
            "You work on no account yet. Ask an owner to make you a user of one.",
        )),
        [only] => Ok(see_other(&format!("{base}/{}/orders", only.account_id))),
        several => {
            let accounts = several.to_vec();
            let rows = state.store.read(move |reader| load(reader, accounts, &base)).await?;
            html(&AccountsPage { frame: Frame::of_visitor(state, &visitor), rows })
        }
    }
}

fn load(
    reader: &Reader<'_>,
    accounts: Vec<AccountRecord>,
    base: &str,
) -> Result<Vec<Row>, StoreError> {
    let row = |account: AccountRecord| {
        let href = format!("{base}/{}/orders", account.account_id);
        Ok(Row {
            to_capture: count_to_capture(reader, &account.account_id)?,
            to_capture_href: format!("{href}?tab={TO_CAPTURE}"),
            account: account.account_id.to_string(),
            name: account.name,
            href,
        })
    };
    accounts.into_iter().map(row).collect()
}
