//! More connections than a server accepts: it answers other clients meanwhile, and recovers.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType};
use tillbook::http::server::ServerOptions;
use tillbook::store::StoreError;

use super::load::Trial;
use super::sent::keys;
use super::{count, say};
use crate::bounds::pipeline_unread;
use crate::harness::{ACCOUNT, App};
use crate::http_client::health;

/// An otherwise unused address of this machine.
const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The most connections that the server accepts from one address, with enough file descriptors.
const ADDRESS_CONNECTIONS_MAX: usize = 4_000;

fn connect_from(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(from, 0))?;
    rustix::net::connect(&socket, &to)?;
    Ok(socket.into())
}

/// True if the server has closed the connection, which it does without sending anything.
pub fn is_cut(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    match stream.peek(&mut [0]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[test]
fn a_flood_from_one_address_does_not_lock_out_others() {
    let mut trial = Trial::new();
    let served = trial.start();
    let before = served.resident_bytes();
    let to = served.url.trim_start_matches("http://").parse().unwrap();
    let wanted = usize::try_from(count("TILLBOOK_FLOOD", 5_000)).unwrap();
    let mut flood = Vec::new();
    for nth in 0..wanted {
        let mut stream = connect_from(FLOODER, to).unwrap();
        // Half send nothing, and half begin a request.
        if nth % 2 == 0 {
            stream.write_all(b"GET /health HTTP/1.1\r\n").unwrap_or_default();
        }
        flood.push(stream);
        if nth % 500 == 0 {
            health(&served.url).expect(200);
        }
    }
    health(&served.url).expect(200);
    trial.capture(&served, &keys("in the flood", 50));
    assert_eq!(trial.done(), 50);
    let grown = served.resident_bytes().saturating_sub(before);
    // The last of them may not be accepted and closed yet.
    let wanted_cut = wanted - ADDRESS_CONNECTIONS_MAX;
    let cut_off = || flood.iter().filter(|stream| is_cut(stream)).count();
    let deadline = Instant::now() + Duration::from_secs(60);
    while cut_off() < wanted_cut && Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let cut = cut_off();
    say(&format!("{wanted} connected, {cut} cut off, {grown} bytes more"));
    assert!(wanted_cut <= cut, "{cut} of {wanted} were cut off");
    drop(flood);
    trial.capture(&served, &keys("after it", 50));
    assert_eq!(trial.done(), 100);
    trial.expect_settled();
    served.signal("TERM");
    let ended = served.wait().expect(0);
    assert!(!ended.err.contains("a bug"), "{}", ended.err);
}

/// The most memory that a thousand connections may add to the server.
const PIPELINES_BYTES_MAX: u64 = 120 << 20;
/// The most of this memory that may be kept after they have gone: the allocator keeps some for
/// later.
const KEPT_BYTES_MAX: u64 = 100 << 20;

#[test]
fn pipelines_whose_answers_are_unread_take_little_memory() {
    let mut trial = Trial::new();
    let served = trial.start();
    let before = served.resident_bytes();
    let wanted = usize::try_from(count("TILLBOOK_PIPELINES", 1_000)).unwrap();
    for path in ["/health", "/openapi.yaml", "/v1/nothing", "/admin/sign-in"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut open = Vec::new();
        let most = pipeline_unread(&served, wanted, &request, &mut open);
        trial.capture(&served, &keys(path, 50));
        let grown = most.saturating_sub(before);
        say(&format!("{wanted} connections pipeline {path}: {grown} bytes more"));
        assert!(grown < PIPELINES_BYTES_MAX, "{path}: {grown} bytes more");
    }
    assert_eq!(trial.done(), 200);
    health(&served.url).expect(200);
    let kept = served.resident_bytes().saturating_sub(before);
    say(&format!("afterwards {kept} bytes more"));
    assert!(kept < KEPT_BYTES_MAX, "{kept} bytes are kept");
    trial.expect_settled();
}

#[test]
fn the_connections_of_an_address_are_limited_until_one_ends() {
    let address_connections_max = Some(3);
    let app =
        App::start_with(ServerOptions { address_connections_max, ..ServerOptions::default() }, "");
    let to: SocketAddr = app.url.trim_start_matches("http://").parse().unwrap();
    let ask = |stream: &mut TcpStream| {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap_or_default();
        let mut answer = [0; 4_096];
        stream.read(&mut answer).is_ok_and(|bytes| 0 < bytes)
    };
    let mut open: Vec<TcpStream> = (0..3).map(|_| connect_from(FLOODER, to).unwrap()).collect();
    assert!(open.iter_mut().all(ask));
    assert!(!ask(&mut connect_from(FLOODER, to).unwrap()), "a fourth");
    assert!(ask(&mut TcpStream::connect(to).unwrap()), "a connection from another address");
    open.pop();
    // The server soon notices that the connection has ended.
    while !ask(&mut connect_from(FLOODER, to).unwrap()) {}
    assert!(open.iter_mut().all(ask), "older connections stay open");
}

#[test]
fn health_answers_while_every_reader_and_the_writer_are_busy() {
    let app = App::start();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    // These hold all read connections, and later reads wait.
    let (begun, is_begun) = std::sync::mpsc::channel();
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (store, held, begun) = (app.state.store.clone(), held.clone(), begun.clone());
            std::thread::spawn(move || {
                store.read_blocking(|_| {
                    begun.send(()).unwrap();
                    held.lock().unwrap().recv().unwrap_err();
                    Ok::<_, StoreError>(())
                })
            })
        })
        .collect();
    for _ in 0..4 {
        is_begun.recv().unwrap();
    }
    // More requests than there are threads to read with.
    let request = format!(
        "GET /v1/accounts/{ACCOUNT}/shopping/orders HTTP/1.1\r\nHost: x\r\n\
         Authorization: Bearer {}\r\n\r\n",
        app.token
    );
    let to: SocketAddr = app.url.trim_start_matches("http://").parse().unwrap();
    let waiting: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(to).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    for _ in 0..20 {
        health(&app.url).expect(200);
    }
    drop(release);
    for reader in readers {
        reader.join().unwrap().unwrap();
    }
    drop(waiting);
    app.get("/orders").expect(200);
}
