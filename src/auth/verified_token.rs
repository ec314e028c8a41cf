//! What an access token says. Below `token`, which verifies, and `token_memory`, which remembers.

use crate::domain::ids::AccountId;
use crate::domain::scope::Scopes;

/// What a token says, once it is known to be ours and of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    pub client_id: String,
    pub account_id: AccountId,
    pub scopes: Scopes,
}
