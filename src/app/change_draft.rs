//! Changing a draft or deleting it.

use super::create_draft::{NumberRefused, number_on};
use super::documents::{ParsedDraft, ParsedItem, parse_kept};
use super::draft_names::{NameRefused, choose_name, hold_name};
use super::draft_options::{acting_options, merged_options};
use super::findable::index_draft;
use super::{OnBehalfOf, WrittenDraft};
use crate::domain::KeptJson;
use crate::domain::draft::{DraftClosed, DraftStatus, expect_open};
use crate::domain::ids::{AccountId, LineId, OrderName};
use crate::domain::item::{ITEMS_MAX, Item, Totals};
use crate::domain::order_size::{Size, TooLarge, bytes_of};
use crate::json::Tree;
use crate::store::{DraftRecord, Failed, NewApiEvent, NewDraft, StoreError, Tx, WriteCommand};

/// Changes an open draft.
#[derive(Debug, Clone)]
pub struct ChangeDraft {
    pub on_behalf_of: OnBehalfOf,
    pub draft_id: String,
    pub change: DraftChange,
    /// The request, as it is shown in the draft's history.
    pub event: NewApiEvent,
}

#[derive(Debug, Clone)]
pub enum DraftChange {
    Update(Box<DraftUpdate>),
    Delete,
    /// Adds an item. `is_numbered` is false if it was sent without a line id.
    AddItem {
        item: ParsedItem,
        is_numbered: bool,
    },
    /// Replaces the item with the same line id.
    ReplaceItem(ParsedItem),
    RemoveItem(LineId),
}

/// The new values of a draft's parts. Absent parts stay as they are.
#[derive(Debug, Clone)]
pub struct DraftUpdate {
    /// The order's fields and items. Its `options` are ignored; those below count.
    pub order: Option<ParsedDraft>,
    pub options: Option<Tree>,
    pub store: Option<Tree>,
}

/// Why the draft was not changed.
#[derive(Debug)]
pub enum ChangeDraftRefused {
    DraftNotFound,
    LineNotFound,
    /// The draft would be invalid after the change.
    Problem(DraftProblem),
    Closed(DraftClosed),
    LineInUse(LineId),
    OrderIdTaken(OrderName),
    TooLarge(TooLarge),
}

/// Why a draft would be invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftProblem {
    /// No order has the name that `options.order_id` gives.
    OrderUnknown,
    /// A split draft may become several orders, and only one could have the custom order id.
    CustomIdOfSplitDraft,
    NoLineIdLeft,
    TooManyItems,
    TotalOutOfRange,
    /// With this `order_time_to_live` the draft would have expired before now.
    TimeToLivePassed,
}

impl WriteCommand for ChangeDraft {
    const NAME: &'static str = "change_draft";
    type Done = WrittenDraft;
    type Refused = ChangeDraftRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<WrittenDraft, Failed<ChangeDraftRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_draft(account_id, &self.draft_id)?;
        let before = found.ok_or(Failed::Refused(ChangeDraftRefused::DraftNotFound))?;
        let version = before.version + 1;
        expect_open(before.status)
            .map_err(|why| Failed::Refused(ChangeDraftRefused::Closed(why)))?;
        let kept = self.kept_name(tx, &before)?;
        let mut parsed = self.changed(&before, kept.as_ref()).map_err(Failed::Refused)?;
        let after = &mut parsed.draft;
        number_on(tx, account_id, after).map_err(|failed| failed.map(Into::into))?;
        expect_sound(after, kept.as_ref())
            .map_err(|problem| Failed::Refused(ChangeDraftRefused::Problem(problem)))?;
        expect_life(tx, &before, after)
            .map_err(|problem| Failed::Refused(ChangeDraftRefused::Problem(problem)))?;
        let name = choose_name(tx, account_id, after, kept.as_ref());
        let name = name.map_err(|failed| failed.map(Into::into))?;
        self.expect_room(&before, after)
            .map_err(|why| Failed::Refused(ChangeDraftRefused::TooLarge(why)))?;

