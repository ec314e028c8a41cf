//! The claims of a valid access token. `token` verifies them and `token_memory` remembers them.

use crate::domain::ids::AccountId;
use crate::domain::scope::Scopes;

/// The claims of a token that is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    pub client_id: String,
    pub account_id: AccountId,
    pub scopes: Scopes,
}
