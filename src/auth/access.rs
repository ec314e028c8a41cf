//! Who may do what right now: what every token passes through after its signature.

use std::collections::HashMap;

use super::verified_token::VerifiedToken;
use crate::domain::ids::AccountId;
use crate::domain::scope::{Scope, Scopes};

/// An API client that holds a good token. That it exists means that the token was checked and
/// that the client may be used today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub account_id: AccountId,
    pub client_id: String,
    scopes: Scopes,
}

/// What is known of a client.
#[derive(Debug, Clone)]
pub struct ClientAccess {
    pub account_id: AccountId,
    pub grants: Scopes,
    pub enabled: bool,
}

/// All clients, as of one moment.
#[derive(Debug, Clone)]
pub struct AccessSnapshot {
    /// Rises with every change; tells two snapshots apart.
    pub version: i64,
    pub clients: HashMap<String, ClientAccess>,
}

impl Default for AccessSnapshot {
    /// What is known before anything was read: nobody, as of before the first version.
    fn default() -> AccessSnapshot {
        AccessSnapshot { version: -1, clients: HashMap::new() }
    }
}

impl AccessSnapshot {
    /// The actor that a token stands for; `None` when its client is unknown, disabled, or of
    /// another account. A scope that the client no longer has is gone from its tokens too.
    pub fn actor(&self, token: VerifiedToken) -> Option<Actor> {
        let client = self.clients.get(&token.client_id)?;
        if !client.enabled || client.account_id != token.account_id {
            return None;
        }
        let scopes = token.scopes.in_common_with(&client.grants);
        Some(Actor { account_id: token.account_id, client_id: token.client_id, scopes })
    }
}

impl Actor {
    /// Whether the actor holds one of these scopes.
    pub fn may(&self, any_of: &[Scope]) -> bool {
        self.scopes.has_any_of(any_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_no_more_than_its_client_has_today() {
        let account_id = AccountId::parse("T12345678").unwrap();
        let grants = Scopes::new(vec![Scope::ReadShopping]);
        let client = ClientAccess { account_id: account_id.clone(), grants, enabled: true };
        let mut snapshot = AccessSnapshot::default();
        snapshot.clients.insert("c".into(), client);
        let token = |account: &str| VerifiedToken {
            client_id: "c".into(),
            account_id: AccountId::parse(account).unwrap(),
            scopes: Scopes::new(vec![Scope::ReadShopping, Scope::AdminShopping]),
        };
        let actor = snapshot.actor(token("T12345678")).unwrap();
        assert!(actor.may(&[Scope::ReadShopping]) && !actor.may(&[Scope::AdminShopping]));
        assert_eq!(snapshot.actor(token("P12345678")), None);
        snapshot.clients.get_mut("c").unwrap().enabled = false;
        assert_eq!(snapshot.actor(token("T12345678")), None);
    }
}
