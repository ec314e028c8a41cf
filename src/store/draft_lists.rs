//! Lists of drafts: the filters and the index that answers each.

use std::collections::BTreeMap;

use super::error::StoreError;
use super::expiries::{DRAFT_IS_PRESENT, draft_is_gone};
use super::list_values::ValueFilter;
use super::lists::{Criterion, List, ListSort, Listed, Window};
use super::order_lists::{one_of_currencies, one_of_words};
use super::search::{SearchText, search_expression};
use super::tx::Reader;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::draft::DraftStatus;
use crate::domain::ids::{AccountId, DraftSeq};

/// The filters of a list of drafts, newest first. Empty filters match everything; several values
/// are OR-ed.
#[derive(Debug, Clone, Default)]
pub struct DraftQuery {
    pub statuses: Vec<DraftStatus>,
    pub currencies: Vec<Currency>,
    pub values: BTreeMap<ValueFilter, Vec<String>>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
    /// Each word must begin a word of the draft.
    pub search: Option<SearchText>,
    /// The last row of the page before.
    pub starting_after: Option<DraftSeq>,
    /// The most drafts that a page holds.
    pub limit: u32,
    /// Whether to count all matching drafts.
    pub total: bool,
}

pub(super) const DRAFTS: Listed = Listed {
    rows: "drafts",
    seq: "draft_seq",
    by_account: "drafts_by_account",
    by_total: "",
    values: "draft_values",
    search: "draft_search",
    made_in: "drafts",
    any_removed: "select 1 from draft_expiries indexed by draft_expiries_removed
        where removed_at_ms is not null limit 1",
    present: DRAFT_IS_PRESENT,
    present_now: || format!("not {}", draft_is_gone()),
    first_from: "select draft_seq from drafts
        where account_seq = :account_seq and :at <= created_at_ms
        order by created_at_ms, draft_seq limit 1",
    last_to: "select draft_seq from drafts
        where account_seq = :account_seq and created_at_ms <= :at
        order by created_at_ms desc, draft_seq desc limit 1",
};

impl DraftQuery {
    /// The criteria of this query; `None` if no draft can match.
    pub(super) fn list(&self, account_id: &AccountId) -> Option<List> {
        let mut criteria = Vec::new();
        if let Some(typed) = &self.search {
            // A search without a word finds nothing.
            criteria.push(Criterion::Search(search_expression(account_id, typed)?));
        }
        let values = self.values.iter().filter(|(_, values)| !values.is_empty());
        criteria.extend(
            values.map(|(filter, values)| Criterion::Values {
                filter: *filter,
                values: values.clone(),
            }),
        );
        criteria.extend(one_of_words(
            "status",
            "drafts_by_status",
            DraftStatus::ALL.into_iter().filter(|word| self.statuses.contains(word)),
            DraftStatus::as_str,
        ));
        criteria.extend(one_of_currencies(&self.currencies, "drafts_by_currency"));
        let sort = ListSort::NewestFirst;
        Some(List { of: &DRAFTS, criteria, sort, expired: None, has_removed: false })
    }
}

impl Reader<'_> {
    /// The rows of a page of drafts, and how many drafts match, if the query asked for it.
    pub fn list_draft_seqs(
        &self,
        account_id: &AccountId,
        query: &DraftQuery,
    ) -> Result<(Vec<DraftSeq>, Option<i64>), StoreError> {
        let Some(list) = query.list(account_id) else {
            return Ok((Vec::new(), query.total.then_some(0)));
        };
        let window = Window {
            created_from: query.created_from,
            created_to: query.created_to,
            after: query.starting_after.map(|seq| (seq.0, 0)),
            limit: query.limit,
        };
        let rows = self.list_page(account_id, &list, &window)?;
        let whole = Window { limit: u32::MAX, ..window };
        let count = || self.count_list(account_id, &list, &whole);
        let total = query.total.then(count).transpose()?;
        Ok((rows.into_iter().map(DraftSeq).collect(), total))
    }
}
