//! Makes the deliveries of a stretch of the journal, from one snapshot of the book.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::app::HookStep;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::hook::HookEvent;
use crate::domain::ids::{AccountId, DraftSeq, EventSeq, HookSeq, OrderName, OrderSeq};
use crate::randomness::Randomness;
use crate::store::{
    Bodies, EventBody, EventRecord, HookRecord, JournalChange, JournalEntry, JournalRow,
    NewDelivery, OrderRecord, Reader, StoreError,
};
use crate::wire::event_view::EventOrder;
use crate::wire::hook_body::{self, Envelope, Objects};
use crate::wire::links::Links;

/// The most events of one stretch.
const STRETCH_MAX: usize = 128;

/// A stretch ends once its bodies have this many bytes.
const STRETCH_BYTES_MAX: usize = 4 << 20;

/// The orders of a stretch are read together if clients have sent at most so many bytes for them;
/// otherwise one after the other, when they are needed.
const TOGETHER_BYTES_MAX: usize = 1 << 20;

/// The deliveries of the events after a cursor.
pub(super) struct Stretch {
    /// The last event of the stretch; the cursor if the stretch is empty.
    pub through: EventSeq,
    /// The steps of the hooks that get deliveries.
    pub steps: Vec<HookStep>,
}

/// Orders that hooks want to know, by their accounts.
type Wanted<'e> = BTreeMap<&'e AccountId, BTreeSet<OrderSeq>>;

/// An order as it is shown in the bodies of a stretch.
struct RenderedOrder {
    order_id: OrderName,
    currency: Currency,
    text: String,
}

/// Renders each order and draft of a stretch once.
struct Renderer<'r, 'c> {
    reader: &'r Reader<'c>,
    links: &'r Links,
    orders: HashMap<OrderSeq, RenderedOrder>,
    /// Operations of these orders, by their events.
    operations: BTreeMap<EventSeq, EventRecord>,
}

/// Makes the deliveries of the first events after `cursor`, for hooks that are there.
pub(super) fn make_stretch(
    reader: &Reader<'_>,
    links: &Links,
    randomness: &Randomness,
    cursor: EventSeq,
    hook_seqs: &[HookSeq],
) -> Result<Stretch, StoreError> {
    let entries = reader.list_journal(cursor, STRETCH_MAX)?;
    let mut stretch = Stretch { through: cursor, steps: Vec::new() };
    if entries.is_empty() {
        return Ok(stretch);
    }
    // The settings are read in the same snapshot as the events, so that a change of a hook applies
    // to everything that happened after it.
    let hooks: Result<Vec<HookRecord>, StoreError> =
        hook_seqs.iter().map(|hook_seq| reader.load_hook(*hook_seq)).collect();
    let hooks = hooks?;
    let mut renderer = Renderer::of(reader, links);
    renderer.read_together(&wanted_orders(&entries, &hooks))?;
    let mut bytes = 0;
    for (at, entry) in entries.iter().enumerate() {
        bytes += add_entry(&mut stretch.steps, &mut renderer, randomness, &hooks, entry)?;
        stretch.through = entry.row.seq();
        let is_last_of_seq =
            entries.get(at + 1).is_none_or(|next| next.row.seq() != stretch.through);
        if STRETCH_BYTES_MAX <= bytes && is_last_of_seq {
            break;
        }
    }
    for step in &mut stretch.steps {
        step.to = stretch.through;
    }
    Ok(stretch)
}

/// Adds the deliveries of one event to the steps of the hooks that want it. Returns their bytes.
fn add_entry(
    steps: &mut Vec<HookStep>,
    renderer: &mut Renderer<'_, '_>,
    randomness: &Randomness,
    hooks: &[HookRecord],
    entry: &JournalEntry,
) -> Result<usize, StoreError> {
    let mut bytes = 0;
    for event in entry.change.hook_events() {
        let wanting: Vec<&HookRecord> =
            hooks.iter().filter(|hook| wants(hook, entry, *event)).collect();
        if wanting.is_empty() {
            continue;
        }
        let objects = renderer.objects(entry, *event)?;
        for hook in wanting {
            let id = randomness.uuid();
            let envelope = Envelope {
                account_id: &entry.account_id,
                event: *event,
                event_delivery: &id,
                seq: entry.row.seq(),
            };
            let body = hook_body::render(envelope, &objects, &hook.settings);
            bytes += body.len();
            let delivery = NewDelivery {
                hook_seq: hook.hook_seq,
                id,
                event: event.as_str(),
                about: Some(entry.row),
                body,
            };
            step_of(steps, hook).deliveries.push(delivery);
        }
    }
    Ok(bytes)
}

fn wants(hook: &HookRecord, entry: &JournalEntry, event: HookEvent) -> bool {
    hook.account_id == entry.account_id && hook.settings.events.has(event)
}

/// The orders of the operations that hooks want to know.
fn wanted_orders<'e>(entries: &'e [JournalEntry], hooks: &[HookRecord]) -> Wanted<'e> {
    let mut wanted = Wanted::new();
    for entry in entries {
        let JournalChange::Operation(order_seq) = entry.change else { continue };
        let mut events = entry.change.hook_events().iter();
        if events.any(|event| hooks.iter().any(|hook| wants(hook, entry, *event))) {
            wanted.entry(&entry.account_id).or_default().insert(order_seq);
        }
    }
    wanted
}

