//! What the destinations of payouts got in a period (docs/contract.md, Decision 12).
//!
//! The events of a period are found by their numbers: times rise with them, except at jumps of the
//! clock. So the cost depends on the events of the period in all accounts, not on the book's size.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::named_params;
use serde::Deserialize;

use super::error::StoreError;
use super::tx::Reader;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::ids::AccountId;
use crate::domain::operation::OperationKind;

/// The successful operations of a period in one currency, as far as they are for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutSum {
    pub currency: Currency,
    pub destination: String,
    /// In minor units, for each kind of operation.
    pub amounts: Vec<(OperationKind, i128)>,
}

/// The limits of a sum.
#[derive(Debug, Clone, Copy)]
pub struct SumLimits {
    /// Numbers of events in the period, in all accounts.
    pub events_max: i64,
    /// Destinations, counted once for each currency.
    pub destinations_max: usize,
}

/// A stretch of the journal, both ends included.
type Stretch = (i64, i64);

impl Reader<'_> {
    /// The sums of an account's payouts from `from` until before `end`, by currency and
    /// destination; `None` if they are beyond the limits.
    pub fn sum_payouts(
        &self,
        account_id: &AccountId,
        (from, end): (Timestamp, Timestamp),
        limits: SumLimits,
    ) -> Result<Option<Vec<PayoutSum>>, StoreError> {
        let mut stretches = Vec::new();
        for (first, last) in self.monotone_stretches()? {
            let begin = self.first_at((first, last), from)?;
            let beyond = self.first_at((first, last), end)?;
            stretches.extend((begin < beyond).then_some((begin, beyond - 1)));
        }
        let events: i64 = stretches.iter().map(|(first, last)| last - first + 1).sum();
        if limits.events_max < events {
            return Ok(None);
        }
        let mut sums = Sums::default();
        for stretch in stretches {
            self.sum_stretch(account_id, stretch, &mut sums)?;
        }
        if limits.destinations_max < sums.count {
            return Ok(None);
        }
        let unknown = || StoreError::inconsistent("an order has an unknown currency");
        sums.list().ok_or_else(unknown).map(Some)
    }

    /// The stretches of the journal in which times never fall.
    fn monotone_stretches(&self) -> Result<Vec<Stretch>, StoreError> {
        let sql = "select event_seq from clock_jumps order by jump_seq";
        let jumps: Vec<i64> = self.list(sql, [], |row| row.get(0))?;
        let mut first = 1;
        let mut stretches = Vec::new();
        for last in jumps.into_iter().chain([self.load_last_event_seq()?.0]) {
            stretches.extend((first <= last).then_some((first, last)));
            first = first.max(last + 1);
        }
        Ok(stretches)
    }

    /// The smallest number in a stretch from which all events are of `at` or later; one above the
    /// stretch if none are.
    fn first_at(&self, (first, last): Stretch, at: Timestamp) -> Result<i64, StoreError> {
        let sql = "select created_at_ms from events
            where event_seq between :from and :last order by event_seq limit 1";
        let (mut low, mut high) = (first, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let params = named_params! {":from": middle, ":last": last};
            let found: Option<Timestamp> = self.find(sql, params, |row| row.get(0))?;
            match found {
                Some(time) if time < at => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Adds the payouts of a stretch. The documents are read one at a time and not kept.
    fn sum_stretch(
        &self,
        account_id: &AccountId,
        (first, last): Stretch,
        sums: &mut Sums,
    ) -> Result<(), StoreError> {
        // Most operations have no payout, which is cheaper to see than to parse.
        let sql = "select ledgers.currency, kind, document
            from events cross join ledgers on ledgers.order_seq = events.order_seq
            where event_seq between :first and :last and success = 1
              and account_seq = :account_seq and instr(document, '\"payout\"')";
        let params = named_params! {
            ":first": first,
            ":last": last,
            ":account_seq": self.load_account_seq(account_id)?,
        };
        let mut unreadable = false;
        self.list(sql, params, |row| {
            let kind = OperationKind::parse(row.get_ref(1)?.as_str()?);
            let document = serde_json::from_str(row.get_ref(2)?.as_str()?);
            match (kind, document) {
                (Some(kind), Ok(document)) => {
                    sums.add(row.get_ref(0)?.as_str()?, kind, &document);
                }
                _ => unreadable = true,
            }
            Ok(())
        })?;
        match unreadable {
            true => Err(StoreError::inconsistent("the document of an operation is unreadable")),
            false => Ok(()),
        }
    }
}

/// An operation's document, as far as its payouts need it.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    items: Vec<ItemRow<'a>>,
}

#[derive(Deserialize)]
struct ItemRow<'a> {
    #[serde(borrow)]
    payout: Option<PayoutRow<'a>>,
}

#[derive(Deserialize)]
struct PayoutRow<'a> {
    #[serde(borrow)]
    destinations: Vec<Share<'a>>,
}

#[derive(Deserialize)]
struct Share<'a> {
    #[serde(borrow)]
    destination: Cow<'a, str>,
    amount: i64,
}

/// The amounts of one destination, in the order of [`OperationKind::ALL`].
type Amounts = [i128; OperationKind::ALL.len()];

/// Sums by currency and destination.
#[derive(Default)]
struct Sums {
    by_currency: BTreeMap<String, BTreeMap<String, Amounts>>,
    count: usize,
}

impl Sums {
    fn add(&mut self, currency: &str, kind: OperationKind, document: &Document<'_>) {
        let at = OperationKind::ALL.iter().position(|one| *one == kind).unwrap_or_default();
        let payouts = document.items.iter().filter_map(|item| item.payout.as_ref());
        for share in payouts.flat_map(|payout| &payout.destinations) {
            if !self.by_currency.contains_key(currency) {
                self.by_currency.insert(currency.to_owned(), BTreeMap::new());
            }
            let Some(sums) = self.by_currency.get_mut(currency) else { continue };
            if !sums.contains_key(share.destination.as_ref()) {
                sums.insert(share.destination.to_string(), Amounts::default());
                self.count += 1;
            }
            if let Some(amounts) = sums.get_mut(share.destination.as_ref()) {
                amounts[at] += i128::from(share.amount);
            }
        }
    }

    fn list(self) -> Option<Vec<PayoutSum>> {
        let mut listed = Vec::new();
        for (code, sums) in self.by_currency {
            let currency = Currency::parse(&code)?;
            listed.extend(sums.into_iter().map(|(destination, amounts)| PayoutSum {
                currency: currency.clone(),
                destination,
                amounts: OperationKind::ALL.into_iter().zip(amounts).collect(),
            }));
        }
        Some(listed)
    }
}
