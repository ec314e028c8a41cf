//! Tillbook: the order and payment book that a small merchant runs on one machine.
//!
//! `ARCHITECTURE.md` has a map of the modules. Each may use those to its left:
//! `domain <- store <- app <- wire <- http <- cli`, with `auth` beside `store`, `worker` beside
//! `http`, and `demo` between `wire` and `cli`. `digest`, `json`, `outbound`, `priority`,
//! `randomness` and `sabotage` import no other module of ours; `clock` imports only the domain's
//! `Timestamp`.

pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod demo;
pub mod digest;
pub mod domain;
pub mod http;
pub mod json;
pub mod outbound;
pub mod priority;
pub mod randomness;
pub mod sabotage;
pub mod store;
pub mod wire;
pub mod worker;
