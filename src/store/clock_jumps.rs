//! Gives transactions their times, also when the clock is wrong (docs/contract.md, Decision 15).

use rusqlite::{Connection, named_params};

use super::error::StoreError;
use super::tx::Reader;
use crate::domain::Timestamp;
use crate::sabotage::{self, Fault};

/// A clock that goes back by at most this was corrected; one that goes back further was wrong.
const CORRECTION_MS_MAX: i64 = 5 * 60 * 1_000;

/// A fall of the clock that the writer followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockJump {
    /// The last time before the fall.
    pub from: Timestamp,
    /// The first time after it.
    pub to: Timestamp,
}

/// Gives each transaction its time.
#[derive(Debug)]
pub(super) struct Times {
    last: Timestamp,
    begun: Timestamp,
    jump: Option<ClockJump>,
}

impl Times {
    /// `last` is the newest time in the book.
    pub fn since(last: Timestamp) -> Times {
        Times { last, begun: last, jump: None }
    }

    /// The time of a transaction that begins when the clock says `now`, and the jump that it must
    /// record, if the clock was wrong. The last time is used until a corrected clock has passed it.
    pub fn begin(&mut self, now: Timestamp) -> (Timestamp, Option<ClockJump>) {
        let fell_by_ms = self.last.0.saturating_sub(now.0);
        let is_followed = sabotage::is_on(Fault::FollowTheClock) || CORRECTION_MS_MAX < fell_by_ms;
        self.begun = if is_followed { now } else { now.max(self.last) };
        let is_recorded = is_followed && !sabotage::is_on(Fault::FollowTheClock);
        self.jump = is_recorded.then_some(ClockJump { from: self.last, to: now });
        (self.begun, self.jump)
    }

    /// The transaction was committed. Returns the jump that it recorded, if it did.
    pub fn commit(&mut self) -> Option<ClockJump> {
        self.last = self.begun;
        self.jump.take()
    }
}

/// Records a jump in the transaction that has begun: every row after the newest ones has a time
/// after the jump.
pub(super) fn record(conn: &Connection, jump: ClockJump) -> Result<(), StoreError> {
    let sql = "insert into clock_jumps (event_seq, order_seq, draft_seq, from_at_ms, to_at_ms)
        values ((select coalesce(max(event_seq), 0) from events),
            (select coalesce(max(order_seq), 0) from orders),
            (select coalesce(max(draft_seq), 0) from drafts), :from, :to)";
    let mut statement = conn.prepare_cached(sql)?;
    statement.execute(named_params! {":from": jump.from, ":to": jump.to})?;
    Ok(())
}

impl Reader<'_> {
    /// The newest time in the book: that of the newest row after the last jump, or of the jump.
    pub(super) fn load_last_event_time(&self) -> Result<Timestamp, StoreError> {
        let sql = "with jump as (select * from clock_jumps order by jump_seq desc limit 1)
            select max(
                coalesce((select created_at_ms from events
                    where event_seq > coalesce((select event_seq from jump), 0)
                    order by event_seq desc limit 1), 0),
                coalesce((select created_at_ms from orders
                    where order_seq > coalesce((select order_seq from jump), 0)
                    order by order_seq desc limit 1), 0),
                coalesce((select created_at_ms from drafts
                    where draft_seq > coalesce((select draft_seq from jump), 0)
                    order by draft_seq desc limit 1), 0),
                coalesce((select to_at_ms from jump), 0))";
        Ok(self.find(sql, [], |row| row.get(0))?.unwrap_or(Timestamp(0)))
    }

    pub(super) fn load_last_clock_jump(&self) -> Result<Option<ClockJump>, StoreError> {
        let sql = "select from_at_ms, to_at_ms from clock_jumps order by jump_seq desc limit 1";
        self.find(sql, [], |row| Ok(ClockJump { from: row.get(0)?, to: row.get(1)? }))
    }
}

/// Queries that must count no rows, with what such rows would mean.
pub(super) const UNRECORDED_FALLS: [(&str, &str); 3] = [
    (
        "events have an earlier time than the one before, and no jump of the clock is recorded",
        "select count(*) from (select created_at_ms as at,
                lag(created_at_ms) over (order by event_seq) as at_before,
                lag(event_seq) over (order by event_seq) as before from events)
         where at < at_before and before not in (select event_seq from clock_jumps)",
    ),
    (
        "orders have an earlier time than the one before, and no jump of the clock is recorded",
        "select count(*) from (select created_at_ms as at,
                lag(created_at_ms) over (order by order_seq) as at_before,
                lag(order_seq) over (order by order_seq) as before from orders)
         where at < at_before and before not in (select order_seq from clock_jumps)",
    ),
    (
        "drafts have an earlier time than the one before, and no jump of the clock is recorded",
        "select count(*) from (select created_at_ms as at,
                lag(created_at_ms) over (order by draft_seq) as at_before,
                lag(draft_seq) over (order by draft_seq) as before from drafts)
         where at < at_before and before not in (select draft_seq from clock_jumps)",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_keeps_the_last_time_and_a_larger_fall_is_followed() {
        let last = Timestamp(10_000_000);
        for (fall_ms, time, is_jump) in [
            (-1, 10_000_001, false),
            (0, 10_000_000, false),
            (CORRECTION_MS_MAX, 10_000_000, false),
            (CORRECTION_MS_MAX + 1, 10_000_000 - CORRECTION_MS_MAX - 1, true),
        ] {
            let mut times = Times::since(last);
            let now = Timestamp(last.0 - fall_ms);
            let jump = is_jump.then_some(ClockJump { from: last, to: now });
            // A transaction that is rolled back leaves the jump to the next one.
            for _ in 0..2 {
                assert_eq!(times.begin(now), (Timestamp(time), jump), "{fall_ms}");
            }
            assert_eq!(times.commit(), jump);
            assert_eq!(times.begin(now), (Timestamp(time), None), "{fall_ms}");
        }
    }
}
