//! Webhooks: the list, a hook's page with its deliveries, and the forms that change it.

pub mod changes;
pub mod delivery;
pub mod form;
pub mod list;
pub mod page;
mod shown;
