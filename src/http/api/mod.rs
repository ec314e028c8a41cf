//! The JSON API: one file a resource, and beside it what it reads and writes on the wire.

pub mod comments;
pub mod drafts;
pub mod events;
pub mod operations;
pub mod order_status;
pub mod order_update;
pub mod orders;
pub mod service;
pub mod token;

mod draft_refusals;
mod draft_request;
mod draft_view;
mod event_view;
mod operation_request;
mod operation_view;
mod order_fields;
mod order_request;
mod order_view;
mod query;

pub use draft_request::parse as parse_draft;
pub use event_view::render as event_text;
pub use operation_request::parse as parse_operation;
pub use operations::operations_of;
pub use query::{draft_list as parse_draft_query, order_list as parse_order_query};
