//! Malformed HTTP: a capture request with one error at a time, and the exact answers to it.
//!
//! Exactly one operation is recorded per 200, so a refused message records nothing, and neither
//! does a request smuggled behind it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use tillbook::http::server::ServerOptions;

use super::harness::{ACCOUNT, App};

/// Seconds that a socket may be silent before the test fails.
const STILL_S: u64 = 60;

const BODY: &str = r#"{"items":[{"line_id":1,"amount":1}]}"#;

/// The last request on every connection; it is answered if the connection is still open.
const PROBE: &str = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

/// The bytes to send, the expected statuses, and whether the connection is kept.
struct Case {
    what: &'static str,
    sent: Vec<u8>,
    then: Then,
    expected: &'static str,
}

/// What the client does after it has sent a case.
#[derive(PartialEq)]
enum Then {
    /// Reads the answers, then sends one more request.
    Probe,
    /// Shuts its half of the connection.
    Shut,
    /// Waits.
    Wait,
}

fn case(what: &'static str, sent: impl AsRef<[u8]>, expected: &'static str) -> Case {
    Case { what, sent: sent.as_ref().to_vec(), then: Then::Probe, expected }
}

fn cut_short(what: &'static str, sent: impl AsRef<[u8]>, expected: &'static str) -> Case {
    Case { then: Then::Shut, ..case(what, sent, expected) }
}

fn left_waiting(what: &'static str, sent: impl AsRef<[u8]>, expected: &'static str) -> Case {
    Case { then: Then::Wait, ..case(what, sent, expected) }
}

/// A valid capture request, to be made invalid.
struct Capture {
    path: String,
    token: String,
}

impl Capture {
    /// Its first line and headers, with `extra` in place of the headers that frame the body.
    fn head(&self, extra: &str) -> String {
        format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\n{extra}\r\n",
            self.path, self.token
        )
    }

    fn whole(&self) -> String {
        self.with("")
    }

    /// The valid request with these headers added.
    fn with(&self, extra: &str) -> String {
        self.head(&format!("{extra}Content-Length: {}\r\n", BODY.len())) + BODY
    }

    /// The valid request with another first line.
    fn with_first_line(&self, line: &str) -> String {
        let whole = self.whole();
        let (_, rest) = whole.split_once("\r\n").unwrap();
        format!("{line}\r\n{rest}")
    }

    /// The valid request with its body in one chunk, after this size line.
    fn in_chunk(&self, size: &str) -> String {
        self.head("Transfer-Encoding: chunked\r\n") + &format!("{size}\r\n{BODY}\r\n0\r\n\r\n")
    }
}

fn lengths(capture: &Capture) -> Vec<Case> {
    let framed = |framing: &str| capture.head(framing) + BODY;
    let whole = capture.whole();
    vec![
        case("a valid request", &whole, "200 kept"),
        case("two lengths", framed("Content-Length: 36\r\nContent-Length: 5\r\n"), "400 closed"),
        case("one length twice", framed(&"Content-Length: 36\r\n".repeat(2)), "400 closed"),
        case("a list of lengths", framed("Content-Length: 36, 36\r\n"), "400 closed"),
        case("a length with a plus", framed("Content-Length: +36\r\n"), "400 closed"),
        case("a length below zero", framed("Content-Length: -36\r\n"), "400 closed"),
        case("a length in hex", framed("Content-Length: 0x24\r\n"), "400 closed"),
        case("an empty length", framed("Content-Length: \r\n"), "400 closed"),
        case("2^64 bytes", framed("Content-Length: 18446744073709551616\r\n"), "400 closed"),
        // Without a length the body is empty, and the bytes after the head are the next request.
        case("no length", framed(""), "400 400 closed"),
        case("a body that is longer", framed("Content-Length: 35\r\n"), "400 400 closed"),
        cut_short("a body that is shorter", framed("Content-Length: 37\r\n"), "400 closed"),
        left_waiting("a body that never ends", framed("Content-Length: 37\r\n"), "408 closed"),
        cut_short("a head that is cut off", &whole[..100], "closed"),
    ]
}

