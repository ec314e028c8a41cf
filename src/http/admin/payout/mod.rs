//! Payouts: the rules of an account, and what each destination gets.

pub mod rule_form;
pub mod rules;
mod shown;
pub mod sums;
