//! Recording how tries of deliveries ended (docs/contract.md, Decision 10).

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::replay_deliveries::PING;
use crate::domain::Timestamp;
use crate::domain::delivery::{DeliveryState, HookHealth, TryEnd};
use crate::domain::ids::{DeliverySeq, HookSeq};
use crate::store::{Failed, LastTry, SettledTry, Tx, WriteCommand};

/// The end of a try.
#[derive(Debug, Clone)]
pub struct EndedTry {
    pub hook_seq: HookSeq,
    pub delivery_seq: DeliverySeq,
    pub event: String,
    /// The number of tries in this round, this one included.
    pub tries: u32,
    pub end: TryEnd,
    /// How long to wait for the next try after a failure; `None` if this was the last.
    pub wait_ms: Option<i64>,
    pub last_try: LastTry,
}

/// Records the ends of tries, in their order. `Done` has the hooks that were paused.
#[derive(Debug, Clone)]
pub struct SettleDeliveries {
    pub tries: Vec<EndedTry>,
}

/// The sums over the tries of one hook.
struct Tally {
    health: HookHealth,
    delivered: i64,
    failed: i64,
}

impl WriteCommand for SettleDeliveries {
    const NAME: &'static str = "settle_deliveries";
    type Done = Vec<HookSeq>;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<Vec<HookSeq>, Failed<Infallible>> {
        let mut tallies: BTreeMap<HookSeq, Tally> = BTreeMap::new();
        let mut paused = Vec::new();
        for one in &self.tries {
            let LastTry { at, duration_ms, .. } = one.last_try;
            let (tries, last_try) = (one.tries, &one.last_try);
            let state = one.state();
            let settled = SettledTry { state, tries, next_at: one.next_at(), last_try };
            if !tx.settle_delivery(one.delivery_seq, &settled)? {
                continue;
            }
            let tally = match tallies.entry(one.hook_seq) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    let health = tx.load_hook(one.hook_seq)?.health;
                    new.insert(Tally { health, delivered: 0, failed: 0 })
                }
            };
            tally.delivered += i64::from(state == DeliveryState::Delivered);
            tally.failed += i64::from(state == DeliveryState::Failed);
            let now = Timestamp(at.0 + duration_ms);
            if one.event != PING {
                tally.health = tally.health.after(one.end, one.tries, now);
            }
            if let Some(because) = tally.health.pause(one.end, now) {
                tx.pause_hook(one.hook_seq, because)?;
                paused.push(one.hook_seq);
            }
        }
        for (hook_seq, tally) in tallies {
            tx.update_hook_health(hook_seq, tally.health, tally.delivered, tally.failed)?;
        }
        Ok(paused)
    }
}

impl EndedTry {
    /// The state of the delivery after the try. A ping is sent once.
    pub fn state(&self) -> DeliveryState {
        match self.end {
            TryEnd::Success => DeliveryState::Delivered,
            TryEnd::Gone | TryEnd::Failure { .. } => match self.wait_ms {
                Some(_) if self.event != PING => DeliveryState::Waiting,
                _ => DeliveryState::Failed,
            },
        }
    }

    /// When the next try is due, if the delivery waits.
    fn next_at(&self) -> Option<Timestamp> {
        let ended_at = self.last_try.at.0 + self.last_try.duration_ms;
        // `next_at_ms` 0 is reserved for first tries.
        let next_at = self.wait_ms.map(|wait_ms| Timestamp((ended_at + wait_ms).max(1)));
        next_at.filter(|_| self.state() == DeliveryState::Waiting)
    }
}