fn step_of<'s>(steps: &'s mut Vec<HookStep>, hook: &HookRecord) -> &'s mut HookStep {
    let at = steps.iter().position(|step| step.hook_seq == hook.hook_seq).unwrap_or_else(|| {
        let (from, to) = (hook.through_seq, hook.through_seq);
        steps.push(HookStep { hook_seq: hook.hook_seq, from, to, deliveries: Vec::new() });
        steps.len() - 1
    });
    &mut steps[at]
}

impl<'r, 'c> Renderer<'r, 'c> {
    fn of(reader: &'r Reader<'c>, links: &'r Links) -> Renderer<'r, 'c> {
        Renderer { reader, links, orders: HashMap::new(), operations: BTreeMap::new() }
    }

    /// Reads and renders several orders with a few statements, which is faster than one by one.
    fn read_together(&mut self, wanted: &Wanted<'_>) -> Result<(), StoreError> {
        for (account_id, order_seqs) in wanted {
            let mut there = Vec::with_capacity(order_seqs.len());
            for order_seq in order_seqs {
                if self.reader.find_order_end(*order_seq)?.is_none() {
                    there.push(*order_seq);
                }
            }
            let orders = self.reader.load_orders_within(
                account_id,
                &there,
                Bodies::LeaveOut,
                TOGETHER_BYTES_MAX,
            )?;
            // These orders exist, so none is missing among those that were read.
            for (order_seq, order) in there.into_iter().zip(orders.unwrap_or_default()) {
                self.keep(order_seq, order);
            }
        }
        Ok(())
    }

    fn keep(&mut self, order_seq: OrderSeq, order: OrderRecord) {
        let text = hook_body::order_object(self.links, &order);
        let operations =
            order.events.into_iter().filter(|event| matches!(event.body, EventBody::Operation(_)));
        self.operations.extend(operations.map(|event| (event.seq, event)));
        let (order_id, currency) = (order.order_id, order.currency);
        self.orders.insert(order_seq, RenderedOrder { order_id, currency, text });
    }

    fn objects(&mut self, entry: &JournalEntry, event: HookEvent) -> Result<Objects, StoreError> {
        let account_id = &entry.account_id;
        match entry.change {
            JournalChange::Operation(order_seq)
            | JournalChange::ServiceEvent(order_seq)
            | JournalChange::OrderCreated(order_seq)
            | JournalChange::OrderChanged(order_seq)
            | JournalChange::OrderRemoved(order_seq) => {
                self.order_objects(account_id, order_seq, entry.row, event)
            }
            JournalChange::DraftCreated(draft_seq)
            | JournalChange::DraftChanged(draft_seq)
            | JournalChange::DraftCompleted(draft_seq) => {
                self.draft_objects(account_id, draft_seq, event)
            }
        }
    }

    fn order_objects(
        &mut self,
        account_id: &AccountId,
        order_seq: OrderSeq,
        row: JournalRow,
        event: HookEvent,
    ) -> Result<Objects, StoreError> {
        let (reader, links) = (self.reader, self.links);
        let operation = self.operations.remove(&row.seq());
        let order = self.order(account_id, order_seq)?;
        let mut objects = Objects::new();
        if event == HookEvent::OrderEventAdd {
            let (order_id, currency) = (&order.order_id, &order.currency);
            let event = operation.map_or_else(|| reader.load_event(row.seq()), Ok)?;
            let order = EventOrder { account_id, order_id, currency };
            objects.push(("order_event", hook_body::event_object(links, order, &event)));
        }
        objects.push(("order", order.text.clone()));
        Ok(objects)
    }

    fn draft_objects(
        &mut self,
        account_id: &AccountId,
        draft_seq: DraftSeq,
        event: HookEvent,
    ) -> Result<Objects, StoreError> {
        let draft = self.reader.load_draft(account_id, draft_seq)?;
        let draft_text = match self.reader.find_draft_end(draft_seq)? {
            Some(ended_at) => hook_body::removed_object(&[("id", &draft.id)], ended_at),
            None => hook_body::draft_object(self.links, &draft),
        };
        let mut objects = vec![("draft_order", draft_text)];
        if event == HookEvent::DraftComplete {
            let mut orders = Vec::new();
            for order_seq in self.reader.list_orders_of_draft(draft_seq)? {
                orders.push(self.order(account_id, order_seq)?.text.clone());
            }
            objects.push(("orders", hook_body::list_object(&orders)));
        }
        Ok(objects)
    }

    fn order(
        &mut self,
        account_id: &AccountId,
        order_seq: OrderSeq,
    ) -> Result<&RenderedOrder, StoreError> {
        if !self.orders.contains_key(&order_seq) {
            let rendered = match self.reader.find_order_end(order_seq)? {
                Some(ended_at) => self.removed_order(order_seq, ended_at)?,
                None => {
                    let order = self.reader.load_order(account_id, order_seq, Bodies::LeaveOut)?;
                    let text = hook_body::order_object(self.links, &order);
                    RenderedOrder { order_id: order.order_id, currency: order.currency, text }
                }
            };
            self.orders.insert(order_seq, rendered);
        }
        Ok(&self.orders[&order_seq])
    }

    /// An order that has expired, of which only the ids are told.
    fn removed_order(
        &self,
        order_seq: OrderSeq,
        ended_at: Timestamp,
    ) -> Result<RenderedOrder, StoreError> {
        let (id, order_id) = self.reader.load_order_ids(order_seq)?;
        let ids = [("id", id.as_str()), ("order_id", order_id.as_str())];
        let text = hook_body::removed_object(&ids, ended_at);
        let currency = self.reader.load_stored_ledger(order_seq)?.currency;
        Ok(RenderedOrder { order_id, currency, text })
    }
}
