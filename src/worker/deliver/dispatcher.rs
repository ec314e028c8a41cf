//! Decides which hooks are behind, which deliveries to send, and which ended tries to record.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::DeliverOptions;
use super::active::{Active, BACKLOG_MAX, size_of, take_due_of};
use super::lanes::ALL_LANES_MAX;
use super::render::{Stretch, make_stretch};
use crate::app::{EndedTry, HookStep, MakeDeliveries, MakeLateDeliveries, SettleDeliveries};
use crate::domain::ids::{DeliverySeq, EventSeq, HookSeq};
use crate::sabotage::{self, Fault};
use crate::store::{Backlog, Reader, Store, StoreError, WriteCommand, WriteError};

/// The most ended tries that are recorded in one write.
const SETTLED_MAX: usize = 256;

/// A cursor is written after this many events even if the hook did not want any.
const UNWRITTEN_MAX: i64 = 10_000;

/// How long to wait after the book could not be read or written.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);

/// The longest sleep while deliveries wait: the clock may be set meanwhile.
const SLEEP_MS_MAX: i64 = 60_000;

/// How long a stop waits for tries that have begun.
const STOP_WAIT: Duration = Duration::from_secs(2);

struct Dispatcher {
    store: Store,
    options: DeliverOptions,
    hooks: BTreeMap<HookSeq, Active>,
    ended: UnboundedReceiver<EndedTry>,
    tell_end: UnboundedSender<EndedTry>,
    /// Ended tries that are not recorded yet.
    unsettled: Vec<EndedTry>,
}

/// Why a round ended early.
enum Trouble {
    /// The writer accepts no more commands.
    Off,
    /// The book could not be read or written; a later round may succeed.
    Later(String),
}

/// Works until `stopped` resolves or the writer is off.
pub(super) async fn run(store: Store, options: DeliverOptions, mut stopped: oneshot::Receiver<()>) {
    let (tell_end, ended) = unbounded_channel();
    let hooks = BTreeMap::new();
    let mut dispatcher =
        Dispatcher { store, options, hooks, ended, tell_end, unsettled: Vec::new() };
    dispatcher.store.signal.note_hooks_changed();
    loop {
        let pause = match dispatcher.round().await {
            Ok(true) => Some(Duration::ZERO),
            Ok(false) => dispatcher.until_next_due(),
            Err(Trouble::Off) => return,
            Err(Trouble::Later(why)) => {
                tracing::warn!(error = why, "webhooks wait, because the book could not be used");
                Some(TROUBLE_PAUSE)
            }
        };
        let signal = dispatcher.store.signal.clone();
        tokio::select! {
            _ = &mut stopped => return dispatcher.stop().await,
            () = signal.wait() => {}
            Some(end) = dispatcher.ended.recv() => dispatcher.unsettled.push(end),
            () = sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        }
    }
}

impl Dispatcher {
    /// Does a small portion of all work that can be done now. True if more can be done at once.
    async fn round(&mut self) -> Result<bool, Trouble> {
        if self.store.signal.take_hooks_changed() {
            self.reload().await?;
        }
        self.settle().await?;
        let mut is_more = self.make().await?;
        is_more |= self.take_due().await?;
        self.start_lanes();
        Ok(is_more || !self.unsettled.is_empty())
    }

