//! Requests to other servers: the guard over their addresses, the resolver that it judges, and the
//! client that sends (docs/contract.md, Decision 10).

mod client;
mod guard;
mod resolver;

pub use client::{Answer, ClientOptions, Message, NotSent, Outbound};
pub use guard::{Allowed, Guard, Refusal};
pub use reqwest::Method;
pub use resolver::{Lookup, SystemLookup};