fn chunks(capture: &Capture) -> Vec<Case> {
    let encoded = |header: &str| capture.head(header) + &format!("24\r\n{BODY}\r\n0\r\n\r\n");
    let smuggled = |framing: &str| capture.head(framing) + "0\r\n\r\n" + &capture.whole();
    let (te, cl) = ("Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n");
    let (te_cl, cl_te) = (format!("{te}{cl}"), format!("{cl}{te}"));
    vec![
        case("one chunk", capture.in_chunk("24"), "200 kept"),
        case("an extension", capture.in_chunk("24;a=\"b\""), "200 kept"),
        // Accepted by the HTTP library, which ends the size line where a strict reader would. A
        // reader that looks for the quote sees another body, but not an additional request.
        case("an extension that is not ended", capture.in_chunk("24;a=\"b"), "200 kept"),
        case("a length, then chunks", smuggled(&cl_te), "400 closed"),
        case("chunks, then a length", smuggled(&te_cl), "400 closed"),
        case("no such encoding", encoded("Transfer-Encoding: xchunked\r\n"), "400 closed"),
        case(
            "chunked, identity",
            encoded("Transfer-Encoding: chunked, identity\r\n"),
            "400 closed",
        ),
        case("chunked twice", encoded(&te.repeat(2)), "400 closed"),
        case("gzip, chunked", encoded("Transfer-Encoding: gzip, chunked\r\n"), "400 closed"),
        case("identity", encoded("Transfer-Encoding: identity\r\n"), "400 closed"),
        case("a tab", encoded("Transfer-Encoding:\tchunked\r\n"), "200 kept"),
        case("a vertical tab", encoded("Transfer-Encoding: \x0bchunked\r\n"), "400 closed"),
        case("capitals", encoded("TRANSFER-ENCODING: CHUNKED\r\n"), "200 kept"),
        case("encoded in 1.0", encoded(te).replacen("HTTP/1.1", "HTTP/1.0", 1), "400 closed"),
        case("no hex", capture.in_chunk("zz"), "400 closed"),
        case("a size with 0x", capture.in_chunk("0x24"), "400 closed"),
        case("a size with a plus", capture.in_chunk("+24"), "400 closed"),
        case("a size below zero", capture.in_chunk("-24"), "400 closed"),
        case("a size beyond 2^64", capture.in_chunk("10000000000000024"), "400 closed"),
        case("no size", capture.in_chunk(""), "400 closed"),
        case("a chunk that is shorter", capture.in_chunk("25"), "400 closed"),
        case("a chunk that is longer", capture.in_chunk("23"), "400 closed"),
        cut_short("no last chunk", capture.head(te) + &format!("24\r\n{BODY}\r\n"), "400 closed"),
    ]
}

