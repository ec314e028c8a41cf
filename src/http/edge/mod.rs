//! The edge of the server: connections, heads, bodies and addresses, before any route is asked.
//! What strangers can make grow is bounded here.

pub mod body;
pub mod caller_address;
pub mod connection;
pub mod headers;
pub mod last_request;
pub mod unread_body;
