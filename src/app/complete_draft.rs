//! Completing a draft: it becomes one order, one order per store, or a change to an existing order.

use super::amend_order::{AmendOrderRefused, amend};
use super::choose_payout_rules::{PayoutRulesUnknown, choose_payout_rules, pay_out_lines};
use super::documents::{ParsedOrder, parse_items, parse_kept};
use super::draft_names::{free_generated_name, parse_name};
use super::findable::{index_order, items_of_stores};
use super::{OnBehalfOf, WrittenOrder};
use crate::domain::KeptJson;
use crate::domain::amendment::AmendmentRejected;
use crate::domain::draft::{
    Completion, CompletionRejected, DraftStatus, GenerateOrderId, decide_completion,
};
use crate::domain::ids::{AccountId, DraftSeq, OrderName};
use crate::domain::item::Item;
use crate::domain::ledger::Ledger;
use crate::domain::line::Line;
use crate::domain::order::OrderStatus;
use crate::domain::order_size::TooLarge;
use crate::json::Tree;
use crate::store::{DraftRecord, Failed, NewApiEvent, NewOrder, StoreError, Tx, WriteCommand};

/// Makes the draft's orders, or changes the order it was made for, and marks the draft completed.
#[derive(Debug, Clone)]
pub struct CompleteDraft {
    pub on_behalf_of: OnBehalfOf,
    pub draft_id: String,
    /// The request, as it is shown in the histories of the draft and its orders.
    pub event: NewApiEvent,
}

/// A completed draft, with the orders that it made or the one that it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedDraft {
    pub draft_seq: DraftSeq,
    pub orders: Vec<WrittenOrder>,
}

/// Why the draft was not completed.
#[derive(Debug)]
pub enum CompleteDraftRefused {
    DraftNotFound,
    Rejected(CompletionRejected),
    /// The custom order id belongs to another order or draft.
    OrderIdTaken(OrderName),
    /// No order has the name that `options.order_id` gives.
    OrderUnknown,
    Amendment(AmendmentRejected),
    /// The items at these positions have a `manual_payout` that names no rule.
    PayoutRulesUnknown(Vec<usize>),
    /// With the draft's `order_time_to_live`, the order that it replaces would have expired before
    /// now.
    TimeToLivePassed,
    /// The order that the draft changes would become too large.
    TooLarge(TooLarge),
}

impl WriteCommand for CompleteDraft {
    const NAME: &'static str = "complete_draft";
    type Done = CompletedDraft;
    type Refused = CompleteDraftRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<CompletedDraft, Failed<CompleteDraftRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_draft(account_id, &self.draft_id)?;
        let draft = found.ok_or(Failed::Refused(CompleteDraftRefused::DraftNotFound))?;
        let items = items_of_stores(&draft.draft);
        let stores = items.iter().map(|item| item.store_id.as_deref());
        let completion = decide_completion(draft.status, &draft.draft.options, stores)
            .map_err(|why| Failed::Refused(CompleteDraftRefused::Rejected(why)))?;
        let orders = match completion {
            Completion::MakeOrders(groups) => {
                let mut items = items;
                choose_payout_rules(tx, account_id, &draft.draft, &mut items, None)
                    .map_err(|failed| failed.map(Into::into))?;
                self.make_orders(tx, &draft, &items, &groups)?
            }
            Completion::AddTo(order) | Completion::Replace(order) => {
                let amended = amend(tx, &self.on_behalf_of, &self.event, &draft, (&order, &items));
                vec![amended.map_err(|failed| failed.map(Into::into))?]
            }
        };
        for order in &orders {
            tx.insert_draft_order(draft.draft_seq, order.order_seq)?;
        }
        tx.update_draft_status(draft.draft_seq, DraftStatus::Completed)?;
        tx.append_draft_event(draft.draft_seq, draft.version + 1, created_by, &self.event)?;
        Ok(CompletedDraft { draft_seq: draft.draft_seq, orders })
    }
}

