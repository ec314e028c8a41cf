//! Tillbook: the order and payment book that a small merchant runs on one machine.
//!
//! The map of the house is in `ARCHITECTURE.md`. Who may know whom:
//! `domain <- store <- app <- http <- cli`, with `auth` beside `store` and `clock`, `json` and
//! `sabotage` as leaves.

pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod demo;
pub mod domain;
pub mod http;
pub mod json;
pub mod sabotage;
pub mod store;
pub mod worker;
