//! Tests of what the service does: a real database file, the real routes, real HTTP.
//!
//! Every answer that the harness receives is held against `data/openapi.yaml`, and so is every
//! body that got a 200.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod audit;
mod cli;
mod contract;
mod crash;
mod demo;
mod files;
mod guide;
mod harness;
mod model;
mod process;
mod race;
mod tidy;
mod trial;
mod verify;
