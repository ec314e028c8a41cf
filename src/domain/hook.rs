//! Webhook subscriptions: their events, their secrets and why they are paused
//! (docs/contract.md, Decisions 9 and 10).

use std::fmt;

/// The most hooks of one account, those that were deleted not counted.
pub const HOOKS_MAX: u32 = 20;

/// The most characters of a hook's URL.
pub const URL_CHARS_MAX: usize = 2_048;

/// The most characters of a secret.
pub const SECRET_CHARS_MAX: usize = 1_000;

/// How long deliveries are also signed with the secret before a rotation: 24 hours.
pub const PREVIOUS_SECRET_MS: i64 = 24 * 60 * 60 * 1_000;

/// An event that hooks can subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookEvent {
    DraftAdd,
    DraftUpdate,
    DraftComplete,
    OrderUpdate,
    OrderEventAdd,
    OrderDelete,
}

impl HookEvent {
    pub const ALL: [HookEvent; 6] = [
        Self::DraftAdd,
        Self::DraftUpdate,
        Self::DraftComplete,
        Self::OrderUpdate,
        Self::OrderEventAdd,
        Self::OrderDelete,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::DraftAdd => "shopping_draft_add",
            Self::DraftUpdate => "shopping_draft_update",
            Self::DraftComplete => "shopping_draft_complete",
            Self::OrderUpdate => "shopping_order_update",
            Self::OrderEventAdd => "shopping_order_event_add",
            Self::OrderDelete => "shopping_order_delete",
        }
    }

    pub fn parse(word: &str) -> Option<HookEvent> {
        Self::ALL.into_iter().find(|event| event.as_str() == word)
    }
}

/// The events of a hook, each once; as text, their words separated by one space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookEvents(Vec<HookEvent>);

impl HookEvents {
    pub fn new(mut events: Vec<HookEvent>) -> HookEvents {
        events.sort();
        events.dedup();
        HookEvents(events)
    }

    /// The events in a text of known words only, as the book stores them.
    pub fn parse(text: &str) -> Option<HookEvents> {
        let events: Option<Vec<HookEvent>> = text.split(' ').map(HookEvent::parse).collect();
        events.map(HookEvents::new)
    }

    pub fn has(&self, event: HookEvent) -> bool {
        self.0.contains(&event)
    }

    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|event| event.as_str()).collect()
    }
}

impl fmt::Display for HookEvents {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words().join(" "))
    }
}

/// How a receiver uses the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretType {
    /// It checks the signatures of deliveries with it.
    HmacSha1,
    /// It expects it as the value of the header Authorization.
    Authorization,
}

impl SecretType {
    pub const ALL: [SecretType; 2] = [Self::HmacSha1, Self::Authorization];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::Authorization => "Authorization",
        }
    }

    pub fn parse(word: &str) -> Option<SecretType> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A hook's secret. It is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct HookSecret {
    pub kind: SecretType,
    pub value: String,
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "HookSecret({})", self.kind.as_str())
    }
}

/// Why a hook is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PausedBecause {
    /// A person or a client asked for it.
    Request,
    /// The receiver answered 410.
    Gone,
    /// Every delivery has failed for 75 hours.
    Failing,
}

impl PausedBecause {
    pub const ALL: [PausedBecause; 3] = [Self::Request, Self::Gone, Self::Failing];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    pub fn parse(word: &str) -> Option<PausedBecause> {
        Self::ALL.into_iter().find(|why| why.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_stored_and_read_as_words() {
        let events = HookEvents::parse("shopping_order_update shopping_draft_add").unwrap();
        assert_eq!(events.to_string(), "shopping_draft_add shopping_order_update");
        assert!(events.has(HookEvent::DraftAdd) && !events.has(HookEvent::OrderDelete));
        assert_eq!(HookEvents::parse("shopping_order_update transaction"), None);
        assert_eq!(HookEvents::parse(""), None);
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = HookSecret { kind: SecretType::HmacSha1, value: "whsec_abc".to_owned() };
        assert_eq!(format!("{secret:?}"), "HookSecret(HMAC-SHA1)");
    }
}
