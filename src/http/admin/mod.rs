//! The back office: pages rendered here, every form working without any script.
//!
//! A page is a second door to the commands and reads that the API uses. A rule of its own would
//! mean that a wall stands wrong.

use percent_encoding::utf8_percent_encode;

use super::links::SEGMENT_ESCAPED;

pub mod accounts;
pub mod form;
pub mod frame;
pub mod page_error;
pub mod visitor;
pub mod words;

pub mod operation_form;
mod operation_page;
mod operation_review;
mod operation_rows;
mod operation_typed;
mod operation_words;
pub mod order;
mod order_actions;
mod order_cards;
pub mod order_comments;
mod order_controls;
mod order_curl;
mod order_figures;
mod order_filters;
mod order_people;
mod order_read;
mod order_recorded;
mod order_sections;
pub mod order_status;
mod order_story;
mod order_tabs;
pub mod orders;
pub mod print;
pub mod setup;
pub mod sign_in;

/// A text as one segment of a path.
pub fn path_segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT_ESCAPED).to_string()
}

/// The address of an operation's form: its one-time key, and the authorization that was chosen.
pub fn form_href(href: &str, key: &str, authorization_id: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("key", key);
    if !authorization_id.is_empty() {
        query.append_pair("authorization_id", authorization_id);
    }
    format!("{href}?{}", query.finish())
}
