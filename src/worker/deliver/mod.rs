//! Delivers events to webhooks (docs/contract.md, Decision 10), on a thread of its own.
//!
//! `dispatcher` plans the work; `render` makes the deliveries of a stretch of the journal; `active`
//! has the state of one hook; `lanes` sends due deliveries; `send` makes one try.
//! `callbacks` sends the callbacks of order sessions.

mod active;
mod callbacks;
mod dispatcher;
mod lanes;
mod render;
mod send;

use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::outbound::Outbound;
use crate::randomness::Randomness;
use crate::store::Store;
use crate::wire::links::Links;

/// Threads that read the book or look up host names.
const BLOCKING_THREADS_MAX: usize = 32;

/// What deliveries are made and sent with.
#[derive(Clone)]
pub struct DeliverOptions {
    pub links: Links,
    pub outbound: Outbound,
    pub clock: Clock,
    pub randomness: Randomness,
}

/// The running thread. Stopping it waits a short time for tries that have begun.
pub struct Deliverer {
    /// Dropping them stops the work.
    stops: Vec<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Deliverer {
    pub fn start(store: &Store, options: DeliverOptions) -> std::io::Result<Deliverer> {
        let (stop_hooks, hooks_stopped) = oneshot::channel();
        let (stop_callbacks, callbacks_stopped) = oneshot::channel();
        let store = store.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .build()?;
        let thread = std::thread::Builder::new().name("deliver".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::join!(
                    dispatcher::run(store.clone(), options.clone(), hooks_stopped),
                    callbacks::run(store, options, callbacks_stopped)
                );
            });
            // Look-ups of host names may still be waiting; nothing needs their results.
            runtime.shutdown_background();
        })?;
        Ok(Deliverer { stops: vec![stop_hooks, stop_callbacks], thread: Some(thread) })
    }
}

impl Drop for Deliverer {
    fn drop(&mut self) {
        self.stops.clear();
        if let Some(thread) = self.thread.take() {
            // A panicked thread has nothing left to do, and stopping must go on.
            drop(thread.join());
        }
    }
}
