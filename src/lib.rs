//! Tillbook: the order and payment book that a small merchant runs on one machine.
//!
//! The map of the rooms is in `ARCHITECTURE.md`. Each room may use those to its left:
//! `domain <- store <- app <- http <- cli`, with `auth` beside `store`, `worker` beside `http` and
//! `demo` between `app` and `cli`. `digest`, `json`, `randomness` and `sabotage` use nothing of
//! ours; `clock` uses only the domain's `Timestamp`.

pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod demo;
pub mod digest;
pub mod domain;
pub mod http;
pub mod json;
pub mod randomness;
pub mod sabotage;
pub mod store;
pub mod wire;
pub mod worker;
