//! The edge of the server: what happens to connections, headers and bodies before a handler runs.
//! Everything that an unknown caller can make grow is limited here.

pub mod bare_answer;
pub mod body;
pub mod caller_address;
pub mod connection;
pub mod cors;
pub mod head_counter;
pub mod headers;
pub mod last_request;
pub mod socket;
pub mod unfinished;
pub mod unread_body;
