//! The page after signing in: a choice of accounts, or help for a user without any. A user of one
//! account is redirected to its orders.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::frame::Frame;
use super::list::tabs::{TO_CAPTURE, count_to_capture};
use super::page_error::PageError;
use super::paused_hooks::load_notices;
use super::visitor::Visitor;
use crate::domain::role::Right;
use crate::http::admin::reply::{html, see_other};
use crate::http::state::state;
use crate::store::{AccountRecord, Reader, StoreError};

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    frame: Frame,
    rows: Vec<Row>,
    /// The command that gives a user without accounts access to one.
    command: String,
}

struct Row {
    name: String,
    account: String,
    href: String,
    to_capture: String,
    to_capture_href: String,
}

/// `GET /`: leads to the back office.
pub async fn lead_in(request: HttpRequest) -> Result<HttpResponse, PageError> {
    Ok(see_other(&format!("{}/admin", state(&request)?.links.base_path())))
}

/// `GET /admin`
pub async fn show(visitor: Visitor, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    let base = format!("{}/admin", state.links.base_path());
    match visitor.accounts.as_slice() {
        [only] => Ok(see_other(&format!("{base}/{}/orders", only.account_id))),
        accounts => {
            let accounts = accounts.to_vec();
            let (path, may_mend) =
                (state.links.base_path().to_owned(), visitor.role.may(Right::ManageHooks));
            let read = state.store.read(move |reader| {
                let mut notices = Vec::new();
                for account in accounts.iter().filter(|_| may_mend) {
                    notices.extend(load_notices(reader, &account.account_id, &path)?);
                }
                Ok::<_, StoreError>((load(reader, accounts, &base)?, notices))
            });
            let (rows, hook_notices) = read.await?;
            let frame = Frame { hook_notices, ..Frame::of_visitor(state, &visitor) };
            let command = format!(
                "tillbook user create --email you@example.com --role {} --account T00000001",
                visitor.role.as_str()
            );
            html(&AccountsPage { frame, rows, command })
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
