//! Scopes: what a client is granted and a token carries (docs/contract.md, Facts 1).

use std::fmt;

/// One scope that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    AdminShopping,
    WriteShopping,
    ReadShopping,
    WriteOrderEvents,
    ReadOrderEvents,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 5] = [
        Self::AdminShopping,
        Self::WriteShopping,
        Self::ReadShopping,
        Self::WriteOrderEvents,
        Self::ReadOrderEvents,
    ];

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AdminShopping => "admin:shopping",
            Self::WriteShopping => "write:shopping",
            Self::ReadShopping => "read:shopping",
            Self::WriteOrderEvents => "write:shopping:/orders/ANY/events",
            Self::ReadOrderEvents => "read:shopping:/orders/ANY/events",
        }
    }

    /// The scope whose word this is, to the letter.
    pub fn parse(word: &str) -> Option<Scope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A set of scopes, written as its words separated by one space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// The set of these scopes, each once.
    pub fn new(mut scopes: Vec<Scope>) -> Scopes {
        scopes.sort();
        scopes.dedup();
        Scopes(scopes)
    }

    /// The scopes in a token's claim or a client's grants; words that mean nothing here give
    /// nothing.
    pub fn parse(text: &str) -> Scopes {
        Scopes::new(text.split(' ').filter_map(Scope::parse).collect())
    }

    /// The scopes of a text that holds nothing but scopes, as the book keeps them; `None` when a
    /// word is not one.
    pub fn parse_known(text: &str) -> Option<Scopes> {
        text.split(' ').map(Scope::parse).collect::<Option<Vec<Scope>>>().map(Scopes::new)
    }

    /// Whether one of these is held.
    pub fn has_any_of(&self, scopes: &[Scope]) -> bool {
        self.0.iter().any(|held| scopes.contains(held))
    }

    /// The scopes that both sets hold.
    pub fn in_common_with(&self, other: &Scopes) -> Scopes {
        Scopes(self.0.iter().copied().filter(|scope| other.0.contains(scope)).collect())
    }

    /// The words.
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
