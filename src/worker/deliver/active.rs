//! What the dispatcher knows of one hook: its place in the journal, and its deliveries in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::lanes::Lanes;
use crate::app::{EndedTry, HookStep};
use crate::domain::Timestamp;
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{DeliverySeq, EventSeq, HookSeq};
use crate::store::{Backlog, DueDelivery, HookRecord, Reader, StoreError};

/// A hook with this many waiting deliveries, or bytes of them, gets no more until some are
/// delivered or given up. Its events wait in the journal.
pub(super) const BACKLOG_MAX: u32 = 10_000;
const BACKLOG_BYTES_MAX: i64 = 64 << 20;

/// With this many new deliveries that no lane has taken, the next events of the hook wait in the
/// journal. Making deliveries long before they can be sent would only take time from other writes.
const UNTAKEN_MAX: usize = 256;

/// The most due deliveries of a hook in memory, and the most bytes of them.
const TAKEN_MAX: usize = 64;
const TAKEN_BYTES_MAX: usize = 2 << 20;

/// A hook that is neither paused nor deleted.
pub(super) struct Active {
    pub hook: Arc<HookRecord>,
    /// The last event that was examined for it; at or after the written cursor.
    pub seen: EventSeq,
    pub backlog: Backlog,
    pub lanes: Lanes,
    /// Deliveries that are queued, being sent, or sent and not recorded.
    pub taken: HashMap<DeliverySeq, usize>,
    /// About how many deliveries were made and not taken yet.
    untaken: usize,
    /// True if the book must be searched for deliveries that are due.
    pub look: bool,
    pub next_due: Option<Timestamp>,
}

impl Active {
    pub fn of(hook: &Arc<HookRecord>) -> Active {
        Active {
            hook: hook.clone(),
            seen: hook.through_seq,
            backlog: Backlog { count: 0, bytes: 0 },
            lanes: Lanes::of(hook.clone()),
            taken: HashMap::new(),
            untaken: 0,
            look: true,
            next_due: None,
        }
    }

    /// Replaces the hook and its backlog with newly read ones.
    pub fn change(&mut self, hook: Arc<HookRecord>, backlog: Backlog) {
        // Resuming a hook may have moved its cursor.
        if hook.through_seq != self.hook.through_seq {
            self.seen = hook.through_seq;
        }
        self.lanes.set_hook(hook.clone());
        self.hook = hook;
        self.backlog = backlog;
        self.look = true;
    }

    /// True if deliveries of further events may be made.
    pub fn has_room(&self) -> bool {
        self.untaken < UNTAKEN_MAX
            && self.backlog.count < i64::from(BACKLOG_MAX)
            && self.backlog.bytes < BACKLOG_BYTES_MAX
    }

    /// Queues deliveries that are due; `is_all` tells whether more of them are due.
    pub fn take(&mut self, due: Vec<DueDelivery>, is_all: bool, next_due: Option<Timestamp>) {
        self.look = !is_all;
        self.next_due = next_due;
        self.untaken = if is_all { 0 } else { self.untaken.saturating_sub(due.len()) };
        self.taken.extend(due.iter().map(|one| (one.delivery_seq, one.body.len())));
        self.lanes.push(due);
    }

    pub fn may_take(&self, now: Timestamp) -> bool {
        let is_due = self.look || self.next_due.is_some_and(|next| next <= now);
        is_due && self.lanes.queued() < TAKEN_MAX / 2 && self.taken.len() < TAKEN_MAX
    }

    pub fn note_made(&mut self, through: EventSeq, made: Backlog) {
        let mut hook = HookRecord::clone(&self.hook);
        hook.through_seq = through;
        self.hook = Arc::new(hook);
        self.backlog.count += made.count;
        self.backlog.bytes += made.bytes;
        self.untaken += usize::try_from(made.count).unwrap_or_default();
        self.look = true;
    }

    pub fn note_settled(&mut self, end: &EndedTry) {
        let bytes = self.taken.remove(&end.delivery_seq).unwrap_or_default();
        // The next look reads when a repeated try is due.
        self.look = true;
        if end.state() != DeliveryState::Waiting {
            self.backlog.count -= 1;
            self.backlog.bytes -= i64::try_from(bytes).unwrap_or_default();
        }
    }
}

/// The number and bytes of the deliveries that a step adds to the backlog of its hook.
pub(super) fn size_of(step: &HookStep) -> (HookSeq, Backlog) {
    let bytes: usize = step.deliveries.iter().map(|delivery| delivery.body.len()).sum();
    let count = i64::try_from(step.deliveries.len()).unwrap_or_default();
    (step.hook_seq, Backlog { count, bytes: i64::try_from(bytes).unwrap_or_default() })
}

/// Due deliveries of a hook that are not taken yet, and whether these are all.
pub(super) fn take_due_of(
    reader: &Reader<'_>,
    hook_seq: HookSeq,
    now: Timestamp,
    taken: &HashSet<DeliverySeq>,
) -> Result<(Vec<DueDelivery>, bool), StoreError> {
    let limit = TAKEN_MAX + taken.len();
    let listed = reader.list_due(hook_seq, now, limit)?;
    let mut is_all = listed.len() < limit / 2;
    let (mut due, mut bytes) = (Vec::new(), 0);
    for delivery_seq in listed.into_iter().filter(|delivery_seq| !taken.contains(delivery_seq)) {
        if TAKEN_MAX <= due.len() + taken.len() || TAKEN_BYTES_MAX <= bytes {
            is_all = false;
            break;
        }
        if let Some(one) = reader.find_due(delivery_seq)? {
            bytes += one.body.len();
            due.push(one);
        }
    }
    Ok((due, is_all))
}
