//! A small HTTP client: one keep-alive connection, one request at a time.

use std::io::{Read, Write};
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A connection that shares its thread with others.
pub struct Connection {
    stream: tokio::net::TcpStream,
    buffer: Vec<u8>,
}

/// A connection that has its thread to itself.
pub struct BlockingConnection {
    stream: std::net::TcpStream,
    buffer: Vec<u8>,
}

/// A status and a body.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Connection {
    /// Connects to `host:port`.
    pub async fn open(address: &str) -> Connection {
        let stream = tokio::net::TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a socket takes its options");
        Connection { stream, buffer: Vec::with_capacity(BUFFER) }
    }

    /// Sends a whole request and reads the whole answer.
    pub async fn send(&mut self, request: &[u8]) -> Answer<'_> {
        self.stream.write_all(request).await.expect("the server reads");
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("the server answers");
            assert_ne!(read, 0, "the server closed the connection");
            if let Some((status, body)) = parse(&self.buffer) {
                return Answer { status, body: &self.buffer[body] };
            }
        }
    }
}

impl BlockingConnection {
    /// Connects to `host:port`.
    pub fn open(address: &str) -> BlockingConnection {
        let stream = std::net::TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket takes its options");
        BlockingConnection { stream, buffer: Vec::with_capacity(BUFFER) }
    }

    /// Sends a whole request and reads the whole answer.
    pub fn send(&mut self, request: &[u8]) -> Answer<'_> {
        self.stream.write_all(request).expect("the server reads");
        self.buffer.clear();
        let mut part = [0; BUFFER];
        loop {
            let read = self.stream.read(&mut part).expect("the server answers");
            assert_ne!(read, 0, "the server closed the connection");
            self.buffer.extend_from_slice(&part[..read]);
            if let Some((status, body)) = parse(&self.buffer) {
                return Answer { status, body: &self.buffer[body] };
            }
        }
    }
}

const BUFFER: usize = 16 << 10;

/// A request's bytes. `headers` are whole lines.
pub fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Status and body of an answer, once it is whole.
fn parse(bytes: &[u8]) -> Option<(u16, Range<usize>)> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).expect("heads are ASCII");
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let body = head_end..head_end + length.unwrap_or(0_usize);
    (body.end <= bytes.len()).then_some((status, body))
}
