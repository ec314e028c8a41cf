//! A strict JSON parser (RFC 8259) with the limits of docs/contract.md, Decision 3.
//!
//! It is stricter than the RFC where parsers are known to disagree: duplicate keys, NUL characters
//! and more than 32 levels are errors at any depth.

use std::collections::HashSet;

use super::Tree;

/// Deepest nesting of arrays and objects.
pub const DEPTH_MAX: usize = 32;

/// With more keys than this, duplicates are looked for in a set instead of one by one.
const KEYS_COMPARED_MAX: usize = 16;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct ParseError {
    /// Bytes from the start of the body.
    pub offset: usize,
    pub kind: ParseErrorKind,
}

/// The kinds of error; each is displayed as a clause of an error message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("the text ends too early")]
    EndsEarly,
    #[error("this character is not allowed here")]
    Unexpected,
    #[error("this is not a valid JSON number")]
    Number,
    #[error("this escape or control character is not allowed in a string")]
    Text,
    #[error("a NUL character is not allowed")]
    Nul,
    #[error("the key {0:?} appears twice in one object")]
    DuplicateKey(String),
    #[error("more than {DEPTH_MAX} levels of nesting")]
    TooDeep,
    #[error("there is more text after the end of the value")]
    Trailing,
}

/// Parses `bytes` as one JSON value.
pub fn parse(bytes: &[u8]) -> Result<Tree, ParseError> {
    parse_within(bytes, DEPTH_MAX)
}

/// Parses an answer of our own, in which the documents of clients lie a few levels deeper than they
/// were sent.
pub(super) fn parse_ours(bytes: &[u8]) -> Result<Tree, ParseError> {
    parse_within(bytes, 2 * DEPTH_MAX)
}

