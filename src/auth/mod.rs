//! Who a caller is and what they may do: secrets, passwords, tokens, sessions. No HTTP, no SQL.

pub mod access;
pub mod attempts;
pub mod client_secret;
pub mod counted_address;
pub mod email;
pub mod password;
pub mod password_thread;
pub mod session;
pub mod token;
mod token_memory;
pub mod verified_token;
