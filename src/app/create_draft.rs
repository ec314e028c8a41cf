//! Creating a draft.

use super::documents::ParsedDraft;
use super::draft_names::{NameRefused, choose_name, hold_name};
use super::findable::index_draft;
use super::{OnBehalfOf, WrittenDraft};
use crate::domain::ids::{AccountId, OrderName};
use crate::domain::item::{Item, number_lines};
use crate::store::{Failed, NewApiEvent, NewDraft, Tx, WriteCommand};

/// Creates an open draft, and reserves an order id for it if its options ask for one.
#[derive(Debug, Clone)]
pub struct CreateDraft {
    pub on_behalf_of: OnBehalfOf,
    pub draft: ParsedDraft,
    /// The request, as it is shown in the draft's history.
    pub event: NewApiEvent,
}

#[derive(Debug)]
pub enum CreateDraftRefused {
    /// The custom order id belongs to another order or draft.
    OrderIdTaken(OrderName),
    /// No order has the name that `options.order_id` gives.
    OrderUnknown,
    /// The highest line id is in use, so no higher one is left.
    NoLineIdLeft,
}

impl WriteCommand for CreateDraft {
    const NAME: &'static str = "create_draft";
    type Done = WrittenDraft;
    type Refused = CreateDraftRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<WrittenDraft, Failed<CreateDraftRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let mut parsed = self.draft.clone();
        let draft = &mut parsed.draft;
        number_on(tx, account_id, draft).map_err(|failed| failed.map(Into::into))?;
        let name = choose_name(tx, account_id, draft, None);
        let name = name.map_err(|failed| failed.map(Into::into))?;

        // Nothing is refused from here on.
        draft.order_name = name.name().cloned();
        draft.items.iter_mut().for_each(|item| item.version = FIRST_VERSION);
        let id = tx.randomness().uuid();
        let draft_seq = tx.insert_draft(account_id, &id, created_by, draft)?;
        hold_name(tx, account_id, draft_seq, &name, None)?;
        tx.append_draft_event(draft_seq, FIRST_VERSION, created_by, &self.event)?;
        index_draft(tx, account_id, draft_seq, &parsed)?;
        Ok(WrittenDraft { draft_seq, id })
    }
}

/// The version of a new draft.
const FIRST_VERSION: i64 = 1;

/// Why items could not be numbered.
#[derive(Debug)]
pub enum NumberRefused {
    OrderUnknown,
    NoLineIdLeft,
}

/// Gives a line id to each item sent without one. Numbers continue from the highest line of the
/// draft, and of the order that the draft adds to.
pub(super) fn number_on(
    tx: &Tx<'_>,
    account_id: &AccountId,
    draft: &mut NewDraft,
) -> Result<(), Failed<NumberRefused>> {
    let above = match &draft.options.amends {
        None => None,
        Some(order) => {
            let found = tx.find_ledger(account_id, order)?;
            let ledger = found.ok_or(Failed::Refused(NumberRefused::OrderUnknown))?.ledger;
            // A replaced order's lines are removed, so their numbers are free.
            let last = ledger.lines.last().map(|line| line.line_id());
            last.filter(|_| !draft.options.replaces)
        }
    };
    let items: &mut [Item] = &mut draft.items;
    number_lines(items, &draft.unnumbered, above)
        .ok_or(Failed::Refused(NumberRefused::NoLineIdLeft))
}

impl From<NumberRefused> for CreateDraftRefused {
    fn from(why: NumberRefused) -> Self {
        match why {
            NumberRefused::OrderUnknown => Self::OrderUnknown,
            NumberRefused::NoLineIdLeft => Self::NoLineIdLeft,
        }
    }
}

impl From<NameRefused> for CreateDraftRefused {
    fn from(why: NameRefused) -> Self {
        match why {
            NameRefused::Taken(name) => Self::OrderIdTaken(name),
        }
    }
}
