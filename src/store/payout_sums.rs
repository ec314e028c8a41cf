//! What the destinations of payouts got in a period (docs/contract.md, Decision 12).
//!
//! The events of a period are found by their numbers: times rise with them, except at jumps of the
//! clock. So the cost depends on the events of the period in all accounts, not on the book's size.

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::Reader;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::ids::AccountId;
use crate::domain::operation::OperationKind;

/// A sum is computed in two parts, of millions and of the rest, so that it cannot overflow in SQL.
const MILLION: i128 = 1_000_000;

/// The successful operations of one kind in a period, as far as they are for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutSum {
    pub currency: Currency,
    pub destination: String,
    pub kind: OperationKind,
    /// In minor units.
    pub amount: i128,
}

/// The limits of a sum.
#[derive(Debug, Clone, Copy)]
pub struct SumLimits {
    /// Numbers of events in the period, in all accounts.
    pub events_max: i64,
    /// Different sums.
    pub sums_max: usize,
}

/// A stretch of the journal, both ends included.
type Stretch = (i64, i64);

impl Reader<'_> {
    /// The sums of an account's payouts from `from` until before `end`, by currency, destination
    /// and kind; `None` if they are beyond the limits.
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
        let mut sums: Vec<PayoutSum> = Vec::new();
        for stretch in stretches {
            for sum in self.sum_stretch(account_id, stretch, limits.sums_max)? {
                add(&mut sums, sum);
            }
        }
        Ok((sums.len() <= limits.sums_max).then_some(sums))
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

    fn sum_stretch(
        &self,
        account_id: &AccountId,
        (first, last): Stretch,
        sums_max: usize,
    ) -> Result<Vec<PayoutSum>, StoreError> {
        let sql = "select ledgers.currency, share.value ->> '$.destination', events.kind,
                sum((share.value ->> '$.amount') / 1000000),
                sum((share.value ->> '$.amount') % 1000000)
            from events
            cross join ledgers on ledgers.order_seq = events.order_seq
            cross join json_each(events.document, '$.items') as item
            cross join json_each(item.value, '$.payout.destinations') as share
            where event_seq between :first and :last and success = 1
              and account_seq = :account_seq and instr(events.document, '\"payout\"')
            group by 1, 2, 3 limit :limit";
        let limit = i64::try_from(sums_max).unwrap_or(i64::MAX).saturating_add(1);
        let params = named_params! {
            ":first": first,
            ":last": last,
            ":account_seq": self.load_account_seq(account_id)?,
            ":limit": limit,
        };
        let rows = self.list(sql, params, |row| {
            let (millions, rest): (i64, i64) = (row.get(3)?, row.get(4)?);
            let kind: String = row.get(2)?;
            let sum = OperationKind::parse(&kind).map(|kind| (kind, millions, rest));
            Ok((row.get(0)?, row.get(1)?, sum))
        })?;
        let sum = |(currency, destination, sum): (Currency, String, Option<_>)| {
            let (kind, millions, rest): (OperationKind, i64, i64) = sum?;
            let amount = i128::from(millions) * MILLION + i128::from(rest);
            Some(PayoutSum { currency, destination, kind, amount })
        };
        Ok(rows.into_iter().filter_map(sum).collect())
    }
}

fn add(sums: &mut Vec<PayoutSum>, more: PayoutSum) {
    let same = |sum: &&mut PayoutSum| {
        (&sum.currency, &sum.destination, sum.kind)
            == (&more.currency, &more.destination, more.kind)
    };
    match sums.iter_mut().find(same) {
        Some(sum) => sum.amount += more.amount,
        None => sums.push(more),
    }
}
