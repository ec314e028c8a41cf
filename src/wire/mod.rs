//! The API's data formats: `*_request` parses JSON into the domain's types, and `*_view` renders
//! the domain's types as JSON. Nothing here knows HTTP, so that the back office, the demo and the
//! benchmarks can use the same code as the API.

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
