//! What every page has around it.

use super::super::state::AppState;
use super::assets::{CSS, SCRIPT};
use super::visitor::{Staff, Visitor};

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
    /// The other accounts of the visitor.
    pub other_accounts: Vec<String>,
    /// The shop is a demo.
    pub demo: bool,
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
            other_accounts: Vec::new(),
            demo: false,
        }
    }

    /// The frame of a page of an account.
    pub fn inside(state: &AppState, staff: &Staff) -> Frame {
        let Visitor { email, role, form_token, accounts, .. } = &staff.visitor;
        let others = accounts.iter().filter(|account| **account != staff.account_id);
        Frame {
            email: email.clone(),
            role: role.as_str(),
            form_token: form_token.clone(),
            account: staff.account_id.to_string(),
            other_accounts: others.map(ToString::to_string).collect(),
            ..Frame::outside(state)
        }
    }
}
