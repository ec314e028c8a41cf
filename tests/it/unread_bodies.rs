//! Request bodies that the server does not read: the client gets the whole early answer, and the
//! connection is closed if the body goes on.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tillbook::domain::scope::Scope;

use super::harness::{ACCOUNT, App};
use super::process::{Served, make_book};

/// The most bytes that a connection may accept after its early answer. Most of them stay in the
/// kernel's buffers.
const TAKEN_BYTES_MAX: usize = 64 << 20;

/// The most bytes by which the server's memory may grow while endless bodies are sent to it.
const GROWTH_BYTES_MAX: u64 = 10 << 20;

/// How long a socket may be silent before the test fails: ten times what the server needs.
const STILL_S: u64 = 12;

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const ENDLESS: &str = "Content-Length: 1000000000000\r\n";

fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let still = Some(Duration::from_secs(STILL_S));
    stream.set_read_timeout(still).unwrap();
    stream.set_write_timeout(still).unwrap();
    stream
}

fn head(line: &str, extra: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n")
}

/// Sends a head and an endless body until the server accepts no more; the number of bytes that were
/// sent, and the answer.
fn send_without_end(url: &str, head: &str) -> (usize, String) {
    send_chunks(url, head, &format!("10000\r\n{}\r\n", "x".repeat(0x10000)))
}

