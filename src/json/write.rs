//! Writing a tree as compact JSON text.

use std::fmt::{self, Write};

use super::Tree;

impl fmt::Display for Tree {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tree::Null => out.write_str("null"),
            Tree::Bool(true) => out.write_str("true"),
            Tree::Bool(false) => out.write_str("false"),
            Tree::Number(text) => out.write_str(text),
            Tree::Text(text) => write_text(out, text),
            Tree::List(elements) => write_list(out, elements),
            Tree::Object(members) => write_object(out, members),
        }
    }
}

/// The text of an object, written member by member without building a tree.
#[derive(Debug)]
pub struct ObjectText {
    text: String,
}

impl Default for ObjectText {
    fn default() -> ObjectText {
        ObjectText { text: String::from("{") }
    }
}

impl ObjectText {
    /// A string member.
    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.member(key, format_args!("{}", Quoted(value)))
    }

    /// An integer member.
    pub fn integer(&mut self, key: &str, value: impl Into<i128>) -> &mut Self {
        self.member(key, format_args!("{}", value.into()))
    }

    /// A boolean member.
    pub fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.member(key, format_args!("{value}"))
    }

    /// A member whose value is JSON text already.
    pub fn json(&mut self, key: &str, value: &str) -> &mut Self {
        self.member(key, format_args!("{value}"))
    }

    /// A list member of values that are JSON text already.
    pub fn list(&mut self, key: &str, values: &[String]) -> &mut Self {
        self.member(key, format_args!("[{}]", values.join(",")))
    }

    /// All members of another object, given as compact JSON text.
    pub fn members_of(&mut self, object: &str) -> &mut Self {
        let members = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        if let Some(members) = members.filter(|members| !members.is_empty()) {
            self.separate();
            self.text.push_str(members);
        }
        self
    }

    /// The whole text.
    pub fn end(&mut self) -> String {
        self.text.push('}');
        std::mem::take(&mut self.text)
    }

    fn member(&mut self, key: &str, value: fmt::Arguments<'_>) -> &mut Self {
        self.separate();
        // Writing to a String cannot fail.
        let written = write!(self.text, "{}:{value}", Quoted(key));
        debug_assert!(written.is_ok());
        self
    }

    fn separate(&mut self) {
        if 1 < self.text.len() {
            self.text.push(',');
        }
    }
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(out, self.0)
    }
}

fn write_list(out: &mut fmt::Formatter<'_>, elements: &[Tree]) -> fmt::Result {
    out.write_char('[')?;
    for (index, element) in elements.iter().enumerate() {
        if 0 < index {
            out.write_char(',')?;
        }
        write!(out, "{element}")?;
    }
    out.write_char(']')
}

fn write_object(out: &mut fmt::Formatter<'_>, members: &[(String, Tree)]) -> fmt::Result {
    out.write_char('{')?;
    for (index, (key, value)) in members.iter().enumerate() {
        if 0 < index {
            out.write_char(',')?;
        }
        write_text(out, key)?;
        out.write_char(':')?;
        write!(out, "{value}")?;
    }
    out.write_char('}')
}

fn write_text(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        // Only ASCII is ever escaped, so `at` is always a character boundary where it is used.
        if 0x20 <= byte && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_str(&text[plain_from..at])?;
        plain_from = at + 1;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            8 => out.write_str("\\b")?,
            12 => out.write_str("\\f")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            control => write!(out, "\\u{control:04x}")?,
        }
    }
    out.write_str(&text[plain_from..])?;
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_member_by_member() {
        let mut object = ObjectText::default();
        object.members_of("{}").text("a\"", "x\n").members_of("{\"k\":1,\"l\":[]}");
        object.integer("n", -5).flag("f", true).list("v", &["1".into(), "{}".into()]);
        assert_eq!(object.end(), r#"{"a\"":"x\n","k":1,"l":[],"n":-5,"f":true,"v":[1,{}]}"#);
        assert_eq!(ObjectText::default().end(), "{}");
    }
}
