//! Unfinished requests are ended: a late one gets a 408 and its socket is closed.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tillbook::http::server::ServerOptions;

use super::harness::{ACCOUNT, App};

/// The pause of a slow client between two bytes. No assertion depends on it.
const PACE_MS: u64 = 20;

/// How long a socket may stay open before the test fails: over ten times what the server needs.
const STILL_S: u64 = 60;

fn connect(app: &App) -> TcpStream {
    let stream = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(STILL_S))).unwrap();
    stream
}

/// Reads until the server closes the connection, which it must.
fn read_to_close(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => {
            panic!("still open: {error}: {}", String::from_utf8_lossy(&answer))
        }
        _ => String::from_utf8(answer).unwrap(),
    }
}

/// Sends byte after byte, slowly, until the server answers or closes.
fn send_slowly(stream: &mut TcpStream, bytes: &[u8]) {
    stream.set_read_timeout(Some(Duration::from_millis(PACE_MS))).unwrap();
    let is_answered = |stream: &TcpStream| {
        !matches!(stream.peek(&mut [0]), Err(error) if
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    };
    for byte in bytes.iter().cycle().take(100_000) {
        if is_answered(stream) || stream.write_all(&[*byte]).is_err() {
            break;
        }
    }
    stream.set_read_timeout(Some(Duration::from_secs(STILL_S))).unwrap();
}

#[track_caller]
fn assert_timed_out(answer: &str, at: &str) {
    assert!(answer.starts_with("HTTP/1.1 408"), "{at}: {answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains("connection: close"), "{at}: {head}");
    assert!(head.contains("content-security-policy"), "{at}: {head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"]["code"], "request_timeout", "{at}");
}

#[test]
fn a_slow_or_stalled_body_gets_a_408_and_records_nothing() {
    let body_timeout = Duration::from_millis(300);
    let app = App::start_with(ServerOptions { body_timeout, ..ServerOptions::default() }, "");
    let order = app.simple_order(&[100]);
    let before = app.snapshot();
    let shopping = format!("/v1/accounts/{ACCOUNT}/shopping");
    let bearer = format!("Authorization: Bearer {}\r\n", app.token);
    let basic = format!("Authorization: {}\r\n", super::http_client::basic(&app.client));
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let routes = [
        (format!("POST {shopping}/orders/{order}/captures"), bearer.clone()),
        (format!("POST {shopping}/draft_orders"), bearer),
        (format!("POST /v1/accounts/{ACCOUNT}/auth/token"), basic.clone()),
        (format!("POST /v1/accounts/{ACCOUNT}/auth/token"), basic + form),
    ];
    std::thread::scope(|scope| {
        for (line, headers) in &routes {
            for (framing, body) in [
                ("Content-Length: 1000\r\n\r\n", &b"{\"items\":[{\"line_id\":1,"[..]),
                ("Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
            ] {
                for is_slow in [true, false] {
                    let app = &app;
                    scope.spawn(move || {
                        let mut stream = connect(app);
                        let head = format!("{line} HTTP/1.1\r\nHost: x\r\n{headers}{framing}");
                        stream.write_all(head.as_bytes()).unwrap();
                        match is_slow {
                            true => send_slowly(&mut stream, body),
                            false => stream.write_all(body).unwrap(),
                        }
                        let at = format!("{line}, {}", framing.trim());
                        assert_timed_out(&read_to_close(&mut stream), &at);
                    });
                }
            }
        }
    });
    assert_eq!(app.snapshot(), before);
}

#[test]
fn a_stalled_form_gets_its_408_as_a_page() {
    let body_timeout = Duration::from_millis(300);
    let app = App::start_with(ServerOptions { body_timeout, ..ServerOptions::default() }, "");
    let mut stream = connect(&app);
    let head = "POST /admin/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\nemail=";
    stream.write_all(head.as_bytes()).unwrap();
    let answer = read_to_close(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("<!doctype html>") || answer.contains("<!DOCTYPE html>"), "{answer}");
}

#[test]
fn a_slow_or_stalled_head_loses_its_connection() {
    let options = ServerOptions {
        // actix-web looks at its clock twice a second.
        head_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_millis(600),
        ..ServerOptions::default()
    };
    let app = App::start_with(options, "");
    let whole = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    std::thread::scope(|scope| {
        for (what, begin, rest) in [
            ("nothing", "", ""),
            ("half a head", "GET /health HTT", ""),
            ("a slow head", "GET /health HTTP/1.1\r\n", "X: y\r\n"),
            ("half a second head", whole, "GET /hea"),
            ("a slow second head", &format!("{whole}GET /health HTTP/1.1\r\n"), "X: y\r\n"),
        ] {
            let mut stream = connect(&app);
            let (begin, app) = (begin.to_owned(), &app);
            scope.spawn(move || {
                stream.write_all(begin.as_bytes()).unwrap();
                if begin.starts_with(whole) {
                    let mut first = [0; 17];
                    stream.read_exact(&mut first).unwrap();
                    assert_eq!(&first, b"HTTP/1.1 200 OK\r\n", "{what}");
                    let mut rest_of_answer = [0; 4_096];
                    assert!(0 < stream.read(&mut rest_of_answer).unwrap());
                    stream.write_all(rest.as_bytes()).unwrap();
                }
                if rest.contains(':') {
                    send_slowly(&mut stream, rest.as_bytes());
                }
                let answer = read_to_close(&mut stream);
                assert!(!answer.contains("HTTP/1.1 200"), "{what}: {answer}");
                app.send("GET", "/health", &[], None).expect(200);
            });
        }
    });
}

#[test]
fn a_client_that_does_not_read_its_answers_loses_its_connection() {
    let idle_timeout = Duration::from_millis(500);
    let app = App::start_with(ServerOptions { idle_timeout, ..ServerOptions::default() }, "");
    let mut stream = connect(&app);
    stream.set_write_timeout(Some(Duration::from_secs(STILL_S))).unwrap();
    let request = "GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    let ended = loop {
        if let Err(error) = stream.write_all(request.as_bytes()) {
            break error.kind();
        }
    };
    assert!(matches!(ended, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{ended:?}");
}

#[test]
fn an_answer_is_not_cut_while_its_client_reads_however_slowly() {
    let idle_timeout = Duration::from_millis(400);
    let app = App::start_with(ServerOptions { idle_timeout, ..ServerOptions::default() }, "");
    let item = json!({"id": "p", "gross_amount": 1, "name": "x".repeat(200)});
    let order = json!({"currency": "NOK", "items": vec![item; 900]});
    for _ in 0..40 {
        app.order(order.clone(), json!({}));
    }
    let mut stream = connect(&app);
    // What the client's kernel takes in is not read yet.
    socket2::SockRef::from(&stream).set_recv_buffer_size(64 << 10).unwrap();
    let path = format!("/v1/accounts/{ACCOUNT}/shopping/orders?limit=40");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        app.token
    );
    stream.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut piece) = (Vec::new(), vec![0; 128 << 10]);
    loop {
        std::thread::park_timeout(Duration::from_millis(PACE_MS));
        match stream.read(&mut piece).unwrap() {
            0 => break,
            bytes => answer.extend_from_slice(&piece[..bytes]),
        }
    }
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    // The page is sent one order at a time, and its last chunk tells that it is whole.
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert!(body.ends_with("]}\r\n0\r\n\r\n"), "{} bytes were cut", body.len());
    assert!(6 << 20 < body.len(), "{} bytes are too few to tell", body.len());
}

#[test]
fn a_connection_with_a_request_under_way_stays_open() {
    let options = ServerOptions {
        idle_timeout: Duration::from_millis(200),
        body_timeout: Duration::from_secs(2),
        ..ServerOptions::default()
    };
    let app = App::start_with(options, "");
    let mut stream = connect(&app);
    // The request is under way for ten times the idle timeout.
    let head = format!(
        "POST /v1/accounts/{ACCOUNT}/shopping/draft_orders HTTP/1.1\r\nHost: x\r\n\
         Authorization: Bearer {}\r\nContent-Length: 9\r\n\r\n{{",
        app.token
    );
    stream.write_all(head.as_bytes()).unwrap();
    assert_timed_out(&read_to_close(&mut stream), "a request under way");
}

#[test]
fn the_size_of_a_head_is_limited() {
    let app = App::start();
    let status = |head: String| {
        let mut stream = connect(&app);
        // The server refuses it while the client is still sending.
        stream.write_all(head.as_bytes()).unwrap_or_default();
        read_to_close(&mut stream).chars().skip(9).take(3).collect::<String>()
    };
    let head = |headers: &str| {
        format!("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
    };
    assert_eq!(status(head(&"X-A: b\r\n".repeat(90))), "200");
    assert_eq!(status(head(&"X-A: b\r\n".repeat(100))), "431");
    assert_eq!(status(head(&format!("X-A: {}\r\n", "b".repeat(100_000)))), "200");
    assert_eq!(status(head(&format!("X-A: {}\r\n", "b".repeat(200_000)))), "431");
    assert_eq!(status(format!("GET /{} HTTP/1.1\r\n\r\n", "b".repeat(200_000))), "431");
}

#[test]
fn a_server_has_deadlines_by_default() {
    let usual = ServerOptions::default();
    let seconds = [usual.head_timeout, usual.idle_timeout, usual.body_timeout];
    assert_eq!(seconds.map(|time| time.as_secs()), [5, 16, 10]);
}
