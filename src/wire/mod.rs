//! The API's data formats: `*_request` parses JSON into the domain's types, and `*_view` renders
//! the domain's types as JSON. Nothing here knows HTTP, so that the back office, the demo and the
//! benchmarks can use the same code as the API.

pub mod callback_request;
mod card_number;
pub(crate) mod comment_request;
pub(crate) mod comment_view;
pub mod curl;
pub mod draft_request;
pub(crate) mod draft_view;
pub(crate) mod event_view;
mod field_mask;
pub(crate) mod hook_body;
pub(crate) mod hook_list_query;
pub(crate) mod hook_request;
pub mod hook_signature;
pub(crate) mod hook_view;
pub(crate) mod links;
pub mod list_query;
pub mod operation_request;
pub(crate) mod operation_view;
mod order_fields;
pub(crate) mod order_request;
pub(crate) mod order_view;
pub(crate) mod outcome_request;
pub(crate) mod payout_rule_query;
pub(crate) mod payout_rule_request;
pub(crate) mod payout_rule_view;
pub mod problem;
pub(crate) mod receipt_view;
pub(crate) mod return_address;
pub(crate) mod service_event_request;
pub mod session_request;
pub(crate) mod session_view;
pub(crate) mod shape;
pub(crate) mod status_request;
