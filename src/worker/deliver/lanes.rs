//! Sends due deliveries, a few of each hook at a time. A slow receiver delays only the lanes of its
//! own hook.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::DeliverOptions;
use super::send::try_once;
use crate::app::EndedTry;
use crate::store::{DueDelivery, HookRecord};

/// The most deliveries of one hook that are sent at the same time.
const LANES_MAX: usize = 4;

/// The most deliveries of all hooks that are sent at the same time.
pub(super) const ALL_LANES_MAX: usize = 256;

/// The due deliveries of a hook, which its lanes share.
pub(super) struct Lanes {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    hook: Arc<HookRecord>,
    queue: VecDeque<DueDelivery>,
    running: usize,
}

impl Lanes {
    pub fn of(hook: Arc<HookRecord>) -> Lanes {
        let shared = Shared { hook, queue: VecDeque::new(), running: 0 };
        Lanes { shared: Arc::new(Mutex::new(shared)) }
    }

    /// Uses these settings for everything that is sent from now on.
    pub fn set_hook(&self, hook: Arc<HookRecord>) {
        self.with(|shared| shared.hook = hook);
    }

    pub fn push(&self, due: Vec<DueDelivery>) {
        self.with(|shared| shared.queue.extend(due));
    }

    /// Takes back the deliveries that no lane has begun.
    pub fn take_back(&self) -> Vec<DueDelivery> {
        self.with(|shared| shared.queue.drain(..).collect())
    }

    pub fn queued(&self) -> usize {
        self.with(|shared| shared.queue.len())
    }

    pub fn running(&self) -> usize {
        self.with(|shared| shared.running)
    }

    /// Starts at most `room` lanes for the queued deliveries. They send how tries end to `ended`.
    pub fn start(&self, options: &DeliverOptions, ended: &UnboundedSender<EndedTry>, room: usize) {
        let starting = self.with(|shared| {
            let starting = (LANES_MAX - shared.running).min(shared.queue.len()).min(room);
            shared.running += starting;
            starting
        });
        for _ in 0..starting {
            tokio::spawn(lane(self.shared.clone(), options.clone(), ended.clone()));
        }
    }

    fn with<T>(&self, run: impl FnOnce(&mut Shared) -> T) -> T {
        run(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends one delivery after another until nothing is queued.
async fn lane(
    shared: Arc<Mutex<Shared>>,
    options: DeliverOptions,
    ended: UnboundedSender<EndedTry>,
) {
    let shared = Lanes { shared };
    loop {
        let next = shared.with(|shared| {
            let next = shared.queue.pop_front().map(|due| (shared.hook.clone(), due));
            shared.running -= usize::from(next.is_none());
            next
        });
        let Some((hook, due)) = next else { return };
        let end = try_once(&options, &hook, due).await;
        // Fails if a stop no longer waits for this try, which is then repeated after a start.
        drop(ended.send(end));
    }
}