        // Nothing is refused from here on.
        after.order_name = name.name().cloned();
        give_versions(&mut after.items, &before.draft.items, version);
        tx.update_draft(before.draft_seq, after)?;
        hold_name(tx, account_id, before.draft_seq, &name, kept.as_ref())?;
        if matches!(self.change, DraftChange::Delete) {
            tx.update_draft_status(before.draft_seq, DraftStatus::Deleted)?;
            if let Some(kept) = &kept {
                tx.release_name(account_id, kept, before.draft_seq)?;
            }
        }
        tx.append_draft_event(before.draft_seq, version, created_by, &self.event)?;
        index_draft(tx, account_id, before.draft_seq, &parsed)?;
        Ok(WrittenDraft { draft_seq: before.draft_seq, id: before.id })
    }
}

impl ChangeDraft {
    /// Refuses a change that would make the draft too large (docs/contract.md, Decision 3).
    fn expect_room(&self, before: &DraftRecord, after: &NewDraft) -> Result<(), TooLarge> {
        let bytes = bytes_of_draft(&before.draft);
        let size = Size { events: before.version, bytes };
        let added = bytes_of_draft(after) - bytes;
        match self.change {
            DraftChange::Delete => size.grow_beyond_events(added)?,
            DraftChange::Update(_)
            | DraftChange::AddItem { .. }
            | DraftChange::ReplaceItem(_)
            | DraftChange::RemoveItem(_) => size.grow(added)?,
        };
        Ok(())
    }

    /// The order id that is reserved for the draft, if there is one.
    fn kept_name(
        &self,
        tx: &Tx<'_>,
        before: &DraftRecord,
    ) -> Result<Option<OrderName>, StoreError> {
        let account_id = &self.on_behalf_of.account_id;
        let Some(name) = &before.draft.order_name else { return Ok(None) };
        let kept = tx.is_name_taken(account_id, name)?
            && tx.is_name_free_for(account_id, name, before.draft_seq)?;
        Ok(kept.then(|| name.clone()))
    }

    /// The draft after the change.
    fn changed(
        &self,
        before: &DraftRecord,
        kept: Option<&OrderName>,
    ) -> Result<ParsedDraft, ChangeDraftRefused> {
        if let DraftChange::Update(update) = &self.change {
            return Ok(updated(before, update, kept));
        }
        let mut parsed = ParsedDraft::of_stored(&before.draft);
        let ParsedDraft { draft: after, item_documents, .. } = &mut parsed;
        let at = |line_id: LineId| after.items.iter().position(|item| item.line_id == line_id);
        match &self.change {
            DraftChange::Update(_) | DraftChange::Delete => {}
            DraftChange::AddItem { item: sent, is_numbered: true } => {
                let ParsedItem { item, document } = sent;
                if at(item.line_id).is_some() {
                    return Err(ChangeDraftRefused::LineInUse(item.line_id));
                }
                after.items.push(item.clone());
                item_documents.push(document.clone());
            }
            DraftChange::AddItem { item: sent, is_numbered: false } => {
                after.unnumbered.push(after.items.len());
                after.items.push(sent.item.clone());
                item_documents.push(sent.document.clone());
            }
            DraftChange::ReplaceItem(sent) => {
                let at = at(sent.item.line_id).ok_or(ChangeDraftRefused::LineNotFound)?;
                after.items[at] = sent.item.clone();
                item_documents[at] = sent.document.clone();
            }
            DraftChange::RemoveItem(line_id) => {
                let at = at(*line_id).ok_or(ChangeDraftRefused::LineNotFound)?;
                after.items.remove(at);
                item_documents.remove(at);
            }
        }
        Ok(parsed)
    }
}

