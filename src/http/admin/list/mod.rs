//! The list of orders: tabs with counts, search, filters, sorts, pages.

mod controls;
mod filters;
pub mod page;
mod tab_bar;
pub mod tabs;
