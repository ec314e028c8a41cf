//! Bounds on the memory and log that any client can make the server use, each measured on its own
//! process.

use std::io::Write;
use std::net::TcpStream;

use super::http_client::health;
use super::process::{Served, make_book, until};
use super::trials::say;

/// A book and an idle server of it.
fn serve() -> (tempfile::TempDir, Served) {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    make_book(&db);
    let served = Served::start(&db);
    health(&served.url).expect(200);
    (dir, served)
}

/// The most memory that a server may keep after the clients that it was used for have left.
const GIVEN_BACK_BYTES: u64 = 16 << 20;

/// How often each connection is offered more requests.
const ROUNDS: usize = 20;

/// Opens connections and sends requests on each for as long as it takes them, without reading an
/// answer. Returns the most memory that the server occupied.
pub fn pipeline_unread(
    served: &Served,
    connections: usize,
    request: &str,
    open: &mut Vec<TcpStream>,
) -> u64 {
    let requests = request.repeat((64 << 10) / request.len());
    let mut most = 0;
    for _ in 0..connections {
        let stream = TcpStream::connect(served.address()).unwrap();
        stream.set_nonblocking(true).unwrap();
        open.push(stream);
    }
    let mut sent = vec![0; open.len()];
    for _ in 0..ROUNDS {
        for (stream, sent) in open.iter_mut().zip(&mut sent) {
            // Continues where the last write stopped, which may be in the middle of a request.
            while let Ok(bytes) = stream.write(&requests.as_bytes()[*sent % request.len()..]) {
                *sent += bytes;
            }
        }
        health(&served.url).expect(200);
        most = most.max(served.resident_bytes());
    }
    most
}

#[test]
fn answers_that_are_not_read_stop_the_reading_of_requests() {
    let (_dir, served) = serve();
    let before = served.resident_bytes();
    let token = "POST /v1/accounts/T12345678/auth/token HTTP/1.1\r\nHost: x\r\n";
    for (what, request) in [
        ("a small answer", "GET /health HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("no host", "GET /health HTTP/1.1\r\n\r\n".to_owned()),
        ("lines ended by a line feed", "GET /health HTTP/1.1\nHost: x\n\n".to_owned()),
        ("a large answer", "GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("a refusal", "GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("a redirect", "GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("a body", format!("{token}Content-Length: 2\r\n\r\n{{}}")),
        (
            "a body in chunks",
            format!("{token}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        ),
        (
            "a body that is waited for",
            format!("{token}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{{}}"),
        ),
    ] {
        let mut open = Vec::new();
        let most = pipeline_unread(&served, 40, &request, &mut open);
        let grown = most.saturating_sub(before) >> 10;
        say(&format!("{what}: {grown} KiB more"));
        assert!(grown < 16 << 10, "{what}: {grown} KiB more");
    }
    until("its memory is given back", || {
        health(&served.url).expect(200);
        served.resident_bytes() < before + GIVEN_BACK_BYTES
    });
}
