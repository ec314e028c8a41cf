//! Requests of which all but the last byte was sent: the memory that they take together is bounded,
//! and a client that sends whole requests is answered meanwhile.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::harness::ACCOUNT;
use super::http_client::health;
use super::process::{Served, make_book, until};
use super::trials::flood::is_cut;
use super::trials::{count, say};

/// What half-sent requests of one address may add to the server's memory: 24 MiB that are counted,
/// and the buffers of 220 connections. 300 half-sent drafts took 421 MiB before they were counted.
const GROWN_BYTES_MAX: u64 = 128 << 20;

/// Unfinished heads of over 8 KiB that one address may have: each counts as 128 KiB.
const LONG_HEADS_MAX: usize = 192;

/// A kind of half-sent request: its start, and a filler that is repeated up to a number of bytes.
pub struct Half {
    pub what: &'static str,
    pub start: String,
    pub filler: u8,
    pub bytes: usize,
}

/// Every kind of request that a server may have to keep until it is whole. `token` is a client's.
pub fn halves(token: &str) -> Vec<Half> {
    let shopping = format!("/v1/accounts/{ACCOUNT}/shopping");
    let post = |path: &str, headers: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
    };
    let with_token = |headers: &str| format!("Authorization: Bearer {token}\r\n{headers}");
    let json = "Content-Type: application/json\r\n";
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let mib = 1 << 20;
    let sized = |bytes: usize| format!("Content-Length: {bytes}\r\n");
    let half = |what, start, filler, bytes| Half { what, start, filler, bytes };
    let chunked = format!("Transfer-Encoding: chunked\r\n{json}");
    vec![
        half("a head", "GET /health HTTP/1.1\r\nX: ".to_owned(), b'x', 120 << 10),
        half(
            "a draft",
            post(&format!("{shopping}/draft_orders"), &with_token(&sized(mib))),
            b' ',
            mib - 1,
        ),
        half(
            "a draft in chunks",
            post(&format!("{shopping}/draft_orders"), &with_token(&chunked)) + "fffff\r\n",
            b' ',
            mib - 10,
        ),
        half(
            "a request for a token",
            post(&format!("/v1/accounts/{ACCOUNT}/auth/token"), &sized(120 << 10)),
            b' ',
            (120 << 10) - 1,
        ),
        half(
            "a sign-in",
            post("/admin/sign-in", &format!("{}{form}", sized(500 << 10))),
            b'x',
            (500 << 10) - 1,
        ),
    ]
}

/// Sends half a request on each of many connections, as far as the server takes it. Returns the
/// most memory that the server occupied.
pub fn send_halves(
    served: &Served,
    connections: usize,
    half: &Half,
    open: &mut Vec<TcpStream>,
) -> u64 {
    let bytes = [half.start.as_bytes(), &vec![half.filler; half.bytes]].concat();
    let mut most = 0;
    let mut sent = vec![0; connections];
    open.clear();
    for _ in 0..connections {
        let stream = TcpStream::connect(served.address()).unwrap();
        stream.set_nonblocking(true).unwrap();
        open.push(stream);
    }
    for _ in 0..ROUNDS {
        for (stream, sent) in open.iter_mut().zip(&mut sent) {
            while *sent < bytes.len()
                && let Ok(more @ 1..) = stream.write(&bytes[*sent..])
            {
                *sent += more;
            }
        }
        health(&served.url).expect(200);
        most = most.max(served.resident_bytes());
    }
    most
}

/// How often each connection is offered more bytes.
const ROUNDS: usize = 10;

#[test]
fn half_sent_requests_take_little_memory_and_whole_ones_get_through() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let client = make_book(&db);
    let served = Served::start(&db);
    let token = served.token(&client);
    let wanted = usize::try_from(count("TILLBOOK_HALVES", 220)).unwrap();
    let note = json!({"x": "x".repeat((1 << 20) - 1_000)});
    let order =
        json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}], "metadata": note});
    let draft: Value = json!({"order": order});
    served.shopping(&token, "POST", "/draft_orders", Some(&draft)).expect(200);
    let before = served.resident_bytes();
    for half in halves(&token) {
        let mut open = Vec::new();
        let most = send_halves(&served, wanted, &half, &mut open);
        let grown = most.saturating_sub(before) >> 20;
        say(&format!("{wanted} connections send {}: {grown} MiB more", half.what));
        served.shopping(&token, "POST", "/draft_orders", Some(&draft)).expect(200);
        if half.what == "a head" {
            until("long heads beyond 24 MiB are cut off", || {
                health(&served.url).expect(200);
                wanted - LONG_HEADS_MAX <= open.iter().filter(|stream| is_cut(stream)).count()
            });
        }
        assert!(grown < GROWN_BYTES_MAX >> 20, "{}: {grown} MiB more", half.what);
    }
}

#[test]
fn bodies_of_strangers_are_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    make_book(&db);
    let served = Served::start(&db);
    let text = openapi_document(&served);
    let mut tried = 0;
    for (path, methods) in text["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if !matches!(method.as_str(), "post" | "put" | "delete") || path.ends_with("/token") {
                continue;
            }
            // The test page's token is in the path, and an unknown one is a page that is not there.
            let refused = if path.starts_with("/pay/") { b"HTTP/1.1 404" } else { b"HTTP/1.1 401" };
            let path = path.replace("{aid}", ACCOUNT).replace(['{', '}'], "");
            for token in ["", "Authorization: Bearer nonsense\r\n"] {
                let mut stream = TcpStream::connect(served.address()).unwrap();
                let head = format!(
                    "{} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n{token}\r\n",
                    method.to_uppercase()
                );
                stream.write_all(head.as_bytes()).unwrap();
                let mut answer = [0; 12];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(&answer, refused, "{method} {path}");
                tried += 1;
            }
        }
    }
    assert!(30 < tried, "{tried} routes were tried");
}

fn openapi_document(served: &Served) -> Value {
    super::http_client::send(&served.url, "GET", "/openapi.json", &[], None).expect(200).body
}
