//! Background work, each kind on its own thread.

mod deliver;
mod erase_words;
mod expire_due;
mod expire_sessions;
mod retain;
mod watch_access;
mod watch_book;
mod watch_file;

pub use deliver::{DeliverOptions, Deliverer};
pub use erase_words::erase_words;
pub use expire_due::sweep as sweep_expired;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::app::Access;
use crate::store::{Store, StoreError};

/// The running threads. Dropping this stops them.
pub struct Workers {
    stops: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    /// Interrupts the database check, which may take long.
    end_check: Box<dyn Fn() + Send + Sync>,
}

impl Workers {
    pub fn start(store: &Store, access: &Access) -> Result<Workers, StoreError> {
        let check = store.start_check()?;
        let end_check = Box::new(check.ender());
        let mut workers = Workers { stops: Vec::new(), threads: Vec::new(), end_check };
        let (watched, access) = (store.clone(), access.clone());
        workers.spawn("watch-access", move |ticks| watch_access::run(&watched, &access, ticks))?;
        let condition = store.condition.clone();
        workers.spawn("watch-book", move |ticks| watch_book::run(&condition, check, ticks))?;
        let (condition, watch) = (store.condition.clone(), store.file_watch()?);
        workers.spawn("watch-file", move |ticks| watch_file::run(&condition, watch, ticks))?;
        let expiring = store.clone();
        workers.spawn("expire-sessions", move |ticks| expire_sessions::run(&expiring, ticks))?;
        let expiring = store.clone();
        workers.spawn("expire-due", move |ticks| expire_due::run(&expiring, ticks))?;
        let erasing = store.clone();
        workers.spawn("erase-words", move |ticks| erase_words::run(&erasing, ticks))?;
        let store = store.clone();
        workers.spawn("retain", move |ticks| retain::run(&store, ticks))?;
        Ok(workers)
    }

    fn spawn(
        &mut self,
        name: &str,
        run: impl FnOnce(&Ticks) + Send + 'static,
    ) -> std::io::Result<()> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name(name.to_owned());
        self.threads.push(thread.spawn(move || run(&Ticks { stopped }))?);
        self.stops.push(stop);
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stops.clear();
        (self.end_check)();
        for thread in self.threads.drain(..) {
            // A panicked worker has nothing left to do, and stopping must go on.
            drop(thread.join());
        }
    }
}

/// Paces a worker and tells it when to stop.
struct Ticks {
    stopped: Receiver<()>,
}

impl Ticks {
    /// Waits; returns false when the worker must stop.
    fn wait(&self, ms: u64) -> bool {
        let waited = self.stopped.recv_timeout(Duration::from_millis(ms));
        matches!(waited, Err(RecvTimeoutError::Timeout) | Ok(()))
    }
}
