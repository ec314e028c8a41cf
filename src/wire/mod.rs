//! The forms of the API: JSON text to the domain's types (`*_request`), and the domain's types to
//! JSON text (`*_view`). It knows no HTTP, so the back office, the demo and the benchmarks use it
//! as the API does.

pub mod comment_request;
pub mod comment_view;
pub mod curl;
pub mod draft_request;
pub mod draft_view;
pub mod event_view;
pub mod links;
pub mod list_query;
pub mod operation_request;
pub mod operation_view;
mod order_fields;
pub mod order_request;
pub mod order_view;
pub mod problem;
pub mod service_event_request;
pub mod shape;
pub mod status_request;
