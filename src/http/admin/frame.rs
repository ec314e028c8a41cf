//! The values of `base.html`, the frame around every page.

use super::paused_hooks::HookNotice;
use super::visitor::{Staff, Visitor};
use crate::clock::rfc3339;
use crate::domain::role::Right;
use crate::http::assets::{CSS, SCRIPT};
use crate::http::state::AppState;
use crate::store::Trouble;

/// The values that `base.html` shows. Paths begin with the path of the public URL.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Path of the public URL; empty when the URL has no path.
    pub base: String,
    pub css: String,
    pub script: String,
    /// The visitor's e-mail; empty when they are not signed in.
    pub email: String,
    pub role: &'static str,
    pub form_token: String,
    /// The account that the page belongs to; empty on pages without one.
    pub account: String,
    /// The name of the shop.
    pub account_name: String,
    /// True if the visitor has other accounts too.
    pub has_others: bool,
    /// The current entry of the navigation; empty when the page is not in it.
    pub here: &'static str,
    /// True if the visitor may see the webhooks and payouts of the account.
    pub has_settings: bool,
    /// Webhooks that were paused because they failed.
    pub hook_notices: Vec<HookNotice>,
    /// True if the database was made by `tillbook demo`.
    pub demo: bool,
    /// Troubles that the server's operator must deal with, as sentences.
    pub troubles: Vec<String>,
}

impl Frame {
    /// The frame of a page that needs no signing in.
    pub fn outside(state: &AppState) -> Frame {
        let base = state.links.base_path().to_owned();
        Frame {
            css: format!("{base}/{}", CSS.path()),
            script: format!("{base}/{}", SCRIPT.path()),
            base,
            email: String::new(),
            role: "",
            form_token: String::new(),
            account: String::new(),
            account_name: String::new(),
            has_others: false,
            here: "",
            has_settings: false,
            hook_notices: Vec::new(),
            demo: false,
            troubles: Vec::new(),
        }
    }

    /// The frame of a page for a signed-in visitor that belongs to no account.
    pub fn of_visitor(state: &AppState, visitor: &Visitor) -> Frame {
        Frame {
            email: visitor.email.to_string(),
            role: visitor.role.as_str(),
            form_token: visitor.form_token.clone(),
            troubles: state.store.condition.troubles().into_iter().map(trouble_sentence).collect(),
            ..Frame::outside(state)
        }
    }

    /// The frame of a page that belongs to an account.
    pub fn inside(state: &AppState, staff: &Staff) -> Frame {
        Frame {
            account: staff.account_id.to_string(),
            account_name: staff.account_name.clone(),
            demo: staff.demo,
            has_settings: staff.visitor.role.may(Right::ManageHooks),
            hook_notices: staff.hook_notices.clone(),
            has_others: 1 < staff.visitor.accounts.len(),
            ..Frame::of_visitor(state, &staff.visitor)
        }
    }
}

fn trouble_sentence(trouble: Trouble) -> String {
    let sentence = match trouble {
        Trouble::Damaged => {
            "The database file is damaged, so nothing can be recorded. Tell the server's operator: \
             keep a copy of the file, run tillbook verify, and restore the last backup."
        }
        Trouble::Lost(loss) => {
            return format!(
                "Nothing can be recorded, because {loss}. Tell the server's operator; the server's \
                 log says what to do."
            );
        }
        Trouble::ClockJumped(jump) => {
            return format!(
                "The server's clock was wrong: it went back from {} to {} (UTC). Earlier records \
                 may have wrong dates.",
                rfc3339(jump.from),
                rfc3339(jump.to)
            );
        }
        Trouble::ExpiryWaits(trusted) => {
            return format!(
                "Expired orders are not removed: the server's clock is more than an hour ahead of \
                 {} (UTC), when it was last looked at. If it is right, the server's operator runs \
                 tillbook confirm-clock.",
                rfc3339(trusted)
            );
        }
        Trouble::DiskFull => {
            "The server's disk is full. Nothing can be recorded until space is freed."
        }
        Trouble::WalLarge => {
            "A program has kept the database file open for a long time, and the disk is filling \
             up. Ask the server's operator to stop that program."
        }
    };
    sentence.to_owned()
}
