//! A receiver of webhooks on a port of its own, which answers as a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver as Channel, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// How long a delivery may take to come: much longer than it needs.
const COMES_S: u64 = 60;

/// A request that was received.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method and the path with its query.
    pub request: String,
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub body: Value,
}

impl Received {
    /// A header, by its lower-case name; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This status, with these further header lines.
    Status(u16, &'static str),
    /// Nothing, until the sender goes away.
    Hang,
    /// The head of an answer without end, and then bytes without end.
    Endless,
}

type Script = Arc<Mutex<Box<dyn FnMut(&Received) -> Answer + Send>>>;

/// A running receiver. Its thread ends with the process.
pub struct Receiver {
    pub url: String,
    received: Channel<Received>,
    script: Script,
}

impl Receiver {
    /// Answers every request with a 200.
    pub fn start() -> Receiver {
        Receiver::answering(|_| Answer::Status(200, ""))
    }

    pub fn answering(script: impl FnMut(&Received) -> Answer + Send + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (tell, received) = mpsc::channel();
        let script: Script = Arc::new(Mutex::new(Box::new(script)));
        let shared = script.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (tell, script) = (tell.clone(), shared.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &tell, &script));
            }
        });
        Receiver { url, received, script }
    }

    /// Answers differently from now on.
    pub fn answer(&self, script: impl FnMut(&Received) -> Answer + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// The next request, in the order of arrival.
    #[track_caller]
    pub fn next(&self) -> Received {
        self.received.recv_timeout(Duration::from_secs(COMES_S)).expect("a delivery comes")
    }

    /// The next request that is not a ping.
    #[track_caller]
    pub fn next_event(&self) -> Received {
        loop {
            let next = self.next();
            if next.header("event") != "ping" {
                return next;
            }
        }
    }

    /// The next requests that are not pings.
    #[track_caller]
    pub fn events(&self, count: usize) -> Vec<Received> {
        (0..count).map(|_| self.next_event()).collect()
    }

    /// Requests that have come and were not taken yet.
    pub fn come(&self) -> Vec<Received> {
        self.received.try_iter().collect()
    }
}

fn serve(stream: TcpStream, tell: &Sender<Received>, script: &Script) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(received) = read_request(&mut reader) {
        let answer = script.lock().unwrap()(&received);
        // The test may have ended.
        tell.send(received).unwrap_or_default();
        let text = match answer {
            Answer::Status(status, headers) => {
                format!("HTTP/1.1 {status} X\r\n{headers}content-length: 2\r\n\r\nok")
            }
            Answer::Endless => {
                send_without_end(&stream);
                return;
            }
            Answer::Hang => {
                let mut rest = Vec::new();
                reader.read_to_end(&mut rest).unwrap_or_default();
                return;
            }
        };
        if (&stream).write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn send_without_end(mut stream: &TcpStream) {
    let head = "HTTP/1.1 200 X\r\ncontent-length: 10737418240\r\n\r\n";
    let mut sent = stream.write_all(head.as_bytes());
    while sent.is_ok() {
        sent = stream.write_all(&[b'x'; 4_096]);
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| 0 < *read)?;
    let request = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| 0 < *read)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8(body).ok()?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Some(Received { request, headers, text, body })
}
