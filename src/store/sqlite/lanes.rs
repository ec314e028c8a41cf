//! The commands that wait for the writer, in a lane for each account. Accounts take turns, so that
//! one with many commands does not keep the others waiting.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::job::Job;
use crate::domain::ids::AccountId;
use crate::sabotage::{self, Fault};

/// Most commands in the lanes. The others wait in the queue in front of them.
const WAITING_MAX: usize = 4_096;

/// Waiting commands. All that belong to no account share a lane.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: VecDeque<Lane>,
    waiting: usize,
}

/// The waiting commands of an account, the oldest first.
struct Lane {
    account_id: Option<AccountId>,
    jobs: VecDeque<Box<dyn Job>>,
}

impl Lanes {
    /// Takes over what waits in the queue, and waits for the first command if there is none yet.
    pub fn wait_for(
        &mut self,
        queue: &Receiver<Box<dyn Job>>,
        most: Duration,
    ) -> Result<(), RecvTimeoutError> {
        if self.waiting == 0 {
            self.push(queue.recv_timeout(most)?);
        }
        for job in queue.try_iter().take(WAITING_MAX.saturating_sub(self.waiting)) {
            self.push(job);
        }
        Ok(())
    }

    fn push(&mut self, job: Box<dyn Job>) {
        self.waiting += 1;
        let account_id = lane_of(&*job);
        match self.lanes.iter_mut().find(|lane| lane.account_id.as_ref() == account_id) {
            Some(lane) => lane.jobs.push_back(job),
            None => {
                let account_id = account_id.cloned();
                self.lanes.push_back(Lane { account_id, jobs: VecDeque::from([job]) });
            }
        }
    }

    /// The next commands, at most `most`: one of each account in turn.
    pub fn next(&mut self, most: usize) -> Vec<Box<dyn Job>> {
        let mut batch = Vec::with_capacity(most.min(self.waiting));
        while batch.len() < most
            && let Some(mut lane) = self.lanes.pop_front()
        {
            batch.extend(lane.jobs.pop_front());
            if !lane.jobs.is_empty() {
                self.lanes.push_back(lane);
            }
        }
        self.waiting -= batch.len();
        batch
    }

    /// Puts commands back that were next but were not run, so that they are next again.
    pub fn put_back(&mut self, jobs: Vec<Box<dyn Job>>) {
        self.waiting += jobs.len();
        for job in jobs.into_iter().rev() {
            let of_account = |lane: &Lane| lane.account_id.as_ref() == lane_of(&*job);
            let lane = self.lanes.iter().position(of_account).and_then(|at| self.lanes.remove(at));
            let account_id = lane_of(&*job).cloned();
            let mut lane = lane.unwrap_or_else(|| Lane { account_id, jobs: VecDeque::new() });
            lane.jobs.push_front(job);
            self.lanes.push_front(lane);
        }
    }
}

/// The account in whose lane a command waits.
fn lane_of(job: &dyn Job) -> Option<&AccountId> {
    job.account().filter(|_| !sabotage::is_on(Fault::ShareOneQueue))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::job::{Ran, Settled};
    use crate::store::tx::Tx;

    /// A command of an account, with a number.
    struct Numbered(Option<AccountId>, usize, std::sync::mpsc::Sender<usize>);

    impl Job for Numbered {
        fn account(&self) -> Option<&AccountId> {
            self.0.as_ref()
        }

        fn run(&mut self, _: &Tx<'_>) -> Ran {
            Ran::Clean
        }

        fn settle(self: Box<Self>, _: Settled) {
            self.2.send(self.1).unwrap();
        }
    }

    /// The numbers of these commands.
    fn numbers(jobs: Vec<Box<dyn Job>>, settled: &Receiver<usize>) -> Vec<usize> {
        jobs.into_iter().for_each(|job| job.settle(Settled::Committed));
        settled.try_iter().collect()
    }

    #[test]
    fn accounts_take_turns_and_what_was_put_back_is_next() {
        let (sender, settled) = std::sync::mpsc::channel();
        let account = |nth: usize| AccountId::parse(&format!("T{nth:08}"));
        let mut lanes = Lanes::default();
        for nth in 0..5 {
            lanes.push(Box::new(Numbered(account(1), nth, sender.clone())));
        }
        lanes.push(Box::new(Numbered(account(2), 10, sender.clone())));
        lanes.push(Box::new(Numbered(None, 20, sender.clone())));
        let mut next = lanes.next(4);
        assert_eq!(next.len(), 4);
        let rest = next.split_off(1);
        lanes.put_back(rest);
        assert_eq!(numbers(next, &settled), [0]);
        assert_eq!(numbers(lanes.next(3), &settled), [10, 20, 1]);
        assert_eq!(lanes.waiting, 3);
        assert_eq!(numbers(lanes.next(9), &settled), [2, 3, 4]);
        assert_eq!(lanes.waiting, 0);
    }
}
