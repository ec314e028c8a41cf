//! Changing an existing order when a draft made for it is completed.

use super::choose_payout_rules::{PayoutRulesUnknown, choose_payout_rules, pay_out_lines};
use super::documents::{ParsedOrder, parse_items, parse_kept};
use super::findable::index_order;
use super::{OnBehalfOf, WrittenOrder};
use crate::domain::amendment::{
    AmendmentRejected, DraftLines, decide_addition, decide_replacement,
};
use crate::domain::ids::OrderName;
use crate::domain::item::Item;
use crate::domain::ledger::Ledger;
use crate::domain::order_size::{TooLarge, bytes_of};
use crate::store::{DraftRecord, Failed, LedgerRecord, NewApiEvent, OrderFields, StoreError, Tx};

/// Why the order was not changed.
pub(super) enum AmendOrderRefused {
    OrderUnknown,
    Rejected(AmendmentRejected),
    PayoutRulesUnknown(PayoutRulesUnknown),
    TimeToLivePassed,
    TooLarge(TooLarge),
}

/// Adds a draft's items to an order, or replaces the order with the draft.
/// Refuses before its first write.
pub(super) fn amend(
    tx: &Tx<'_>,
    on_behalf_of: &OnBehalfOf,
    event: &NewApiEvent,
    draft: &DraftRecord,
    (order, items): (&OrderName, &[Item]),
) -> Result<WrittenOrder, Failed<AmendOrderRefused>> {
    let account_id = &on_behalf_of.account_id;
    let record = tx
        .find_ledger(account_id, order)?
        .ok_or(Failed::Refused(AmendOrderRefused::OrderUnknown))?;
    let before = tx.load_order_fields(record.order_seq)?;
    let replaces = draft.draft.options.replaces;
    let mut items = items.to_vec();
    // Added lines belong to the order's store, if they have no other.
    let store = if replaces { None } else { store_of(&before) };
    choose_payout_rules(tx, account_id, &draft.draft, &mut items, store.as_deref())
        .map_err(|failed| failed.map(AmendOrderRefused::PayoutRulesUnknown))?;
    let items = &items[..];
    let has_operations = replaces && tx.has_operations(&record)?;
    let mut after = decide((&record, has_operations), &before, draft, items)
        .map_err(|why| Failed::Refused(AmendOrderRefused::Rejected(why)))?;
    pay_out_lines(&mut after, items);
    let time_to_live = draft.draft.options.time_to_live.filter(|_| replaces);
    if let Some(sent) = time_to_live
        && tx.has_order_lived(record.order_seq, sent)?
    {
        return Err(Failed::Refused(AmendOrderRefused::TimeToLivePassed));
    }
    let added = event.bytes() + bytes_added(&before, draft, items);
    let grown = tx.load_order_size(&record)?.grow(added);
    let bytes = grown.map_err(|why| Failed::Refused(AmendOrderRefused::TooLarge(why)))?;

    // Nothing is refused from here on.
    if replaces {
        replace(tx, &record, draft, items)?;
        tx.set_order_time_to_live(&record, time_to_live)?;
    } else {
        tx.insert_order_items(record.order_seq, before.items.len(), items)?;
    }
    let draft_seq = Some(draft.draft_seq);
    let head = tx.append_api_event(&record, &on_behalf_of.created_by, draft_seq, event)?;
    tx.remember_order_bytes(&record, &head, bytes)?;
    tx.update_amended_ledger(&record, &after, head)?;
    let changed = tx.load_order_fields(record.order_seq)?;
    let document = parse_kept(&changed.document);
    let item_documents = parse_items(&changed.items);
    let items = changed.items.iter().zip(&item_documents).collect();
    let parsed = ParsedOrder { document: &document, items };
    index_order(tx, account_id, record.order_seq, &record.order_id, &parsed)?;
    Ok(WrittenOrder { order_seq: record.order_seq, order_id: record.order_id })
}

/// The id of the order's own store.
fn store_of(order: &OrderFields) -> Option<String> {
    let document = parse_kept(&order.document);
    document.member("store")?.member("id")?.as_text().map(str::to_owned)
}

fn decide(
    (record, has_operations): (&LedgerRecord, bool),
    before: &OrderFields,
    draft: &DraftRecord,
    items: &[Item],
) -> Result<Ledger, AmendmentRejected> {
    let draft_lines = DraftLines {
        same_currency: draft.draft.currency == record.currency,
        lines: items.iter().map(|item| (item.line_id, &item.price)).collect(),
    };
    let options = &draft.draft.options;
    if options.replaces {
        let several = options.multiple_authorizations;
        decide_replacement(&record.ledger, has_operations, several, &draft_lines)
    } else {
        let prices = before.items.iter().map(|item| &item.price);
        decide_addition(&record.ledger, prices, &draft_lines)
    }
}

/// How many bytes longer the order's documents become; negative if they become shorter.
fn bytes_added(before: &OrderFields, draft: &DraftRecord, items: &[Item]) -> i64 {
    let rule = |item: &Item| item.payout_rule.as_ref().map_or(0, |it| bytes_of(&it.document.0));
    let bytes = |item: &Item| bytes_of(&item.document.0) + rule(item);
    let sum = |items: &[Item]| items.iter().map(bytes).sum::<i64>();
    if !draft.draft.options.replaces {
        return sum(items);
    }
    let after = bytes_of(&draft.draft.document.0) + bytes_of(&draft.draft.options_document.0);
    let removed = bytes_of(&before.document.0) + bytes_of(&before.options_document.0);
    after + sum(items) - removed - sum(&before.items)
}

/// Replaces the order's items, fields and options with the draft's.
fn replace(
    tx: &Tx<'_>,
    record: &LedgerRecord,
    draft: &DraftRecord,
    items: &[Item],
) -> Result<(), StoreError> {
    let (document, options) = (&draft.draft.document, &draft.draft.options_document);
    tx.update_order_documents(record.order_seq, document, options)?;
    tx.delete_order_items(record.order_seq)?;
    tx.insert_order_items(record.order_seq, 0, items)
}
