//! The test page on which a payer answers an order session, for people and for scripts
//! (docs/contract.md, Decision 11). It needs no account: the secret in its address is the only
//! permission, and it only permits answering for this payer.

pub mod demo_return;
pub mod page;
mod payer;
mod read;
pub mod script;