    /// Reads which hooks are active.
    async fn reload(&mut self) -> Result<(), Trouble> {
        let read = |reader: &Reader<'_>| {
            let hooks = reader.list_active_hooks()?;
            let with_backlog = hooks.into_iter().map(|hook| {
                let backlog = reader.load_backlog(hook.hook_seq, BACKLOG_MAX)?;
                Ok((hook, backlog))
            });
            with_backlog.collect::<Result<Vec<_>, StoreError>>()
        };
        let found =
            self.read(read).await.inspect_err(|_| self.store.signal.note_hooks_changed())?;
        let active: HashSet<HookSeq> = found.iter().map(|(hook, _)| hook.hook_seq).collect();
        self.hooks.retain(|hook_seq, known| {
            let is_active = active.contains(hook_seq);
            if !is_active {
                known.lanes.take_back();
            }
            is_active
        });
        for (hook, backlog) in found {
            let hook = Arc::new(hook);
            let known = self.hooks.entry(hook.hook_seq).or_insert_with(|| Active::of(&hook));
            known.change(hook, backlog);
        }
        self.store.signal.watch(!self.hooks.is_empty());
        Ok(())
    }

    /// Makes deliveries of the next events of hooks that are behind. True if there is more.
    async fn make(&mut self) -> Result<bool, Trouble> {
        let mut behind: BTreeMap<EventSeq, Vec<HookSeq>> = BTreeMap::new();
        for (hook_seq, active) in self.hooks.iter().filter(|(_, active)| active.has_room()) {
            behind.entry(active.seen).or_default().push(*hook_seq);
        }
        let mut is_more = false;
        for (cursor, hook_seqs) in behind {
            let (links, randomness) = (self.options.links.clone(), self.options.randomness.clone());
            let asked = hook_seqs.clone();
            let make = move |reader: &Reader<'_>| {
                make_stretch(reader, &links, &randomness, cursor, &asked)
            };
            let stretch = self.read(make).await?;
            if cursor < stretch.through {
                is_more = true;
                self.write_stretch(&hook_seqs, stretch).await?;
            }
        }
        Ok(is_more)
    }

    async fn write_stretch(
        &mut self,
        hook_seqs: &[HookSeq],
        stretch: Stretch,
    ) -> Result<(), Trouble> {
        let Stretch { through, mut steps } = stretch;
        for hook_seq in hook_seqs {
            let Some(active) = self.hooks.get(hook_seq) else { continue };
            let from = active.hook.through_seq;
            let is_step = steps.iter().any(|step| step.hook_seq == *hook_seq);
            if !is_step && UNWRITTEN_MAX <= through.0 - from.0 {
                let (hook_seq, deliveries) = (*hook_seq, Vec::new());
                steps.push(HookStep { hook_seq, from, to: through, deliveries });
            }
        }
        let sizes: Vec<(HookSeq, Backlog)> = steps.iter().map(size_of).collect();
        if !steps.is_empty() {
            let late = steps.iter().flat_map(|step| step.deliveries.clone());
            let late = sabotage::is_on(Fault::MoveCursorFirst).then(|| late.collect());
            let moved = self.write(MakeDeliveries { steps }).await?;
            if let Some(deliveries) = late {
                self.write(MakeLateDeliveries { deliveries }).await?;
            }
            for (hook_seq, made) in sizes {
                match self.hooks.get_mut(&hook_seq) {
                    Some(active) if moved.contains(&hook_seq) => active.note_made(through, made),
                    // The hook was changed meanwhile, so it is read again before its next step.
                    _ => self.store.signal.note_hooks_changed(),
                }
            }
        }
        for hook_seq in hook_seqs {
            if let Some(active) = self.hooks.get_mut(hook_seq) {
                active.seen = active.seen.max(through);
            }
        }
        Ok(())
    }

    /// Queues deliveries that are due. True if there is more.
    async fn take_due(&mut self) -> Result<bool, Trouble> {
        let now = self.options.clock.now();
        let looked_at = self.hooks.iter().filter(|(_, active)| active.may_take(now));
        let asked: Vec<(HookSeq, HashSet<DeliverySeq>)> = looked_at
            .map(|(hook_seq, active)| (*hook_seq, active.taken.keys().copied().collect()))
            .collect();
        if asked.is_empty() {
            return Ok(false);
        }
        let found = self
            .read(move |reader| {
                let taken = asked.into_iter().map(|(hook_seq, taken)| {
                    let (due, is_all) = take_due_of(reader, hook_seq, now, &taken)?;
                    Ok((hook_seq, due, is_all, reader.find_next_due(hook_seq)?))
                });
                taken.collect::<Result<Vec<_>, StoreError>>()
            })
            .await?;
        let mut is_more = false;
        for (hook_seq, due, is_all, next_due) in found {
            let Some(active) = self.hooks.get_mut(&hook_seq) else { continue };
            is_more |= !is_all && !due.is_empty();
            let had_room = active.has_room();
            active.take(due, is_all, next_due);
            is_more |= !had_room && active.has_room();
        }
        Ok(is_more)
    }

    fn start_lanes(&self) {
        let running: usize = self.hooks.values().map(|active| active.lanes.running()).sum();
        let mut room = ALL_LANES_MAX.saturating_sub(running);
        for active in self.hooks.values() {
            let before = active.lanes.running();
            active.lanes.start(&self.options, &self.tell_end, room);
            room -= active.lanes.running().saturating_sub(before).min(room);
        }
    }

    /// Records how tries ended.
    async fn settle(&mut self) -> Result<(), Trouble> {
        while self.unsettled.len() < SETTLED_MAX
            && let Ok(end) = self.ended.try_recv()
        {
            self.unsettled.push(end);
        }
        if self.unsettled.is_empty() {
            return Ok(());
        }
        let tries = self.unsettled.clone();
        let paused = self.write(SettleDeliveries { tries }).await?;
        if !paused.is_empty() {
            self.store.signal.note_hooks_changed();
            for hook_seq in &paused {
                tracing::warn!(hook.seq = hook_seq.0, "a webhook was paused");
            }
        }
        for end in std::mem::take(&mut self.unsettled) {
            if let Some(active) = self.hooks.get_mut(&end.hook_seq) {
                active.note_settled(&end);
            }
        }
        Ok(())
    }

    /// How long until the next try is due.
    fn until_next_due(&self) -> Option<Duration> {
        let next = self.hooks.values().filter_map(|active| active.next_due).min()?;
        let ms = next.0.saturating_sub(self.options.clock.now().0).clamp(1, SLEEP_MS_MAX);
        Some(Duration::from_millis(u64::try_from(ms).unwrap_or_default()))
    }

    /// Waits for tries that have begun, and records how they ended.
    async fn stop(&mut self) {
        for active in self.hooks.values() {
            active.lanes.take_back();
        }
        let ends = async {
            while self.hooks.values().any(|active| 0 < active.lanes.running()) {
                match self.ended.recv().await {
                    Some(end) => self.unsettled.push(end),
                    None => return,
                }
                // A lane ends right after it has sent the end of its last try.
                tokio::task::yield_now().await;
            }
        };
        // Tries that take longer are repeated after the next start, under the same id.
        drop(timeout(STOP_WAIT, ends).await);
        if self.settle().await.is_err() {
            tracing::warn!("the last tries of webhooks were not recorded and will be repeated");
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Trouble> {
        self.store.read(read).await.map_err(|error| Trouble::Later(error.to_string()))
    }

    async fn write<C>(&self, command: C) -> Result<C::Done, Trouble>
    where
        C: WriteCommand<Refused = std::convert::Infallible>,
    {
        self.store.writer.write(command).await.map_err(|error| match error {
            WriteError::WritesOff => Trouble::Off,
            WriteError::Refused(never) => match never {},
            other => Trouble::Later(other.to_string()),
        })
    }
}
