//! Reads the paths in Rust code: imports, grouped or not, and paths such as `super::order::show`.
//!
//! It reads only words and punctuation, without a grammar, which is enough for code that rustfmt
//! has formatted. Blocks of other modules inside a file are read as if they were the file's own.

/// One name that a `use` brings into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub path: Vec<String>,
    /// The name in this file; `*` for a glob.
    pub name: String,
    pub is_public: bool,
}

/// The names and paths in a file.
#[derive(Debug, Default)]
pub struct Named {
    pub imports: Vec<Import>,
    /// Paths of two words or more outside of imports.
    pub paths: Vec<Vec<String>>,
    /// Every word outside of imports.
    pub words: Vec<String>,
}

/// Reads the names and paths in a file. Comments and literals are skipped.
pub fn read(text: &str) -> Named {
    let tokens = tokens(text);
    let token = |at: usize| tokens.get(at).map_or("", String::as_str);
    let mut named = Named::default();
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map_or("", token);
        // `impl Trait + use<'a>` is not an import.
        if token(at) == "use" && token(at + 1) != "<" {
            let is_public = before == "pub" || (before == ")" && is_visibility(&tokens, at));
            let mut found = Vec::new();
            at += 1;
            read_tree(&tokens, &mut at, Vec::new(), &mut found);
            named.imports.extend(found.into_iter().map(|(path, name)| Import {
                path,
                name,
                is_public,
            }));
            continue;
        }
        if !is_word(token(at)) {
            at += 1;
            continue;
        }
        named.words.push(tokens[at].clone());
        let mut path = vec![tokens[at].clone()];
        while token(at + 1) == "::" && is_word(token(at + 2)) {
            path.push(tokens[at + 2].clone());
            at += 2;
        }
        // The path in `pub(in crate::http)` only sets a visibility.
        let says_visibility = before == "in" && 3 <= at && is_open(&tokens, at, path.len());
        if 1 < path.len() && !says_visibility {
            named.words.extend(path[1..].iter().cloned());
            named.paths.push(path);
        }
        at += 1;
    }
    named
}

/// True if the parenthesis that closes before `at` began with `pub(`.
fn is_visibility(tokens: &[String], at: usize) -> bool {
    let open = tokens[..at].iter().rposition(|token| token == "(");
    open.is_some_and(|open| 0 < open && tokens[open - 1] == "pub")
}

/// True if the path of so many words that ends at `at` comes after `(in`.
fn is_open(tokens: &[String], at: usize, words: usize) -> bool {
    let first = at - 2 * (words - 1);
    2 <= first && tokens[first - 2] == "("
}

/// Reads one tree of a `use`, and adds each name in it with its whole path.
fn read_tree(
    tokens: &[String],
    at: &mut usize,
    mut path: Vec<String>,
    found: &mut Vec<(Vec<String>, String)>,
) {
    let token = |at: usize| tokens.get(at).map_or("", String::as_str);
    loop {
        match token(*at) {
            "::" => *at += 1,
            "{" => {
                *at += 1;
                while !matches!(token(*at), "}" | "") {
                    read_tree(tokens, at, path.clone(), found);
                    if token(*at) == "," {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "*" => {
                *at += 1;
                found.push((path, "*".to_owned()));
                return;
            }
            word if is_word(word) => {
                path.push(word.to_owned());
                *at += 1;
                if token(*at) == "::" {
                    continue;
                }
                if 1 < path.len() && path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                let mut name = path.last().cloned().unwrap_or_default();
                if token(*at) == "as" {
                    name = token(*at + 1).to_owned();
                    *at += 2;
                }
                found.push((path, name));
                return;
            }
            _ => {
                *at += 1;
                return;
            }
        }
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words and punctuation; `::` is one token.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let char_at = |at: usize| chars.get(at).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        match char_at(at) {
            '/' if char_at(at + 1) == '/' => at = find(&chars, at, "\n"),
            '/' if char_at(at + 1) == '*' => at = find(&chars, at, "*/"),
            '"' => at = end_of_string(&chars, at),
            '\'' => at = end_of_quote(&chars, at),
            ':' if char_at(at + 1) == ':' => {
                tokens.push("::".to_owned());
                at += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let from = at;
                while char_at(at).is_alphanumeric() || char_at(at) == '_' {
                    at += 1;
                }
                let word: String = chars[from..at].iter().collect();
                let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
                let is_raw = matches!(word.as_str(), "r" | "br" | "cr");
                if is_raw && char_at(at + hashes) == '"' {
                    let end = format!("\"{}", "#".repeat(hashes));
                    at = find(&chars, at + hashes + 1, &end);
                } else {
                    tokens.push(word);
                }
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                at += 1;
            }
        }
    }
    tokens
}

/// The position after the next `end`.
fn find(chars: &[char], from: usize, end: &str) -> usize {
    let end: Vec<char> = end.chars().collect();
    let found = chars[from..].windows(end.len()).position(|window| window == end);
    found.map_or(chars.len(), |found| from + found + end.len())
}

/// The position after the string that begins at `from`.
fn end_of_string(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The position after a character literal, or after the quote of a lifetime.
fn end_of_quote(chars: &[char], from: usize) -> usize {
    if chars.get(from + 1) == Some(&'\\') {
        return find(chars, from + 3, "'");
    }
    if chars.get(from + 2) == Some(&'\'') { from + 3 } else { from + 1 }
}

#[test]
fn imports_and_paths_are_read_and_comments_and_literals_are_not() {
    let text = r##"
        //! crate::not::read
        pub use crate::a::{self, b::{C, D as E}, f};
        pub(super) use super::g::*;
        use std::fmt;
        pub(in crate::hidden) fn h<'a>(x: &'a str) -> char {
            /* crate::not::read */
            super::i::j(x, "crate::not::read", r#"crate::not::"read""#, '\'', '"', K::L)
        }
    "##;
    let named = read(text);
    let imports: Vec<String> = named
        .imports
        .iter()
        .map(|i| {
            format!("{}{} {}", ["", "pub "][usize::from(i.is_public)], i.path.join("::"), i.name)
        })
        .collect();
    assert_eq!(
        imports,
        [
            "pub crate::a a",
            "pub crate::a::b::C C",
            "pub crate::a::b::D E",
            "pub crate::a::f f",
            "pub super::g *",
            "std::fmt fmt",
        ]
    );
    let paths: Vec<String> = named.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["super::i::j", "K::L"]);
}
