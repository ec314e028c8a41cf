//! Problems of a request: where each is, its code, and what to do about it.

use crate::json::Tree;

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer into the body, or the name of a query parameter or header.
    pub path: String,
    pub code: &'static str,
    pub message: String,
    /// More members of its JSON object; an amount conflict has some.
    pub details: Vec<(&'static str, Tree)>,
}

impl Problem {
    /// A problem without details.
    pub fn new(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Problem {
        Problem { path: path.into(), code, message: message.into(), details: Vec::new() }
    }

    /// The problem as an element of `error.errors`.
    pub fn tree(&self) -> Tree {
        let mut members = vec![
            ("path".to_owned(), Tree::text(&self.path)),
            ("code".to_owned(), Tree::text(self.code)),
            ("message".to_owned(), Tree::text(&self.message)),
        ];
        members.extend(self.details.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        Tree::Object(members)
    }
}

/// Sums up a request's problems in one sentence.
pub fn summary(problems: &[Problem]) -> String {
    match problems {
        [only] if only.path.is_empty() => only.message.clone(),
        [only] => format!("{}: {}", only.path, only.message),
        _ => format!("The request has {} problems; see errors.", problems.len()),
    }
}
