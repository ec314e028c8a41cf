//! Requests to the API as curl commands for a POSIX shell, to be pasted.

use crate::json::Tree;

/// A command, part by part.
#[derive(Debug, Clone)]
pub struct Curl {
    parts: Vec<String>,
}

impl Curl {
    /// Reads a resource.
    pub fn get(url: &str) -> Curl {
        Curl { parts: vec![format!("curl -s {}", quoted(url))] }
    }

    /// Sends a document.
    pub fn post(url: &str) -> Curl {
        Curl { parts: vec![format!("curl -X POST {}", quoted(url))] }
    }

    /// With a header of this text.
    pub fn header(mut self, name: &str, value: &str) -> Curl {
        self.parts.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
        self
    }

    /// With a header whose value ends in a variable of the shell, such as `$TOKEN`.
    pub fn header_of_variable(mut self, name: &str, value: &str) -> Curl {
        self.parts.push(format!("-H \"{name}: {value}\""));
        self
    }

    /// With the token in the shell's variable `TOKEN`.
    pub fn token_of_variable(self) -> Curl {
        self.header_of_variable("Authorization", "Bearer $TOKEN")
    }

    /// With a JSON body.
    pub fn body(mut self, body: &Tree) -> Curl {
        self = self.header("Content-Type", "application/json");
        self.parts.push(format!("-d {}", quoted(&body.to_string())));
        self
    }

    /// The command on one line.
    pub fn one_line(&self) -> String {
        self.parts.join(" ")
    }

    /// The command with one part per line.
    pub fn lines(&self) -> String {
        self.parts.join(" \\\n  ")
    }
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_word_does_not_end_it() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("'; rm -r ~ #"), r"''\''; rm -r ~ #'");
    }

    #[test]
    fn a_command_is_one_line_or_a_line_for_each_part() {
        let body = Tree::object([("text", Tree::text("it's"))]);
        let post = Curl::post("http://x/captures").token_of_variable().body(&body);
        let line = r#"curl -X POST 'http://x/captures' -H "Authorization: Bearer $TOKEN" "#
            .to_owned()
            + r#"-H 'Content-Type: application/json' -d '{"text":"it'\''s"}'"#;
        assert_eq!(post.one_line(), line);
        assert_eq!(post.lines().replace(" \\\n  ", " "), line);
    }
}
