//! Turns at work of which only a few pieces are done at the same time. Accounts take turns, so that
//! one that asks for much does not keep the others waiting.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, Sender};

use super::error::ApiError;
use crate::domain::ids::AccountId;
use crate::sabotage::{self, Fault};

/// How many turns there are at the same time.
#[derive(Debug, Clone, Copy)]
pub struct TurnLimits {
    /// Turns that all accounts together have.
    pub at_once: usize,
    /// Turns that one account has.
    pub of_one: usize,
    /// Requests of one account that may wait for a turn.
    pub waiting_of_one: usize,
    /// Requests that may wait for a turn. One that is the only one of its account always may.
    pub waiting: usize,
}

impl TurnLimits {
    /// Limits for work whose waiting requests are bounded by the number of connections.
    pub const fn any_may_wait(at_once: usize, of_one: usize) -> TurnLimits {
        TurnLimits { at_once, of_one, waiting_of_one: usize::MAX, waiting: usize::MAX }
    }
}

/// The turns at one kind of work.
#[derive(Debug)]
pub struct Turns {
    limits: TurnLimits,
    queue: Mutex<Queue>,
}

/// The right to do a piece of the work now, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Turns>,
    account_id: AccountId,
}

/// Too many requests wait for a turn already.
#[derive(Debug)]
pub struct TooManyWait;

#[derive(Debug, Default)]
struct Queue {
    /// The turns that each account has now; accounts without any are left out.
    taken: HashMap<AccountId, usize>,
    /// The accounts with waiting requests. The first is asked first.
    waiting: VecDeque<Waiting>,
}

/// The waiting requests of an account, the oldest first.
#[derive(Debug)]
struct Waiting {
    account_id: AccountId,
    requests: VecDeque<Sender<Turn>>,
}

impl Turns {
    pub fn new(limits: TurnLimits) -> Arc<Turns> {
        Arc::new(Turns { limits, queue: Mutex::default() })
    }

    /// Waits for a turn of the account.
    pub async fn turn(self: &Arc<Turns>, account_id: &AccountId) -> Result<Turn, TooManyWait> {
        let shared =
            AccountId::parse("T00000000").filter(|_| sabotage::is_on(Fault::ShareOneQueue));
        let account_id = shared.as_ref().unwrap_or(account_id);
        let granted = {
            let mut queue = self.lock();
            if queue.has_room(self.limits, account_id) {
                queue.take(account_id);
                return Ok(self.turn_of(account_id.clone()));
            }
            queue.wait(self.limits, account_id)?
        };
        // A request that waits is always granted a turn, since every turn ends.
        granted.await.map_err(|_| TooManyWait)
    }

    /// Waits for a turn of the account, where requests may wait without limit.
    pub async fn turn_for_any(self: &Arc<Turns>, account_id: &AccountId) -> Result<Turn, ApiError> {
        let turn = self.turn(account_id).await;
        turn.map_err(|TooManyWait| ApiError::internal("a turn was refused that has no limit"))
    }

    fn turn_of(self: &Arc<Turns>, account_id: AccountId) -> Turn {
        Turn { turns: Arc::clone(self), account_id }
    }

