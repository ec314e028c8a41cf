//! A receiver of webhooks, on threads of this process, which notes when each event arrives first.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

/// How often the arrivals are looked at while they are awaited.
const LOOK: Duration = Duration::from_millis(2);
/// The longest time without any arrival before the wait for them fails.
const STILL_MAX: Duration = Duration::from_secs(60);

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BUFFER: usize = 16 << 10;

/// A running receiver. Its threads end with the process.
pub struct Receiver {
    pub url: String,
    arrived: Arc<Mutex<HashMap<u64, Arrival>>>,
}

/// The first arrival of an event.
struct Arrival {
    operation_id: Uuid,
    at: Instant,
}

impl Receiver {
    /// Answers every delivery with a 200 at once.
    pub fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a socket has an address");
        let arrived = Arc::new(Mutex::new(HashMap::new()));
        let shared = arrived.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let arrived = shared.clone();
                std::thread::spawn(move || serve(stream, &arrived));
            }
        });
        Receiver { url: format!("http://{address}/hook"), arrived }
    }

    /// Forgets what has arrived.
    pub fn clear(&self) {
        lock(&self.arrived).clear();
    }

    /// The number of different events that have arrived.
    pub fn count(&self) -> usize {
        lock(&self.arrived).len()
    }

    /// Waits until that many different events have arrived.
    pub fn wait_for(&self, count: usize) {
        let (mut before, mut since) = (self.count(), Instant::now());
        while before < count {
            std::thread::park_timeout(LOOK);
            let now = self.count();
            if before < now {
                (before, since) = (now, Instant::now());
            }
            assert!(since.elapsed() < STILL_MAX, "{now} of {count} events have arrived");
        }
    }

    /// When the event of each operation arrived.
    pub fn arrivals(&self) -> HashMap<Uuid, Instant> {
        lock(&self.arrived).values().map(|arrival| (arrival.operation_id, arrival.at)).collect()
    }
}

fn lock(arrived: &Mutex<HashMap<u64, Arrival>>) -> MutexGuard<'_, HashMap<u64, Arrival>> {
    arrived.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads requests and answers them until the sender closes the connection.
fn serve(mut stream: TcpStream, arrived: &Mutex<HashMap<u64, Arrival>>) {
    // Without it, only the answers would be slower.
    drop(stream.set_nodelay(true));
    let (mut buffer, mut part) = (Vec::with_capacity(BUFFER), [0; BUFFER]);
    loop {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return,
            Ok(read) => buffer.extend_from_slice(&part[..read]),
        }
        let Some(end) = request_end(&buffer) else { continue };
        let at = Instant::now();
        if let Some((seq, operation_id)) = read_event(&buffer[..end]) {
            lock(arrived).entry(seq).or_insert(Arrival { operation_id, at });
        }
        buffer.drain(..end);
        if stream.write_all(ANSWER).is_err() {
            return;
        }
    }
}

/// Where the first request ends, once it is whole.
fn request_end(bytes: &[u8]) -> Option<usize> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let end = head_end + length.unwrap_or(0_usize);
    (end <= bytes.len()).then_some(end)
}

/// The number of a delivery's event and the id of its operation; `None` for a ping.
fn read_event(request: &[u8]) -> Option<(u64, Uuid)> {
    let text = std::str::from_utf8(request).ok()?;
    let (_, rest) = text.split_once("\"seq\":")?;
    let digits = rest.split(|sign: char| !sign.is_ascii_digit()).next()?;
    let (_, id) = rest.split_once("\"operation_id\":\"")?;
    Some((digits.parse().ok()?, id.get(..36)?.parse().ok()?))
}
