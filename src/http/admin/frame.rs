//! What every page has around it.

use super::visitor::{Staff, Visitor};
use crate::http::assets::{CSS, SCRIPT};
use crate::http::state::AppState;
use crate::store::Trouble;

/// The values that `base.html` shows. Paths begin with the path of the public URL.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Path of the public URL; empty for none.
    pub base: String,
    pub css: String,
    pub script: String,
    /// Empty while nobody is signed in.
    pub email: String,
    pub role: &'static str,
    pub form_token: String,
    /// The account of the page; empty on pages of none.
    pub account: String,
    /// What people call that shop.
    pub account_name: String,
    /// Whether the visitor works on others too.
    pub has_others: bool,
    /// The entry of the rail that the page is of; empty for none.
    pub here: &'static str,
    /// The shop is a demo.
    pub demo: bool,
    /// What somebody must see to, in words.
    pub troubles: Vec<&'static str>,
}

impl Frame {
    /// The frame of a page that anybody may see.
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
            demo: false,
            troubles: Vec::new(),
        }
    }

    /// The frame of a page of no account, for somebody who is signed in.
    pub fn of_visitor(state: &AppState, visitor: &Visitor) -> Frame {
        Frame {
            email: visitor.email.to_string(),
            role: visitor.role.as_str(),
            form_token: visitor.form_token.clone(),
            troubles: state.store.condition.troubles().into_iter().map(words).collect(),
            ..Frame::outside(state)
        }
    }

    /// The frame of a page of an account.
    pub fn inside(state: &AppState, staff: &Staff) -> Frame {
        Frame {
            account: staff.account_id.to_string(),
            account_name: staff.account_name.clone(),
            has_others: 1 < staff.visitor.accounts.len(),
            ..Frame::of_visitor(state, &staff.visitor)
        }
    }
}

fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Damaged => {
            "The database file is damaged, so nothing can be recorded. Tell the server's operator: \
             keep a copy of the file, run tillbook verify, and restore the last backup."
        }
        Trouble::DiskFull => {
            "The server's disk is full. Nothing can be recorded until space is freed."
        }
        Trouble::WalLarge => {
            "A program has kept the database file open for a long time, and the disk is filling \
             up. Ask the server's operator to stop that program."
        }
    }
}
