//! The one thread on which a server hashes passwords, and the queue in front of it.
//!
//! Hashing is slow by design. One thread with one buffer leaves the other processors to requests
//! and bounds the memory, however many people sign in at once.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use tokio::sync::oneshot;

use super::password::HashMemory;
use crate::priority;

/// Most hashes that wait for the thread: about two seconds of work.
const WAITING_MAX: usize = 64;

type Job = Box<dyn FnOnce(&mut HashMemory) + Send>;

/// Sends work to the thread, which ends when the last clone of this is dropped.
#[derive(Debug, Clone)]
pub struct PasswordThread {
    jobs: SyncSender<Job>,
}

/// Why a password was not hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotHashed {
    #[error("too many passwords are waiting to be hashed")]
    QueueFull,
    #[error("the thread that hashes passwords has ended")]
    ThreadEnded,
}

impl PasswordThread {
    /// Starts the thread; an error if the system cannot make one.
    pub fn start() -> std::io::Result<PasswordThread> {
        let (jobs, queue) = sync_channel(WAITING_MAX);
        std::thread::Builder::new().name("passwords".to_owned()).spawn(move || work(&queue))?;
        Ok(PasswordThread { jobs })
    }

    /// Runs `hash` on the thread, unless the caller is gone when its turn comes.
    pub async fn run<T: Send + 'static>(
        &self,
        hash: impl FnOnce(&mut HashMemory) -> T + Send + 'static,
    ) -> Result<T, NotHashed> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |memory: &mut HashMemory| {
            if !answer.is_closed() {
                // The caller may have gone while the hash was made.
                drop(answer.send(hash(memory)));
            }
        });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => NotHashed::QueueFull,
            TrySendError::Disconnected(_) => NotHashed::ThreadEnded,
        })?;
        answered.await.map_err(|_| NotHashed::ThreadEnded)
    }
}

fn work(queue: &Receiver<Job>) {
    priority::lower_this_thread();
    let mut memory = HashMemory::default();
    while let Ok(job) = queue.recv() {
        job(&mut memory);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn a_full_queue_refuses_and_callers_that_left_cost_nothing() {
        // Nothing takes from this queue until the test does.
        let (jobs, queue) = sync_channel(WAITING_MAX);
        let thread = PasswordThread { jobs };
        let hashed = Arc::new(AtomicUsize::new(0));
        let ask = || {
            let hashed = Arc::clone(&hashed);
            let thread = thread.clone();
            Box::pin(
                async move { thread.run(move |_| hashed.fetch_add(1, Ordering::SeqCst)).await },
            )
        };
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting: Vec<_> = (0..WAITING_MAX).map(|_| ask()).collect();
        for caller in &mut waiting {
            assert_eq!(caller.as_mut().poll(&mut context), Poll::Pending);
        }
        let refused = pin!(ask()).as_mut().poll(&mut context);
        assert_eq!(refused, Poll::Ready(Err(NotHashed::QueueFull)));
        waiting.truncate(3);
        drop(thread);
        let mut left = queue.try_iter();
        let mut memory = HashMemory::default();
        for job in left.by_ref() {
            job(&mut memory);
        }
        assert_eq!(hashed.load(Ordering::SeqCst), 3);
        for caller in &mut waiting {
            assert!(caller.as_mut().poll(&mut context).is_ready());
        }
    }
}
