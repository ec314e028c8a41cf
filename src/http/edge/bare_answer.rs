//! Gives answers that actix-web makes itself the shape of all errors.
//!
//! To a head that it cannot read, or that does not arrive in time, actix-web writes a status and no
//! body, and no middleware sees that answer. The socket does.

use actix_web::ResponseError;
use memchr::memmem;

use crate::http::error::{ApiError, Code};

/// The longest target of a request (RFC 9112, section 3.2) that the HTTP library reads.
const TARGET_BYTES_MAX: usize = 65_534;

/// Says that an answer has no body.
const NO_BODY: &str = "content-length: 0\r\n";
/// Only actix-web's own answers lack this header.
const OURS: &str = "x-content-type-options:";

/// An answer to write instead of a bare one.
#[derive(Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// Where the bare answer begins. It goes to the end of the bytes.
    pub start: usize,
    pub text: String,
}

/// Looks for a bare answer at the end of `bytes`, which are written to a client whose last request
/// began with a line of `line_bytes`.
pub fn rewrite(bytes: &[u8], line_bytes: usize) -> Option<Rewritten> {
    // Answers with a body end otherwise, so they are not searched.
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let start = memmem::rfind(bytes, b"HTTP/1.1 ")?;
    let bare = std::str::from_utf8(&bytes[start..]).ok()?;
    let is_whole = bare.find("\r\n\r\n").is_some_and(|end| end + 4 == bare.len());
    if !is_whole || !bare.contains(NO_BODY) || bare.contains(OURS) {
        return None;
    }
    let error = error_of(bare.split(' ').nth(1)?, line_bytes)?;
    let (status, body) = (error.status_code(), error.body());
    let (_, headers) = bare.split_once("\r\n")?;
    let headers = headers.replace(NO_BODY, &format!("content-length: {}\r\n", body.len()));
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n{OURS} \
         nosniff\r\n{headers}{body}"
    );
    Some(Rewritten { start, text })
}

fn error_of(status: &str, line_bytes: usize) -> Option<ApiError> {
    match status {
        "400" if TARGET_BYTES_MAX < line_bytes => Some(ApiError::new(
            Code::UriTooLong,
            "The address is too long; send what it says in a shorter one.",
        )),
        "400" => {
            let message = "The request is not valid HTTP/1.1: its first line or a header is \
                           malformed. Nothing was recorded.";
            Some(ApiError::new(Code::InvalidRequest, message))
        }
        "408" => Some(ApiError::new(
            Code::RequestTimeout,
            "The head of the request did not arrive in time; send it again.",
        )),
        "431" => Some(ApiError::new(
            Code::HeadTooLarge,
            "The request has too many headers, or they are too long; send fewer or shorter ones.",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\
                        date: x\r\n\r\n";

    #[test]
    fn a_bare_answer_at_the_end_gets_a_body_and_no_other_does() {
        let before = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        for (bytes, line_bytes, start, first_line) in [
            (BARE.to_owned(), 10, Some(0), "HTTP/1.1 400 Bad Request\r\n"),
            (BARE.to_owned(), 65_535, Some(0), "HTTP/1.1 414 URI Too Long\r\n"),
            (format!("{before}{BARE}"), 10, Some(before.len()), "HTTP/1.1 400 Bad Request\r\n"),
            (before.to_owned(), 10, None, ""),
            (format!("{BARE}{before}"), 10, None, ""),
            (BARE.replace("date: x", "x-content-type-options: nosniff"), 10, None, ""),
            (BARE.replace("content-length: 0", "content-length: 9"), 10, None, ""),
            (BARE.replace("400 Bad Request", "303 See Other"), 10, None, ""),
            (BARE[..BARE.len() - 1].to_owned(), 10, None, ""),
        ] {
            let found = rewrite(bytes.as_bytes(), line_bytes);
            assert_eq!(found.as_ref().map(|found| found.start), start, "{bytes}");
            let Some(Rewritten { text, .. }) = found else { continue };
            assert!(text.starts_with(first_line), "{text}");
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {}", body.len())), "{text}");
            assert!(head.ends_with("connection: close\r\ndate: x"), "{text}");
        }
    }
}
