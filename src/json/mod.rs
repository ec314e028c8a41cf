//! JSON exactly as it was sent: a strict parser and a tree that loses nothing.
//!
//! Documents are returned as they were sent (docs/contract.md, Decision 3). So numbers stay text,
//! keys keep their order, and a document that two parsers could read differently is refused. This
//! room imports nothing else of ours.

mod compare;
mod parse;
mod script;
mod write;

pub use parse::{DEPTH_MAX, ParseError, ParseErrorKind, parse};
pub use script::script_text;
pub use write::{ObjectText, list_text, push_string};

/// One JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    Null,
    Bool(bool),
    /// The number's own text, valid JSON, never rounded.
    Number(String),
    Text(String),
    List(Vec<Tree>),
    /// Members in the order they were sent; keys are unique.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub fn integer(value: impl Into<i128>) -> Tree {
        Tree::Number(value.into().to_string())
    }

    pub fn text(value: impl Into<String>) -> Tree {
        Tree::Text(value.into())
    }

    /// An object with its members in this order.
    pub fn object<const N: usize>(members: [(&str, Tree); N]) -> Tree {
        Tree::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// A member of an object; `None` if it is missing or this is not an object.
    pub fn member(&self, key: &str) -> Option<&Tree> {
        match self {
            Tree::Object(members) => members.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The object without these members; other values are unchanged.
    pub fn without(&self, keys: &[&str]) -> Tree {
        let Tree::Object(members) = self else {
            return self.clone();
        };
        let others = members.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
        Tree::Object(others.cloned().collect())
    }

    /// The object with this member set, in its old place if it had one; other values are unchanged.
    pub fn with(mut self, key: &str, value: Tree) -> Tree {
        if let Tree::Object(members) = &mut self {
            match members.iter_mut().find(|(name, _)| name == key) {
                Some((_, old)) => *old = value,
                None => members.push((key.to_owned(), value)),
            }
        }
        self
    }

    /// The text, if this is a string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value, if this is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Tree::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of a list; empty for everything else.
    pub fn elements(&self) -> &[Tree] {
        match self {
            Tree::List(elements) => elements,
            _ => &[],
        }
    }

    /// This integer as its digits only, so `39800.0` as `39800`; other values are unchanged.
    pub fn with_plain_integer(self) -> Tree {
        match (&self, self.as_integer()) {
            (Tree::Number(text), Some(number)) if text.contains('.') || text == "-0" => {
                Tree::integer(number)
            }
            _ => self,
        }
    }

    /// The integer, if this is one: `39800.0` is 39800, but `398.5`, `1e3` and strings are not
    /// integers (docs/contract.md, Decision 3).
    pub fn as_integer(&self) -> Option<i64> {
        self.whole().and_then(|whole| whole.parse().ok())
    }

    /// Whether this is an integer of any size.
    pub fn is_whole(&self) -> bool {
        self.whole().is_some()
    }

    /// The digits before the point, if the number has no exponent and its fraction has only zeros.
    fn whole(&self) -> Option<&str> {
        let Tree::Number(text) = self else {
            return None;
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let plain = fraction.bytes().all(|b| b == b'0') && !whole.contains(['e', 'E']);
        plain.then_some(whole)
    }

    /// What kind of value this is, in words for an error message.
    pub fn kind(&self) -> &'static str {
        match self {
            Tree::Null => "null",
            Tree::Bool(_) => "a boolean",
            Tree::Number(_) => "a number",
            Tree::Text(_) => "a string",
            Tree::List(_) => "an array",
            Tree::Object(_) => "an object",
        }
    }
}