impl CompleteDraft {
    /// Makes one order from each group of items and returns the orders. A group lists
    /// positions in `items`.
    fn make_orders(
        &self,
        tx: &Tx<'_>,
        draft: &DraftRecord,
        items: &[Item],
        groups: &[Vec<usize>],
    ) -> Result<Vec<WrittenOrder>, Failed<CompleteDraftRefused>> {
        let account_id = &self.on_behalf_of.account_id;
        let custom_id = draft.draft.order_name.as_ref();
        if let Some(name) = custom_id
            && !tx.is_name_free_for(account_id, name, draft.draft_seq)?
        {
            return Err(Failed::Refused(CompleteDraftRefused::OrderIdTaken(name.clone())));
        }

        // Nothing is refused from here on.
        let is_split = 1 < groups.len();
        let document = parse_kept(&draft.draft.document);
        let item_documents = parse_items(items);
        let mut made = Vec::with_capacity(groups.len());
        for (nth, positions) in groups.iter().enumerate() {
            let id = parse_name(&tx.randomness().uuid())?;
            let order_id = match custom_id {
                Some(name) if nth == 0 => name.clone(),
                _ => self.drawn_name(tx, draft, &id)?,
            };
            let of_group: Vec<Item> = positions.iter().map(|at| items[*at].clone()).collect();
            let parsed: Vec<&Tree> = positions.iter().map(|at| &item_documents[*at]).collect();
            let split = if is_split { of_store(&document, &parsed) } else { None };
            let order = self.new_order(draft, (id, order_id), of_group, split.as_ref());
            let parsed = ParsedOrder {
                document: split.as_ref().unwrap_or(&document),
                items: order.items.iter().zip(parsed).collect(),
            };
            made.push(self.make_order(tx, draft, &order, &parsed)?);
        }
        Ok(made)
    }

    /// The order id of an order without a custom one: generated if the options ask for that, else
    /// the order's own id.
    fn drawn_name(
        &self,
        tx: &Tx<'_>,
        draft: &DraftRecord,
        id: &OrderName,
    ) -> Result<OrderName, StoreError> {
        match draft.draft.options.generate_order_id {
            GenerateOrderId::Uuid => Ok(id.clone()),
            GenerateOrderId::Alphanumeric9 | GenerateOrderId::Alphanumeric9Reserve => {
                free_generated_name(tx, &self.on_behalf_of.account_id)
            }
        }
    }

    fn make_order(
        &self,
        tx: &Tx<'_>,
        draft: &DraftRecord,
        order: &NewOrder,
        parsed: &ParsedOrder<'_>,
    ) -> Result<WrittenOrder, StoreError> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let order_seq = tx.insert_order(order)?;
        index_order(tx, account_id, order_seq, &order.order_id, parsed)?;
        let fresh = tx.find_ledger(account_id, &order.id)?;
        let fresh = fresh.ok_or_else(|| StoreError::inconsistent("a new order cannot be found"))?;
        let head = tx.append_api_event(&fresh, created_by, Some(draft.draft_seq), &self.event)?;
        tx.update_ledger(&fresh, &fresh.ledger, head)?;
        if let Some(time_to_live) = draft.draft.options.time_to_live {
            tx.set_order_time_to_live(&fresh, Some(time_to_live))?;
        }
        Ok(WrittenOrder { order_seq, order_id: order.order_id.clone() })
    }

    fn new_order(
        &self,
        draft: &DraftRecord,
        (id, order_id): (OrderName, OrderName),
        items: Vec<Item>,
        store_document: Option<&Tree>,
    ) -> NewOrder {
        let asked = &draft.draft;
        let mut lines: Vec<Line> =
            items.iter().map(|item| Line::fresh(item.line_id, item.price.payable())).collect();
        lines.sort_by_key(Line::line_id);
        let mut ledger = Ledger {
            status: OrderStatus::Open,
            multiple_authorizations: asked.options.multiple_authorizations,
            authorizations: Vec::new(),
            lines,
        };
        pay_out_lines(&mut ledger, &items);
        NewOrder {
            account_id: self.on_behalf_of.account_id.clone(),
            id,
            order_id,
            draft_seq: draft.draft_seq,
            currency: asked.currency.clone(),
            created_by: self.on_behalf_of.created_by.clone(),
            document: store_document
                .map_or_else(|| asked.document.clone(), |tree| KeptJson(tree.to_string())),
            items,
            ledger,
            options_document: asked.options_document.clone(),
        }
    }
}

/// The order document with the items' store in place of the draft's; `None` if the items name no
/// store.
fn of_store(document: &Tree, items: &[&Tree]) -> Option<Tree> {
    let store = items.iter().find_map(|item| item.member("store"));
    store.map(|store| document.clone().with("store", store.clone()))
}

impl From<AmendOrderRefused> for CompleteDraftRefused {
    fn from(refused: AmendOrderRefused) -> Self {
        match refused {
            AmendOrderRefused::OrderUnknown => Self::OrderUnknown,
            AmendOrderRefused::Rejected(rejected) => Self::Amendment(rejected),
            AmendOrderRefused::PayoutRulesUnknown(unknown) => unknown.into(),
            AmendOrderRefused::TimeToLivePassed => Self::TimeToLivePassed,
            AmendOrderRefused::TooLarge(why) => Self::TooLarge(why),
        }
    }
}

impl From<PayoutRulesUnknown> for CompleteDraftRefused {
    fn from(PayoutRulesUnknown(items): PayoutRulesUnknown) -> Self {
        Self::PayoutRulesUnknown(items)
    }
}
