//! The host names that the back office answers to. With DNS rebinding, another site's name resolves
//! to this machine, and its forms differ from ours only in that name.

use std::io::{Read, Write};
use std::net::TcpStream;

use tillbook::http::pages;

use super::admin_forms::{Ready, forms};
use super::harness::{ACCOUNT, App};
use super::headers::assert_headers;
use super::http_client::{Reply, send};
use super::office::FORM;
use super::process::{Served, command, path};

/// The message for an unknown host name.
const TOLD: &str = "--public-url";

/// Host names that a server without a public URL refuses; `PORT` is its port.
const FOREIGN: [&str; 14] = [
    "evil.example",
    "evil.example:PORT",
    "127.0.0.1.evil.example:PORT",
    "localhost.evil.example",
    "evil.example.",
    "notlocalhost:PORT",
    "127.0.0.1@evil.example",
    "evil.example@127.0.0.1:PORT",
    "evil.example:80:PORT",
    "[::1",
    "::1",
    "",
    "x",
    "127.0.0.1,evil.example",
];

fn with_host(url: &str, method: &str, path: &str, host: &str) -> Reply {
    send(url, method, path, &[("host", host)], None)
}

fn port(url: &str) -> &str {
    url.rsplit_once(':').unwrap().1
}

/// True if an answer says that the host name is unknown and what to do about it.
#[track_caller]
fn assert_misdirected(at: &str, reply: &Reply) {
    assert_eq!(reply.status, 421, "{at}: {}", reply.text);
    assert!(reply.text.contains(TOLD) && reply.text.contains("--host"), "{at}: {}", reply.text);
    assert!(reply.text.starts_with("<!doctype html>"), "{at}: {}", reply.text);
    assert!(!reply.text.contains("evil"), "{at} repeats what was sent: {}", reply.text);
    assert_headers(at, reply);
}

#[test]
fn no_page_and_no_form_answers_to_an_unknown_host_name() {
    let app = App::start();
    let before = app.snapshot();
    for page in pages().iter().filter(|page| page.path.starts_with("/admin")) {
        let path = page.path.replace("{aid}", ACCOUNT).replace(['{', '}'], "");
        for foreign in FOREIGN {
            let host = foreign.replace("PORT", port(&app.url));
            for method in [page.method.as_str(), "DELETE"] {
                let at = format!("{method} {path} at {host:?}");
                assert_misdirected(&at, &with_host(&app.url, method, &path, &host));
            }
        }
    }
    assert_eq!(app.snapshot(), before);
}

#[test]
fn a_page_whose_name_was_rebound_to_this_machine_can_send_no_form() {
    for route in forms() {
        let app = App::start();
        let ready = Ready::of(&app, &route);
        let before = app.snapshot();
        let host = format!("evil.example:{}", port(&app.url));
        let origin = format!("http://{host}");
        let said = vec![
            ("host", host.as_str()),
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        assert_misdirected(&route, &ready.send(&app, &said));
        assert_eq!(app.snapshot(), before, "{route} changed something");
    }
}

#[test]
fn the_names_and_addresses_of_this_machine_and_any_address_are_known() {
    let app = App::start();
    for host in [
        "127.0.0.1:PORT",
        "127.0.0.1",
        "127.8.9.10:PORT",
        "localhost",
        "LocalHost:PORT",
        "localhost.:PORT",
        "[::1]:PORT",
        "[::1]",
        "192.168.1.20:PORT",
        "203.0.113.9",
        "[2001:db8::7]:PORT",
    ] {
        let host = host.replace("PORT", port(&app.url));
        let reply = with_host(&app.url, "GET", "/admin/sign-in", &host);
        assert_eq!(reply.status, 200, "{host}: {}", reply.text);
        let ready = Ready::of(&app, "/admin/sign-in");
        let origin = format!("http://{host}");
        let said = vec![("host", host.as_str()), ("origin", origin.as_str())];
        assert_eq!(ready.send(&app, &said).status, 303, "{host}");
    }
}

#[test]
fn the_hosts_of_the_public_url_and_of_the_options_are_known_too() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let args = ["serve", "--db", path(&db), "--listen", "127.0.0.1:0", "--log", "warn"];
    let known = ["--public-url", "https://Kaffe-Bønne.Example:8443/till"];
    let named = ["--host", "Till.lan", "--host", "till"];
    let served = command(&[&args[..], &known, &named].concat(), &[]);
    let served = Served::try_start(served).unwrap_or_else(|ended| panic!("{}", ended.err));
    let get = |path: &str, host: &str| with_host(&served.url, "GET", path, host);
    for path in ["/admin/sign-in", "/till/admin/sign-in"] {
        for host in [
            "xn--kaffe-bnne-6cb.example",
            "XN--KAFFE-BNNE-6CB.example:8443",
            "xn--kaffe-bnne-6cb.example.",
            "till.lan",
            "TILL.LAN:80",
            "till",
            "127.0.0.1",
            served.address(),
        ] {
            assert_eq!(get(path, host).status, 200, "{path} at {host}");
        }
        for host in ["example", "x.till.lan", "xn--kaffe-bnne-6cb.example.evil.example", "lan"] {
            assert_misdirected(&format!("{path} at {host}"), &get(path, host));
        }
    }
}

#[test]
fn the_api_answers_to_any_host_name() {
    let app = App::start();
    let bearer = format!("Bearer {}", app.token);
    let orders = format!("/v1/accounts/{ACCOUNT}/shopping/orders");
    let headers = [("host", "tillbook:8080"), ("authorization", bearer.as_str())];
    assert_eq!(send(&app.url, "GET", &orders, &headers, None).status, 200);
    for path in ["/health", "/openapi.yaml", "/docs"] {
        assert_eq!(with_host(&app.url, "GET", path, "tillbook:8080").status, 200, "{path}");
    }
}

#[test]
fn the_host_check_cannot_be_bypassed() {
    let app = App::start();
    let before = app.snapshot();
    let (email, password) = ("email=x%40example.no", "password=long+enough+it+is");
    let body = format!("{email}&{password}");
    for path in ["/%61dmin/sign-in", "/admin/sign%2Din", "/admin//sign-in", "/admin/sign-in/"] {
        let reply = send(&app.url, "POST", path, &[FORM, ("host", "evil.example")], Some(&body));
        assert!([404, 421].contains(&reply.status), "{path}: {}", reply.status);
        let reply = with_host(&app.url, "GET", path, "evil.example");
        assert!([404, 421].contains(&reply.status), "{path}: {}", reply.status);
    }
    let form = format!("Content-Type: {}\r\nContent-Length: {}\r\n", FORM.1, body.len());
    for head in [
        // Both hosts must be known: that of the target and that of the header (RFC 9112, 3.2.2).
        "POST http://evil.example/admin/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        "POST http://127.0.0.1/admin/sign-in HTTP/1.1\r\nHost: evil.example\r\n",
        "POST /admin/sign-in HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n",
        "POST /admin/sign-in HTTP/1.1\r\nHost: evil.example\r\nForwarded: host=localhost\r\n",
        "POST /admin/sign-in HTTP/1.0\r\n",
    ] {
        let answer = raw(&app, &format!("{head}{form}Connection: close\r\n\r\n{body}"));
        assert!(answer.starts_with("HTTP/1.1 421") || answer.starts_with("HTTP/1.0 421"), "{head}");
    }
    assert_eq!(app.snapshot(), before);
}

/// Sends these bytes and reads the answer.
fn raw(app: &App, request: &str) -> String {
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
