//! Bounds on the memory and log that any client can make the server use, each measured on its own
//! process.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use super::http_client::health;
use super::process::{Served, command, make_book, path, until};
use super::trials::{count, say};

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

/// A request with this in it is refused, and its bytes are the stranger's own.
const ODD_BYTES: usize = 100_000;

/// Sends a malformed request of each kind, of 100,000 bytes, and waits for the answers.
pub fn send_odd_requests(served: &Served) {
    let odd = "A".repeat(ODD_BYTES);
    let client = "Authorization: Basic QTpB\r\nContent-Length: 2\r\n\r\n{}";
    let requests = [
        format!("GET /admin HTTP/1.1\r\nHost: {odd}\r\n\r\n"),
        format!("GET /admin/{odd} HTTP/1.1\r\nHost: {odd}\r\n\r\n"),
        format!("GET /admin HTTP/1.1\r\nHost: localhost\r\nHost: {odd}\r\n\r\n"),
        format!("GET http://{odd}/admin/orders HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /{odd} HTTP/9.9\r\nHost: x\r\n\r\n"),
        format!("{odd} /health HTTP/1.1\r\n\0\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\n{odd}\u{7}: x\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nContent-Length: {odd}\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nTransfer-Encoding: {odd}\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nX-Forwarded-For: {odd}\r\nHost: x\r\n\r\n"),
        format!("POST /v1/accounts/{odd}/auth/token HTTP/1.1\r\nHost: x\r\n{client}"),
        format!("GET /health HTTP/1.1\r\nOrigin: {odd}\r\nHost: x\r\n\r\n"),
        format!("GET /admin/sign-in HTTP/1.1\r\nHost: localhost\r\nCookie: sid={odd}\r\n\r\n"),
    ];
    for request in &requests {
        let mut stream = TcpStream::connect(served.address()).unwrap();
        // It may be refused before it is whole.
        stream.write_all(request.as_bytes()).unwrap_or_default();
        stream.shutdown(Shutdown::Write).unwrap_or_default();
        // Waits for the first byte of the answer. Other tests check the answers.
        stream.read(&mut [0]).unwrap_or_default();
    }
}

#[test]
fn strangers_can_neither_fill_the_log_nor_cause_errors_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    make_book(&db);
    let args = ["serve", "--db", path(&db), "--listen", "127.0.0.1:0", "--log", "info"];
    let mut served = Served::try_start(command(&args, &[])).unwrap();
    let mut log = served.log();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    for _ in 0..count("TILLBOOK_ODD_ROUNDS", 120) {
        send_odd_requests(&served);
    }
    served.signal("TERM");
    assert_eq!(served.wait_unread(), 0);
    let log = reader.join().unwrap();
    say(&format!("{} bytes of log", log.len()));
    assert!(log.len() < 300_000, "{} bytes of log", log.len());
    assert!(!log.contains("ERROR"), "{log}");
    assert!(!log.contains(&"A".repeat(101)), "{log}");
    assert!(log.contains("left out"), "{log}");
}

#[test]
fn a_log_that_nobody_reads_takes_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    make_book(&db);
    let args = ["serve", "--db", path(&db), "--listen", "127.0.0.1:0", "--log", "debug"];
    let served = Served::try_start(command(&args, &[])).unwrap();
    health(&served.url).expect(200);
    let before = served.resident_bytes();
    let odd = "A".repeat(ODD_BYTES);
    let request = format!("GET /admin HTTP/1.1\r\nHost: {odd}\r\n\r\n");
    for _ in 0..1_000 {
        let mut stream = TcpStream::connect(served.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 1);
    }
    let grown = served.resident_bytes().saturating_sub(before) >> 10;
    say(&format!("{grown} KiB more"));
    assert!(grown < 16 << 10, "{grown} KiB more");
}
