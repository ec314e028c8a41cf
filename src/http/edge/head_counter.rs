//! Finds where heads of requests end in the bytes of a connection.

use memchr::memchr_iter;

/// Finds the ends of heads: empty lines, ended by a line feed with or without a carriage return
/// (RFC 9112, 2.2). Empty lines in a body count too, so it may find more heads than there are, but
/// never fewer.
#[derive(Debug, Default)]
pub struct HeadCounter {
    place: Place,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    InLine,
    AtLineStart,
    AfterReturn,
}

impl HeadCounter {
    /// Reads to the end of at most `most` heads, or to the end of `bytes`. Adds the number of heads
    /// to `found` and returns the position reached.
    pub fn count(&mut self, bytes: &[u8], most: usize, found: &mut usize) -> usize {
        let (mut line_from, mut left) = (0, most);
        // Going from line to line costs a tenth of looking at each byte.
        for line_end in memchr_iter(b'\n', bytes) {
            let is_empty = matches!(
                (self.place, &bytes[line_from..line_end]),
                (Place::AtLineStart, b"" | b"\r") | (Place::AfterReturn, b"")
            );
            self.place = Place::AtLineStart;
            line_from = line_end + 1;
            if is_empty {
                left -= 1;
                *found += 1;
                if left == 0 {
                    return line_from;
                }
            }
        }
        self.place = match (self.place, &bytes[line_from..]) {
            (place, b"") => place,
            (Place::AtLineStart, b"\r") => Place::AfterReturn,
            _ => Place::InLine,
        };
        bytes.len()
    }
}

/// The length of a head's first line, as far as it has arrived.
#[derive(Debug, Default, Clone, Copy)]
pub struct FirstLine {
    pub bytes: usize,
    is_over: bool,
}

impl FirstLine {
    /// The line after `given` has arrived, which begins a new head if `is_new`.
    pub fn grown(self, given: &[u8], is_new: bool) -> FirstLine {
        let line = if is_new { FirstLine::default() } else { self };
        let end = given.iter().position(|byte| *byte == b'\n');
        match (line.is_over, end) {
            (true, _) => line,
            (false, end) => {
                FirstLine { bytes: line.bytes + end.unwrap_or(given.len()), is_over: end.is_some() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far the first `most` heads go, when the bytes come in two pieces cut anywhere.
    fn ends(text: &str, most: usize) -> usize {
        let whole = end_of(&[text.as_bytes()], most);
        for cut in 0..text.len() {
            let (first, second) = text.as_bytes().split_at(cut);
            assert_eq!(end_of(&[first, second], most), whole, "{text:?} cut at {cut}");
        }
        whole
    }

    fn end_of(pieces: &[&[u8]], most: usize) -> usize {
        let (mut counter, mut found, mut end) = (HeadCounter::default(), 0, 0);
        for piece in pieces {
            if found == most {
                break;
            }
            end += counter.count(piece, most - found, &mut found);
        }
        end
    }

    #[test]
    fn heads_end_with_an_empty_line() {
        for (text, most, end) in [
            ("GET / HTTP/1.1\r\n\r\nrest", 1, 18),
            ("GET / HTTP/1.1\r\n\r\nrest", 2, 22),
            ("a\n\nb\n\nc", 1, 3),
            ("a\n\nb\n\nc", 2, 6),
            ("a\r\n\nb", 1, 4),
            ("a\r\r\n\r\nb", 1, 6),
            ("a\n\r\r\nb", 1, 6),
            ("a\n\n\n\n", 2, 4),
            ("no end", 1, 6),
        ] {
            assert_eq!(ends(text, most), end, "{text:?}, {most}");
        }
    }
}