/// The bytes of a draft's documents and items.
fn bytes_of_draft(draft: &NewDraft) -> i64 {
    let store = draft.store_document.as_ref().map_or(0, |store| bytes_of(&store.0));
    let items = draft.items.iter().map(|item| bytes_of(&item.document.0)).sum::<i64>();
    bytes_of(&draft.document.0) + bytes_of(&draft.options_document.0) + store + items
}

/// The draft with the update's values in place of its own.
fn updated(before: &DraftRecord, update: &DraftUpdate, kept: Option<&OrderName>) -> ParsedDraft {
    let asked = &before.draft;
    let mut parsed = update.order.clone().unwrap_or_else(|| ParsedDraft::of_stored(asked));
    let after = &mut parsed.draft;
    if update.order.is_some() && after.order_name.is_none() {
        after.order_name = kept.cloned();
    }
    after.options_document = asked.options_document.clone();
    after.options = asked.options.clone();
    if let Some(sent) = &update.options {
        let options = merged_options(&asked.options_document, sent);
        after.options = acting_options(&options);
        after.options_document = KeptJson(options.to_string());
    }
    match (&update.store, &asked.store_document) {
        (Some(sent), _) => set_store(&mut parsed, sent, update.order.is_none()),
        (None, Some(known)) if update.order.is_some() => {
            set_store(&mut parsed, &parse_kept(known), false);
        }
        (None, _) => {}
    }
    parsed
}

/// Sets the draft's store. The order's own `store` wins unless `in_place`, which replaces it.
fn set_store(parsed: &mut ParsedDraft, store: &Tree, in_place: bool) {
    let ParsedDraft { draft, document, .. } = parsed;
    draft.store_document = Some(KeptJson(store.to_string()));
    if !in_place && document.member("store").is_some() {
        return;
    }
    draft.store_id = store.member("id").and_then(Tree::as_text).map(str::to_owned);
    *document = std::mem::replace(document, Tree::Null).with("store", store.clone());
    draft.document = KeptJson(document.to_string());
}

/// `kept` is the order id reserved for the draft. It does not count as a custom id: if the draft is
/// split, the first order gets it.
fn expect_sound(draft: &NewDraft, kept: Option<&OrderName>) -> Result<(), DraftProblem> {
    let is_custom = draft.order_name.is_some() && draft.order_name.as_ref() != kept;
    let problem = if is_custom && draft.options.split_draft {
        Some(DraftProblem::CustomIdOfSplitDraft)
    } else if ITEMS_MAX < draft.items.len() {
        Some(DraftProblem::TooManyItems)
    } else if Totals::of(draft.items.iter().map(|item| &item.price)).is_none() {
        Some(DraftProblem::TotalOutOfRange)
    } else {
        None
    };
    problem.map_or(Ok(()), Err)
}

/// Refuses a new time to live that has passed.
fn expect_life(tx: &Tx<'_>, before: &DraftRecord, after: &NewDraft) -> Result<(), DraftProblem> {
    let sent = after.options.time_to_live;
    let has_passed = sent != before.draft.options.time_to_live
        && sent.is_some_and(|sent| sent.expires_at(before.created_at) <= tx.now());
    if has_passed { Err(DraftProblem::TimeToLivePassed) } else { Ok(()) }
}

/// An unchanged item keeps its version; any other gets the draft's new version.
fn give_versions(items: &mut [Item], before: &[Item], version: i64) {
    for item in items {
        let same = before.iter().find(|old| old.says_the_same(item));
        item.version = same.map_or(version, |old| old.version);
    }
}

impl From<NumberRefused> for ChangeDraftRefused {
    fn from(why: NumberRefused) -> Self {
        match why {
            NumberRefused::OrderUnknown => Self::Problem(DraftProblem::OrderUnknown),
            NumberRefused::NoLineIdLeft => Self::Problem(DraftProblem::NoLineIdLeft),
        }
    }
}

impl From<NameRefused> for ChangeDraftRefused {
    fn from(why: NameRefused) -> Self {
        match why {
            NameRefused::Taken(name) => Self::OrderIdTaken(name),
        }
    }
}
