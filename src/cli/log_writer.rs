//! Writes the log on its own thread, so that a slow reader of the log does not stop requests. The
//! lines that wait to be written are limited; further lines are left out and counted.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::counted;
use super::log_limit::Limits;
use crate::clock::{Clock, rfc3339};
use crate::sabotage::{self, Fault};

/// Most bytes that wait to be written.
pub const BYTES_WAITING_MAX: usize = 1 << 20;
/// Most lines that wait to be written.
const LINES_WAITING_MAX: usize = 10_000;
/// How often the thread reports lines that were left out, when nothing else is logged.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long the end of the program waits for a reader of the log.
const END_WAIT: Duration = Duration::from_secs(1);

/// Takes lines for the thread that writes them.
#[derive(Debug, Clone)]
pub struct LogWriter(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    text: Vec<u8>,
    lines: usize,
    /// Lines that found the queue full.
    left_out: u64,
    /// No more lines will come.
    is_closing: bool,
    /// The thread has written everything and ended.
    is_done: bool,
}

impl Queue {
    fn has_room(&self, bytes: usize) -> bool {
        self.lines < LINES_WAITING_MAX && self.text.len() + bytes <= BYTES_WAITING_MAX
    }

    fn push(&mut self, line: &str) {
        self.text.extend_from_slice(line.as_bytes());
        self.lines += 1;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogWriter {
    /// Queues a line, or leaves it out if the queue is full.
    pub fn write(&self, line: &str) {
        let mut queue = self.0.lock();
        if sabotage::is_on(Fault::WaitForTheLog) {
            let waited = self.0.changed.wait_while(queue, |queue| 0 < queue.lines);
            queue = waited.unwrap_or_else(PoisonError::into_inner);
        }
        if queue.has_room(line.len()) {
            queue.push(line);
        } else {
            queue.left_out += 1;
        }
        drop(queue);
        self.0.changed.notify_all();
    }
}

/// Writes the last lines when it is dropped.
#[derive(Debug)]
pub struct LogGuard(Arc<Shared>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.is_closing = true;
        self.0.changed.notify_all();
        // The wait is limited, so that a log without a reader cannot keep the program from ending.
        drop(self.0.changed.wait_timeout_while(queue, END_WAIT, |queue| !queue.is_done));
    }
}

/// Starts the thread that writes to `out`.
pub fn start(out: impl Write + Send + 'static, limits: Arc<Limits>) -> (LogWriter, LogGuard) {
    let shared = Arc::<Shared>::default();
    let (writer, guard) = (LogWriter(Arc::clone(&shared)), LogGuard(Arc::clone(&shared)));
    let thread = std::thread::Builder::new().name("log".to_owned());
    if thread.spawn(move || write_all(&shared, out, &limits)).is_err() {
        // Without the thread nothing can be logged, not even this error.
        guard.0.lock().is_done = true;
    }
    (writer, guard)
}

fn write_all(shared: &Shared, mut out: impl Write, limits: &Limits) {
    loop {
        let (text, is_closing) = take(shared, limits);
        // If the log cannot be written, that cannot be logged either.
        drop(out.write_all(&text).and_then(|()| out.flush()));
        if is_closing {
            shared.lock().is_done = true;
            shared.changed.notify_all();
            return;
        }
    }
}

/// Waits for lines, or until it is time to report those that were left out. Returns the text to
/// write, and true if no more lines will come.
fn take(shared: &Shared, limits: &Limits) -> (Vec<u8>, bool) {
    let queue = shared.lock();
    let is_quiet = |queue: &mut Queue| queue.lines == 0 && !queue.is_closing;
    let waited = shared.changed.wait_timeout_while(queue, LOOK_EVERY, is_quiet);
    let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
    let mut summaries =
        if queue.is_closing { limits.end_all() } else { limits.end_periods(Instant::now()) };
    let left_out = std::mem::take(&mut queue.left_out);
    if 0 < left_out {
        let lines = counted(left_out, "line", "lines");
        summaries.push(format!("left out {lines}, since the log was not read in time"));
    }
    for summary in summaries {
        queue.push(&format!("{}  WARN {summary}\n", rfc3339(Clock::System.now())));
    }
    queue.lines = 0;
    let text = std::mem::take(&mut queue.text);
    let is_closing = queue.is_closing;
    drop(queue);
    shared.changed.notify_all();
    (text, is_closing)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A log whose reader has stopped.
    struct Unread {
        begun: Sender<()>,
        goes_on: Receiver<()>,
    }

    impl Write for Unread {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.begun.send(()).unwrap_or_default();
            // Fails when the test is over.
            self.goes_on.recv().unwrap_or_default();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_are_not_read_are_left_out_beyond_a_limit_and_counted() {
        for (line, kept) in [("x".repeat(256), BYTES_WAITING_MAX / 256), ("x".to_owned(), 10_000)] {
            let (begin, begun) = channel();
            let (go_on, goes_on) = channel();
            let (writer, guard) = start(Unread { begun: begin, goes_on }, Arc::default());
            writer.write("this line is being written while the others wait");
            begun.recv().unwrap();
            (0..kept + 7).for_each(|_| writer.write(&line));
            let queue = guard.0.lock();
            assert_eq!((queue.lines, queue.left_out), (kept, 7));
            assert_eq!(queue.text.len(), kept * line.len());
            drop(queue);
            // The guard waits for the thread.
            drop(go_on);
        }
    }
}