    /// Ends a turn and gives it to the next request that may have it.
    fn end(self: &Arc<Turns>, account_id: &AccountId) {
        let next = {
            let mut queue = self.lock();
            queue.give_back(account_id);
            queue.next(self.limits)
        };
        if let Some((account_id, request)) = next {
            // If the request has been given up, its turn is dropped here and goes to the next.
            drop(request.send(self.turn_of(account_id)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.end(&self.account_id);
    }
}

impl Queue {
    fn has_room(&self, limits: TurnLimits, account_id: &AccountId) -> bool {
        let of_account = self.taken.get(account_id).copied().unwrap_or_default();
        self.taken.values().sum::<usize>() < limits.at_once && of_account < limits.of_one
    }

    fn take(&mut self, account_id: &AccountId) {
        *self.taken.entry(account_id.clone()).or_default() += 1;
    }

    fn give_back(&mut self, account_id: &AccountId) {
        match self.taken.get_mut(account_id) {
            Some(taken) if 1 < *taken => *taken -= 1,
            _ => drop(self.taken.remove(account_id)),
        }
    }

    /// Lets a request wait. What is returned resolves with its turn.
    fn wait(
        &mut self,
        limits: TurnLimits,
        account_id: &AccountId,
    ) -> Result<oneshot::Receiver<Turn>, TooManyWait> {
        self.forget_given_up();
        let all: usize = self.waiting.iter().map(|of_one| of_one.requests.len()).sum();
        let (request, granted) = oneshot::channel();
        match self.waiting.iter_mut().find(|waiting| waiting.account_id == *account_id) {
            Some(of_one)
                if limits.waiting <= all || limits.waiting_of_one <= of_one.requests.len() =>
            {
                return Err(TooManyWait);
            }
            Some(of_one) => of_one.requests.push_back(request),
            None => self.waiting.push_back(Waiting {
                account_id: account_id.clone(),
                requests: VecDeque::from([request]),
            }),
        }
        Ok(granted)
    }

    /// Takes a turn for the request that is next, if there is one that may have it.
    fn next(&mut self, limits: TurnLimits) -> Option<(AccountId, Sender<Turn>)> {
        self.forget_given_up();
        let may_go = |waiting: &Waiting| self.has_room(limits, &waiting.account_id);
        let next = self.waiting.iter().position(may_go)?;
        // The account goes to the end of the queue.
        let mut waiting = self.waiting.remove(next)?;
        let request = waiting.requests.pop_front()?;
        let account_id = waiting.account_id.clone();
        if !waiting.requests.is_empty() {
            self.waiting.push_back(waiting);
        }
        self.take(&account_id);
        Some((account_id, request))
    }

    /// Forgets requests whose clients have gone.
    fn forget_given_up(&mut self) {
        self.waiting.retain_mut(|of_one| {
            of_one.requests.retain(|request| !request.is_closed());
            !of_one.requests.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Asked = Pin<Box<dyn Future<Output = Result<Turn, TooManyWait>>>>;

    fn account(nth: usize) -> AccountId {
        AccountId::parse(&format!("T{nth:08}")).unwrap()
    }

    fn ask(turns: &Arc<Turns>, nth: usize) -> Asked {
        let turns = Arc::clone(turns);
        Box::pin(async move { turns.turn(&account(nth)).await })
    }

    fn poll(asked: &mut Asked) -> Poll<Result<Turn, TooManyWait>> {
        asked.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    /// The turn of a request that need not wait any more.
    fn granted(asked: &mut Asked) -> Turn {
        let Poll::Ready(Ok(turn)) = poll(asked) else { panic!("no turn yet") };
        turn
    }

    /// A request that waits.
    fn waiting(turns: &Arc<Turns>, nth: usize) -> Asked {
        let mut asked = ask(turns, nth);
        assert!(poll(&mut asked).is_pending(), "account {nth} need not wait");
        asked
    }

    #[test]
    fn an_account_leaves_turns_to_the_others() {
        let turns = Turns::new(TurnLimits::any_may_wait(3, 2));
        let first: Vec<Turn> = (0..2).map(|_| granted(&mut ask(&turns, 1))).collect();
        let mut third = waiting(&turns, 1);
        let other = granted(&mut ask(&turns, 2));
        drop(waiting(&turns, 3));
        drop(other);
        assert!(poll(&mut third).is_pending(), "account 1 has its two turns");
        drop(first);
        drop(granted(&mut third));
        assert!(turns.lock().taken.is_empty());
        assert!(turns.lock().waiting.is_empty());
    }

    #[test]
    fn accounts_take_turns_however_many_requests_one_has() {
        let turns = Turns::new(TurnLimits::any_may_wait(1, 1));
        let now = granted(&mut ask(&turns, 1));
        let mut many: Vec<Asked> = (0..100).map(|_| waiting(&turns, 1)).collect();
        let mut others: Vec<Asked> = (2..4).map(|nth| waiting(&turns, nth)).collect();
        drop(now);
        let first = granted(&mut many[0]);
        drop(first);
        for other in &mut others {
            drop(granted(other));
        }
        let second = granted(&mut many[1]);
        assert!(poll(&mut many[2]).is_pending());
        drop(second);
    }

    #[test]
    fn a_request_that_was_given_up_passes_its_turn_on() {
        let turns = Turns::new(TurnLimits::any_may_wait(1, 1));
        let now = granted(&mut ask(&turns, 1));
        let (given_up, granted_unread) = (waiting(&turns, 1), waiting(&turns, 1));
        let mut last = waiting(&turns, 1);
        drop(given_up);
        drop(now);
        assert!(poll(&mut last).is_pending());
        // It has its turn, but its client goes before it learns of it.
        drop(granted_unread);
        drop(granted(&mut last));
        assert!(turns.lock().taken.is_empty());
    }

    #[test]
    fn only_so_many_wait_but_each_account_may_once() {
        let limits = TurnLimits { at_once: 1, of_one: 1, waiting_of_one: 3, waiting: 4 };
        let turns = Turns::new(limits);
        let _now = granted(&mut ask(&turns, 1));
        let mut wait: Vec<Asked> = (0..3).map(|_| waiting(&turns, 1)).collect();
        let refused = |nth| matches!(poll(&mut ask(&turns, nth)), Poll::Ready(Err(TooManyWait)));
        assert!(refused(1), "a fourth of one account");
        wait.extend((2..9).map(|nth| waiting(&turns, nth)));
        assert!(refused(2), "a second one beyond the four that wait");
        drop(wait);
        drop(waiting(&turns, 2));
    }
}