fn parse_within(bytes: &[u8], depth_max: usize) -> Result<Tree, ParseError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| ParseError { offset: e.valid_up_to(), kind: ParseErrorKind::NotUtf8 })?;
    let mut parser = Parser { text, bytes, at: 0, depth_max };
    parser.skip_space();
    let tree = parser.value(0)?;
    parser.skip_space();
    if parser.at < bytes.len() {
        return Err(parser.error(ParseErrorKind::Trailing));
    }
    Ok(tree)
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth_max: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Tree, ParseError> {
        match self.peek()? {
            b'{' => self.object(depth + 1),
            b'[' => self.list(depth + 1),
            b'"' => Ok(Tree::Text(self.string()?)),
            b't' => self.word("true", Tree::Bool(true)),
            b'f' => self.word("false", Tree::Bool(false)),
            b'n' => self.word("null", Tree::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.error(ParseErrorKind::Unexpected)),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Tree, ParseError> {
        self.enter(depth)?;
        let mut members: Vec<(String, Tree)> = Vec::new();
        let mut seen = HashSet::new();
        if self.closes(b'}')? {
            return Ok(Tree::Object(members));
        }
        loop {
            let key_at = self.at;
            if self.peek()? != b'"' {
                return Err(self.error(ParseErrorKind::Unexpected));
            }
            let key = self.string()?;
            if is_duplicate(&members, &mut seen, &key) {
                return Err(ParseError { offset: key_at, kind: ParseErrorKind::DuplicateKey(key) });
            }
            self.skip_space();
            self.expect(b':')?;
            self.skip_space();
            let value = self.value(depth)?;
            members.push((key, value));
            if self.ends_after_element(b'}')? {
                return Ok(Tree::Object(members));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Tree, ParseError> {
        self.enter(depth)?;
        let mut elements = Vec::new();
        if self.closes(b']')? {
            return Ok(Tree::List(elements));
        }
        loop {
            elements.push(self.value(depth)?);
            if self.ends_after_element(b']')? {
                return Ok(Tree::List(elements));
            }
        }
    }

    /// Consumes the opening bracket; an error if that is one level too many.
    fn enter(&mut self, depth: usize) -> Result<(), ParseError> {
        if self.depth_max < depth {
            return Err(self.error(ParseErrorKind::TooDeep));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn closes(&mut self, bracket: u8) -> Result<bool, ParseError> {
        let closes = self.peek()? == bracket;
        self.at += usize::from(closes);
        Ok(closes)
    }

    /// Consumes what follows an element: false for a comma, true for the closing bracket.
    fn ends_after_element(&mut self, bracket: u8) -> Result<bool, ParseError> {
        self.skip_space();
        if self.closes(bracket)? {
            return Ok(true);
        }
        self.expect(b',')?;
        self.skip_space();
        Ok(false)
    }

    fn word(&mut self, word: &str, tree: Tree) -> Result<Tree, ParseError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error(ParseErrorKind::Unexpected));
        }
        self.at += word.len();
        Ok(tree)
    }

    fn number(&mut self) -> Result<Tree, ParseError> {
        let start = self.at;
        self.step_if(b"-");
        if !self.step_if(b"0") && self.digits() == 0 {
            return Err(self.error(ParseErrorKind::Number));
        }
        if self.step_if(b".") && self.digits() == 0 {
            return Err(self.error(ParseErrorKind::Number));
        }
        if self.step_if(b"eE") {
            self.step_if(b"+-");
            if self.digits() == 0 {
                return Err(self.error(ParseErrorKind::Number));
            }
        }
        if self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            return Err(self.error(ParseErrorKind::Number));
        }
        Ok(Tree::Number(self.text[start..self.at].to_owned()))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let plain_from = self.at;
            while self.bytes.get(self.at).is_some_and(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            out.push_str(&self.text[plain_from..self.at]);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => out.push(self.escape()?),
                0 => return Err(self.error(ParseErrorKind::Nul)),
                _ => return Err(self.error(ParseErrorKind::Text)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek()?;
        self.at += 1;
        match letter {
            b'"' => Ok('"'),
            b'\\' => Ok('\\'),
            b'/' => Ok('/'),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.unicode_escape(start),
            _ => Err(ParseError { offset: start, kind: ParseErrorKind::Text }),
        }
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, ParseError> {
        let bad = ParseError { offset: start, kind: ParseErrorKind::Text };
        let first = self.hex4().ok_or_else(|| bad.clone())?;
        let code = match first {
            0 => {
                return Err(ParseError { offset: start, kind: ParseErrorKind::Nul });
            }
            0xd800..=0xdbff => {
                if !(self.step_if(b"\\") && self.step_if(b"u")) {
                    return Err(bad);
                }
                match self.hex4() {
                    Some(low @ 0xdc00..=0xdfff) => {
                        0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00)
                    }
                    _ => return Err(bad),
                }
            }
            other => other,
        };
        char::from_u32(code).ok_or(bad)
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let value = u32::from_str_radix(&self.text[self.at..self.at + 4], 16).ok()?;
        self.at += 4;
        Some(value)
    }

    fn expect(&mut self, byte: u8) -> Result<(), ParseError> {
        if self.peek()? != byte {
            return Err(self.error(ParseErrorKind::Unexpected));
        }
        self.at += 1;
        Ok(())
    }

    fn step_if(&mut self, any_of: &[u8]) -> bool {
        let matches = self.bytes.get(self.at).is_some_and(|b| any_of.contains(b));
        self.at += usize::from(matches);
        matches
    }

    fn peek(&self) -> Result<u8, ParseError> {
        self.bytes.get(self.at).copied().ok_or(self.error(ParseErrorKind::EndsEarly))
    }

    fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn error(&self, kind: ParseErrorKind) -> ParseError {
        ParseError { offset: self.at, kind }
    }
}

/// Whether the object has `key` already. Nearly all objects are small and need no set.
fn is_duplicate(members: &[(String, Tree)], seen: &mut HashSet<String>, key: &str) -> bool {
    if members.len() < KEYS_COMPARED_MAX {
        return members.iter().any(|(k, _)| k == key);
    }
    if seen.is_empty() {
        seen.extend(members.iter().map(|(k, _)| k.clone()));
    }
    !seen.insert(key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let answer = match parse(text.as_bytes()) {
            Ok(tree) => tree.to_string(),
            Err(error) => format!("! {error}"),
        };
        assert_eq!(answer, expected, "for {text}");
    }

    #[test]
    fn valid_json_is_written_as_it_was_read() {
        check("{}", "{}");
        check(" [ 1 , -0 , 2.50 , 1e3 , 1E-2 ] ", "[1,-0,2.50,1e3,1E-2]");
        check(
            "{\"b\":12345678901234567890.10000000000000000001,\"a\":null}",
            "{\"b\":12345678901234567890.10000000000000000001,\"a\":null}",
        );
        check("\"\\u00e6\\ud83d\\ude00\\n\\/\"", "\"æ😀\\n/\"");
        check("\"\\u0001\"", "\"\\u0001\"");
        check("[true,false,null,\"\"]", "[true,false,null,\"\"]");
    }

    #[test]
    fn json_that_parsers_read_differently_is_refused() {
        check(
            "{\"a\":1,\"b\":{\"c\":1,\"\\u0063\":2}}",
            "! the key \"c\" appears twice in one object at byte 18",
        );
        check("\"a\\u0000b\"", "! a NUL character is not allowed at byte 2");
        check("\"a\0b\"", "! a NUL character is not allowed at byte 2");
        check(
            "\"\\ud800\"",
            "! this escape or control character is not allowed in a string at byte 1",
        );
        check(
            "\"a\nb\"",
            "! this escape or control character is not allowed in a string at byte 2",
        );
    }

    #[test]
    fn invalid_json_is_refused() {
        check("", "! the text ends too early at byte 0");
        check("{\"a\":1,}", "! this character is not allowed here at byte 7");
        check("[1 2]", "! this character is not allowed here at byte 3");
        check("01", "! this is not a valid JSON number at byte 1");
        check("1.", "! this is not a valid JSON number at byte 2");
        check("+1", "! this character is not allowed here at byte 0");
        check("NaN", "! this character is not allowed here at byte 0");
        check("{} {}", "! there is more text after the end of the value at byte 3");
        check("{'a':1}", "! this character is not allowed here at byte 1");
        check("\u{feff}{}", "! this character is not allowed here at byte 0");
        assert_eq!(parse(b"\"\xff\"").unwrap_err().kind, ParseErrorKind::NotUtf8);
    }

    #[test]
    fn depth_has_a_limit_everywhere() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        check(&nested(DEPTH_MAX + 1), "! more than 32 levels of nesting at byte 32");
        let endless = "[".repeat(1_000_000);
        assert_eq!(parse(endless.as_bytes()).unwrap_err().kind, ParseErrorKind::TooDeep);
    }

    #[test]
    fn duplicates_are_found_in_large_objects_too() {
        let mut text = String::from("{");
        for n in 0..100 {
            text.push_str(&format!("\"k{n}\":{n},"));
        }
        let twice = format!("{text}\"k3\":1}}");
        assert_eq!(
            parse(twice.as_bytes()).unwrap_err().kind,
            ParseErrorKind::DuplicateKey("k3".into())
        );
        assert!(parse(format!("{text}\"k100\":1}}").as_bytes()).is_ok());
    }

    #[test]
    fn only_exact_integers_are_integers() {
        let integer = |text: &str| parse(text.as_bytes()).unwrap().as_integer();
        assert_eq!(integer("39800.0"), Some(39800));
        assert_eq!(integer("-5"), Some(-5));
        assert_eq!(integer("398.5"), None);
        assert_eq!(integer("1e3"), None);
        assert_eq!(integer("9223372036854775808"), None);
        assert_eq!(integer("\"1\""), None);
    }

    #[test]
    fn canonical_text_ignores_order_and_space() {
        let canonical = |text: &str| parse(text.as_bytes()).unwrap().canonical_text();
        assert_eq!(
            canonical("{\"b\":[{\"y\":1,\"x\":2}],\"a\":1}"),
            "{\"a\":1,\"b\":[{\"x\":2,\"y\":1}]}"
        );
        assert_ne!(canonical("[1,2]"), canonical("[2,1]"));
        assert_eq!(canonical("[39800.0,1.5]"), canonical("[39800,1.5]"));
        assert_ne!(canonical("[1.50]"), canonical("[15]"));
    }
}
