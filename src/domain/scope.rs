//! Scopes: what a client is granted and a token carries (docs/contract.md, Facts 1).

use std::fmt;

/// A scope that Tillbook knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    AdminShopping,
    WriteShopping,
    ReadShopping,
    WriteOrderEvents,
    ReadOrderEvents,
    AdminHooks,
    WriteHooks,
    ReadHooks,
    AdminBilling,
    WriteBilling,
    ReadBilling,
}

impl Scope {
    pub const ALL: [Scope; 11] = [
        Self::AdminShopping,
        Self::WriteShopping,
        Self::ReadShopping,
        Self::WriteOrderEvents,
        Self::ReadOrderEvents,
        Self::AdminHooks,
        Self::WriteHooks,
        Self::ReadHooks,
        Self::AdminBilling,
        Self::WriteBilling,
        Self::ReadBilling,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AdminShopping => "admin:shopping",
            Self::WriteShopping => "write:shopping",
            Self::ReadShopping => "read:shopping",
            Self::WriteOrderEvents => "write:shopping:/orders/ANY/events",
            Self::ReadOrderEvents => "read:shopping:/orders/ANY/events",
            Self::AdminHooks => "admin:hooks",
            Self::WriteHooks => "write:hooks",
            Self::ReadHooks => "read:hooks",
            Self::AdminBilling => "admin:billing",
            Self::WriteBilling => "write:billing",
            Self::ReadBilling => "read:billing",
        }
    }

    /// The scope with exactly this word.
    pub fn parse(word: &str) -> Option<Scope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A set of scopes; as text, their words separated by one space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    pub fn new(mut scopes: Vec<Scope>) -> Scopes {
        scopes.sort();
        scopes.dedup();
        Scopes(scopes)
    }

    /// The scopes in a token's claim. Unknown words are ignored.
    pub fn parse(text: &str) -> Scopes {
        Scopes::new(text.split(' ').filter_map(Scope::parse).collect())
    }

    /// The scopes in a text of known scopes only, as the book stores them; `None` if a word is
    /// unknown.
    pub fn parse_known(text: &str) -> Option<Scopes> {
        text.split(' ').map(Scope::parse).collect::<Option<Vec<Scope>>>().map(Scopes::new)
    }

    /// Whether the set has at least one of these.
    pub fn has_any_of(&self, scopes: &[Scope]) -> bool {
        self.0.iter().any(|held| scopes.contains(held))
    }

    pub fn in_common_with(&self, other: &Scopes) -> Scopes {
        Scopes(self.0.iter().copied().filter(|scope| other.0.contains(scope)).collect())
    }

    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|scope| scope.as_str()).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_word_is_a_scope() {
        let held = Scopes::parse("write:shoppingX admin:shopping:evil,read:shopping");
        assert_eq!(held, Scopes::default());
        assert_eq!(Scopes::parse_known("read:shopping write:everything"), None);
        let held = Scopes::parse_known("read:shopping write:shopping read:shopping").unwrap();
        assert_eq!(held.to_string(), "write:shopping read:shopping");
        assert!(held.has_any_of(&[Scope::AdminShopping, Scope::ReadShopping]));
        assert!(!held.has_any_of(&[Scope::AdminShopping]));
    }
}