fn headers(capture: &Capture) -> Vec<Case> {
    let whole = capture.whole();
    let many = |count: usize| capture.with(&"X-A: b\r\n".repeat(count));
    let long = |bytes: usize| capture.with(&format!("X-A: {}\r\n", "b".repeat(bytes)));
    vec![
        case("a folded header", capture.with("X-A: b\r\n c\r\n"), "400 closed"),
        case("NUL in a value", capture.with("X-A: b\0c\r\n"), "400 closed"),
        case("NUL in a name", capture.with("X\0A: b\r\n"), "400 closed"),
        case("a bare CR in a value", capture.with("X-A: b\rc\r\n"), "400 closed"),
        case("a space before the colon", capture.with("X-A : b\r\n"), "400 closed"),
        case("a space in a name", capture.with("X A: b\r\n"), "400 closed"),
        case("no name", capture.with(": b\r\n"), "400 closed"),
        case("no colon", capture.with("X-A\r\n"), "400 closed"),
        case("a space first", whole.replacen("Host", " Host", 1), "400 closed"),
        case("two hosts", capture.with("Host: y\r\n"), "400 closed"),
        case("no host", whole.replacen("Host: x\r\n", "", 1), "400 closed"),
        case("two tokens", capture.with("Authorization: Bearer x\r\n"), "401 kept"),
        case("two types", capture.with("Content-Type: text/plain\r\n"), "200 kept"),
        case("no such expectation", capture.with("Expect: 200-ok\r\n"), "200 kept"),
        case("a value in Latin-1", capture.with("X-A: \u{e6}\r\n"), "200 kept"),
        case(
            "HTTP/2 instead",
            capture.with("Connection: Upgrade\r\nUpgrade: h2c\r\n"),
            "200 closed",
        ),
        // The HTTP library reads all that follows as the body, so no request can hide behind it.
        case(
            "a web socket instead",
            capture.with("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            "408 closed",
        ),
        case("as many as there may be", many(92), "200 kept"),
        case("too many", many(93), "431 closed"),
        case("a long head", long(100_000), "200 kept"),
        case("too long a head", long(140_000), "431 closed"),
        // Accepted by the HTTP library, as RFC 9112 allows; so is a mixture with CRLF.
        case("bare line feeds", whole.replace("\r\n", "\n"), "200 kept"),
        case("one bare line feed", whole.replacen("x\r\n", "x\n", 1), "200 kept"),
        case("bare CRs", whole.replace("\r\n", "\r"), "400 closed"),
    ]
}

fn first_lines(capture: &Capture) -> Vec<Case> {
    let path = &capture.path;
    let line = |line: &str| capture.with_first_line(&line.replace('@', path));
    vec![
        case("HTTP/0.9", format!("GET {path}\r\n\r\n"), "400 closed"),
        case("HTTP/1.0", line("POST @ HTTP/1.0"), "200 closed"),
        case("HTTP/1.2", line("POST @ HTTP/1.2"), "400 closed"),
        case("HTTP/2.0", line("POST @ HTTP/2.0"), "400 closed"),
        case("HTTP/11", line("POST @ HTTP/11"), "400 closed"),
        case("http/1.1", line("POST @ http/1.1"), "400 closed"),
        case("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 closed"),
        case("a hello of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", "400 closed"),
        case("a lower-case method", line("post @ HTTP/1.1"), "405 kept"),
        case("a method with junk", line("PO(ST @ HTTP/1.1"), "400 closed"),
        case("a method with NUL", line("PO\0ST @ HTTP/1.1"), "400 closed"),
        case("no method", line(" @ HTTP/1.1"), "400 closed"),
        case("a long path", line(&format!("POST @{} HTTP/1.1", "x".repeat(60_000))), "404 kept"),
        case(
            "too long a path",
            line(&format!("POST @{} HTTP/1.1", "x".repeat(66_000))),
            "414 closed",
        ),
        case("two spaces", line("POST  @ HTTP/1.1"), "400 closed"),
        case("a tab", line("POST\t@ HTTP/1.1"), "400 closed"),
        case("a space in the path", line("POST @/x y HTTP/1.1"), "400 closed"),
        case("a full URL", line("POST http://x@ HTTP/1.1"), "200 kept"),
        case("a full URL of another host", line("POST http://y@ HTTP/1.1"), "200 kept"),
        case("a host alone", line("POST x:80 HTTP/1.1"), "404 kept"),
        case("CONNECT", line("CONNECT x:80 HTTP/1.1"), "404 kept"),
        case("a star", line("OPTIONS * HTTP/1.1"), "404 kept"),
        case("a path without a slash", line("POST v1 HTTP/1.1"), "404 kept"),
        case("an invalid escape", line("POST @%zz HTTP/1.1"), "404 kept"),
        case("an escaped slash", line("POST @%2f HTTP/1.1"), "404 kept"),
        case("an escaped NUL", line("POST @%00 HTTP/1.1"), "404 kept"),
        case("no UTF-8 in an escape", line("POST @%ff HTTP/1.1"), "404 kept"),
        case("dots", line("POST /x/..@ HTTP/1.1"), "404 kept"),
        // Accepted by the HTTP library, which leaves the fragment out.
        case("a fragment", line("POST @#x HTTP/1.1"), "200 kept"),
        case("empty lines first", format!("\r\n\r\n{}", capture.whole()), "200 kept"),
        cut_short("an empty line alone", "\r\n", "closed"),
        cut_short("nothing", "", "closed"),
    ]
}

/// Bytes behind a message that is refused as invalid HTTP are never read as a request.
fn pipelines(capture: &Capture) -> Vec<Case> {
    let whole = capture.whole();
    let bad = capture.with("X A: b\r\n");
    let unknown = whole.replacen("captures", "nowhere", 1);
    let chunked = capture.in_chunk("zz");
    let last = capture.with("Connection: close\r\n");
    let old = whole.replacen("HTTP/1.1", "HTTP/1.0", 1);
    let unread = whole.replacen("POST", "PATCH", 1);
    let large = capture.head("Content-Length: 2000000\r\n") + &"x".repeat(2_000_000);
    vec![
        case("two good ones", whole.repeat(2), "200 200 kept"),
        case("a good one after a bad one", format!("{bad}{whole}"), "400 closed"),
        case("a good one after bad chunks", format!("{chunked}{whole}"), "400 closed"),
        case("a bad one between two", format!("{whole}{bad}{whole}"), "200 400 closed"),
        case("a good one after the last", format!("{last}{whole}"), "200 503 closed"),
        case("a good one after one of 1.0", format!("{old}{whole}"), "200 503 closed"),
        case("one after an unread body", format!("{unread}{whole}"), "405 200 kept"),
        case("one after too long a body", format!("{large}{whole}"), "413 503 closed"),
        case("a good one after a 404", format!("{unknown}{whole}"), "404 200 kept"),
    ]
}

#[test]
fn a_malformed_request_gets_what_the_table_says_and_records_nothing() {
    let options =
        ServerOptions { body_timeout: Duration::from_millis(200), ..ServerOptions::default() };
    let app = App::start_with(options, "");
    let order = app.simple_order(&[1_000]);
    let path = format!("/v1/accounts/{ACCOUNT}/shopping/orders/{order}/captures");
    let capture = Capture { path, token: app.token.clone() };
    let tables = [lengths, chunks, headers, first_lines, pipelines].map(|table| table(&capture));
    let cases = tables.iter().flatten();
    assert!(32 <= cases.clone().count());
    let mut differences = String::new();
    for case in cases {
        let before = operations(&app);
        let told = exchange(&app, case);
        let recorded = operations(&app) - before;
        let accepted = told.split(' ').filter(|status| *status == "200").count();
        if told != case.expected || recorded != accepted {
            let Case { what, expected, .. } = case;
            differences += &format!("{what}: {told}, not {expected}; {recorded} recorded\n");
        }
        app.send("GET", "/health", &[], None).expect(200);
    }
    assert!(differences.is_empty(), "\n{differences}");
}

/// The number of operations in the file.
fn operations(app: &App) -> usize {
    let snapshot = app.snapshot();
    let (_, table) = snapshot.split_once("# events\n").unwrap();
    let events = table.lines().take_while(|line| !line.starts_with("# "));
    events.filter(|event| event.contains(" | capture | ")).count()
}

/// Sends a case on its own connection; the statuses of the answers, and whether the connection was
/// kept or closed.
fn exchange(app: &App, case: &Case) -> String {
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(STILL_S))).unwrap();
    stream.write_all(&case.sent).unwrap();
    let mut told = Vec::new();
    if case.then == Then::Probe {
        // The probe waits for the answers, so that it does not become part of the case.
        let awaited = case.expected.split(' ').count() - 1;
        told.extend((0..awaited).map_while(|_| read_answer(&mut stream)).map(|(status, _)| status));
        // Writing fails when the server has closed the connection; then there is no answer to read.
        drop(stream.write_all(PROBE.as_bytes()));
    }
    if case.then != Then::Wait {
        // It fails when the server has closed already.
        drop(stream.shutdown(Shutdown::Write));
    }
    let mut is_kept = false;
    while let Some((status, body)) = read_answer(&mut stream) {
        is_kept = body.contains("\"status\":\"ok\"");
        if !is_kept {
            let is_shaped = status == "200" || body.starts_with("{\"error\":{\"code\":\"");
            assert!(is_shaped, "{}: {status} {body}", case.what);
            told.push(status);
        }
    }
    told.push(if is_kept { "kept" } else { "closed" }.to_owned());
    told.join(" ")
}

/// The status and the body of the next answer; `None` when the connection ends instead.
fn read_answer(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(0) => return None,
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("still open: {error}: {}", String::from_utf8_lossy(&head)),
        }
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    let length = head.split("content-length: ").nth(1).map(|rest| rest.split("\r\n").next());
    let mut body = vec![0; length.flatten().unwrap_or("0").parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    Some((status, String::from_utf8(body).unwrap()))
}
