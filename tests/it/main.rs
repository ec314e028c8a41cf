//! Tests of what the service does: a real database file, the real routes, real HTTP.
//!
//! Every answer that the harness receives is checked against `data/openapi.yaml`, and so is every
//! request body that got a 200.

#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod access;
mod access_objects;
mod admin_comments;
mod admin_forms;
mod admin_hooks;
mod admin_hosts;
mod admin_list;
mod admin_operations;
mod admin_order_page;
mod admin_order_sessions;
mod admin_pages;
mod admin_parts;
mod admin_payouts;
mod admin_print;
mod admin_reservations;
mod admin_sign_in;
mod audit;
mod bodies;
mod bounds;
mod callbacks;
mod checkout;
mod cli;
mod clock_jumps;
mod comments;
mod compat;
mod condition;
mod contract;
mod deadlines;
mod demo;
mod draft_changes;
mod drafts;
mod fair_turns;
mod files;
mod forge;
mod guessing;
mod guide;
mod half_sent;
mod harness;
mod headers;
mod heads;
mod hook_commands;
mod hooks;
mod http_client;
mod http_edge;
mod idempotency;
mod kitchen_sink;
mod large_answers;
mod lenient;
mod listen;
mod lost_files;
mod malformed_http;
mod office;
mod order_growth;
mod order_list;
mod order_sessions;
mod order_status;
mod order_update;
mod payout_rules;
mod payouts;
mod process;
mod proxies;
mod readme;
mod receipt;
mod receiver;
mod rust_paths;
mod schema;
mod service_events;
mod sign_in_limits;
mod stopping;
mod stored_names;
mod tidy;
mod tidy_circles;
mod tidy_citations;
mod tokens;
mod trials;
mod unread_bodies;
mod verify;
mod version;
mod yaml_documents;