/// Sends a head and then `chunk` repeatedly until the server accepts no more; the number of bytes
/// that were sent, and the answer.
fn send_chunks(url: &str, head: &str, chunk: &str) -> (usize, String) {
    let mut stream = connect(url);
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let reading = std::thread::spawn(move || {
        let mut answer = Vec::new();
        // A server that accepts no more resets the connection after its answer.
        reader.read_to_end(&mut answer).unwrap_or_default();
        String::from_utf8(answer).unwrap()
    });
    let mut taken = 0;
    let ended = loop {
        match stream.write(chunk.as_bytes()) {
            Ok(bytes) => taken += bytes,
            Err(error) => break error.kind(),
        }
        if TAKEN_BYTES_MAX < taken {
            break ErrorKind::FileTooLarge;
        }
    };
    drop(stream.shutdown(std::net::Shutdown::Both));
    assert!(
        matches!(ended, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "after {taken} bytes: {ended:?}"
    );
    (taken, reading.join().unwrap())
}

/// Reads one answer with its body from a connection that may stay open.
fn read_answer(stream: &mut TcpStream) -> (String, String) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// Requests that are answered before their body is read: name, status of the answer, first line and
/// headers.
fn early(app: &App) -> Vec<(&'static str, u16, String, String)> {
    let captures = format!("/v1/accounts/{ACCOUNT}/shopping/orders/A1/captures");
    let reader = app.token_of(&app.make_client(ACCOUNT, &[Scope::ReadShopping]));
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let writes = format!("POST {captures}");
    vec![
        ("no token", 401, writes.clone(), String::new()),
        ("wrong credentials", 401, format!("POST /v1/accounts/{ACCOUNT}/auth/token"), {
            "Authorization: Basic bm9ib2R5Ong=\r\n".to_owned()
        }),
        ("no such scope", 403, writes.clone(), bearer(&reader)),
        ("no such path", 404, "POST /nowhere".to_owned(), String::new()),
        ("no such method", 405, format!("DELETE {captures}"), String::new()),
        ("a wrong type", 415, writes.clone(), bearer(&app.token) + form),
        ("too long", 413, writes, bearer(&app.token)),
        ("a GET", 200, "GET /health".to_owned(), String::new()),
        ("another site's form", 403, "POST /admin/sign-in".to_owned(), {
            format!("{form}Sec-Fetch-Site: cross-site\r\n")
        }),
        ("nobody's form", 303, "POST /admin/sign-out".to_owned(), form.to_owned()),
        ("a form too long", 413, "POST /admin/sign-in".to_owned(), form.to_owned()),
    ]
}

#[test]
fn an_endless_body_is_cut_off_and_its_answer_is_whole() {
    let app = App::start();
    std::thread::scope(|scope| {
        for (what, status, line, headers) in early(&app) {
            // A `Content-Length` that is too large is refused before anything else.
            for (framing, status) in [(CHUNKED, status), (ENDLESS, 413)] {
                let head = head(&line, &(headers.clone() + framing));
                let url = &app.url;
                scope.spawn(move || {
                    let (taken, answer) = send_without_end(url, &head);
                    let at = format!("{what}, {framing}: {taken} bytes: {answer}");
                    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{at}");
                    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                    let head = head.to_lowercase();
                    assert!(head.contains("connection: close"), "{at}");
                    assert!(head.contains(&format!("content-length: {}", body.len())), "{at}");
                });
            }
        }
    });
    app.get("/orders").expect(200);
}

#[test]
fn an_endless_body_of_tiny_chunks_is_cut_off_too() {
    let app = App::start();
    let tiny = "1\r\nx\r\n".repeat(10_000);
    let bearer = format!("Authorization: Bearer {}\r\n{CHUNKED}", app.token);
    let drafts = format!("POST /v1/accounts/{ACCOUNT}/shopping/draft_orders");
    for (line, headers, status) in [("POST /nowhere", CHUNKED, 404), (&drafts, &bearer, 413)] {
        let (taken, answer) = send_chunks(&app.url, &head(line, headers), &tiny);
        let at = format!("{line}: {taken} bytes: {answer}");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{at}");
    }
    app.get("/orders").expect(200);
}

#[test]
fn the_connection_is_closed_when_a_promised_body_never_comes() {
    let app = App::start();
    for framing in [CHUNKED, "Content-Length: 10\r\n"] {
        let mut stream = connect(&app.url);
        stream.write_all(head("POST /nowhere", framing).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

#[test]
fn a_body_within_bounds_is_read_to_its_end_and_the_connection_kept() {
    let app = App::start();
    for (what, status, line, headers) in early(&app) {
        if status == 413 {
            continue;
        }
        let mut stream = connect(&app.url);
        let body = "x".repeat(100_000);
        for framing in [
            format!("Content-Length: {}\r\n\r\n{body}", body.len()),
            format!("{CHUNKED}\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        ] {
            let request = head(&line, &headers).trim_end().to_owned() + "\r\n" + &framing;
            stream.write_all(request.as_bytes()).unwrap();
            let (head, _) = read_answer(&mut stream);
            assert!(head.starts_with(&format!("http/1.1 {status}")), "{what}: {head}");
            assert!(!head.contains("connection: close"), "{what}: {head}");
        }
        stream.write_all(head("GET /health", "").as_bytes()).unwrap();
        let (head, _) = read_answer(&mut stream);
        assert!(head.starts_with("http/1.1 200"), "{what}: {head}");
    }
}

#[test]
fn a_client_that_reads_only_after_sending_all_gets_the_error() {
    let app = App::start();
    for framing in [CHUNKED.to_owned(), format!("Content-Length: {}\r\n", 8 << 20)] {
        let line = format!("POST /v1/accounts/{ACCOUNT}/shopping/draft_orders");
        let bearer = format!("Authorization: Bearer {}\r\n{framing}", app.token);
        let mut stream = connect(&app.url);
        stream.write_all(head(&line, &bearer).as_bytes()).unwrap();
        let chunk = format!("{:x}\r\n{}\r\n", (1 << 20) - 9, "x".repeat((1 << 20) - 9));
        assert_eq!(chunk.len(), 1 << 20);
        for _ in 0..8 {
            stream.write_all(chunk.as_bytes()).unwrap();
        }
        let (head, body) = read_answer(&mut stream);
        assert!(head.starts_with("http/1.1 413"), "{head}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["code"], "body_too_large");
    }
}

#[test]
fn endless_bodies_use_no_more_memory() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    make_book(&db);
    let served = Served::start(&db);
    let line = format!("POST /v1/accounts/{ACCOUNT}/shopping/draft_orders");
    // The first answers fill the allocator's own caches.
    send_without_end(&served.url, &head(&line, CHUNKED));
    let before = served.resident_bytes();
    let sending: Vec<_> = (0..8)
        .map(|_| {
            let (url, head) = (served.url.clone(), head(&line, CHUNKED));
            std::thread::spawn(move || send_without_end(&url, &head).0)
        })
        .collect();
    for sender in sending {
        sender.join().unwrap();
    }
    let grown = served.resident_bytes().saturating_sub(before);
    assert!(grown <= GROWTH_BYTES_MAX, "grew by {grown} bytes");
}
