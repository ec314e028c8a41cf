//! Deliveries of webhooks: one row per event and hook, with its body in a table of its own.

use rusqlite::{Row, named_params};

use super::error::StoreError;
use super::journal::JournalRow;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::delivery::{DeliveryState, WAIT_MS_MAX};
use crate::domain::ids::{DeliverySeq, EventSeq, HookSeq};

/// A delivery that is to be made.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub hook_seq: HookSeq,
    /// The `event_delivery`, a UUID.
    pub id: String,
    /// The name of the event, or `ping`.
    pub event: &'static str,
    /// The event that it is about; `None` for a ping.
    pub about: Option<JournalRow>,
    pub body: String,
}

/// A stored delivery.
#[derive(Debug, Clone)]
pub struct DeliveryRecord {
    pub delivery_seq: DeliverySeq,
    pub hook_seq: HookSeq,
    pub id: String,
    pub event: String,
    /// The number of the event that it is about; `None` for a ping.
    pub seq: Option<EventSeq>,
    pub state: DeliveryState,
    pub tries: u32,
    /// When the next try is due; 0 if that is the first one.
    pub next_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub last_try: Option<LastTry>,
    /// `None` once it was deleted, and in lists.
    pub body: Option<String>,
}

/// The last try of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastTry {
    pub at: Timestamp,
    pub duration_ms: i64,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why the try failed.
    pub error: Option<String>,
    /// The first headers of the answer, a JSON object.
    pub response_headers: Option<String>,
    /// The beginning of the answer.
    pub response: Option<String>,
}

/// The end of a try, and the state of the delivery after it.
#[derive(Debug, Clone, Copy)]
pub struct SettledTry<'t> {
    pub state: DeliveryState,
    /// The number of tries in this round.
    pub tries: u32,
    /// When the next try is due, if the delivery waits.
    pub next_at: Option<Timestamp>,
    pub last_try: &'t LastTry,
}

/// A delivery that is due.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    pub delivery_seq: DeliverySeq,
    pub id: String,
    pub event: String,
    pub tries: u32,
    pub body: String,
}

/// Deliveries of a hook that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub count: i64,
    pub bytes: i64,
}

/// The deliveries that are sent again, by the time when they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayRange {
    pub since: Timestamp,
    pub until: Timestamp,
    pub failed_only: bool,
}

/// A query for deliveries. `$body` selects the body and names the tables, and `$rest` selects and
/// sorts the rows.
macro_rules! select_deliveries {
    ($body:literal, $rest:literal) => {
        concat!(
            "select delivery_seq, hook_seq, id, event, coalesce(event_seq, draft_event_seq) as seq,
                state, tries, next_at_ms, created_at_ms, tried_at_ms, duration_ms, status, error,
                response_headers, response, ",
            $body,
            $rest
        )
    };
}

impl Reader<'_> {
    pub fn find_delivery(
        &self,
        hook_seq: HookSeq,
        id: &str,
    ) -> Result<Option<DeliveryRecord>, StoreError> {
        // Ids have no index. SQLite searches the deliveries of the hook, whose number is bounded.
        let sql = select_deliveries!(
            "body from deliveries left join delivery_bodies using (delivery_seq) ",
            "where hook_seq = :hook_seq and id = :id"
        );
        self.find(sql, named_params! {":hook_seq": hook_seq, ":id": id}, read_delivery)
    }

    /// A page of a hook's deliveries, newest first, without their bodies.
    pub fn list_deliveries(
        &self,
        hook_seq: HookSeq,
        starting_after: Option<DeliverySeq>,
        limit: u32,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        let sql = select_deliveries!(
            "null as body from deliveries ",
            "where hook_seq = :hook_seq and delivery_seq < :before
             order by delivery_seq desc limit :limit"
        );
        let before = starting_after.map_or(i64::MAX, |seq| seq.0);
        let params = named_params! {":hook_seq": hook_seq, ":before": before, ":limit": limit};
        self.list(sql, params, read_delivery)
    }

    pub fn count_deliveries(&self, hook_seq: HookSeq) -> Result<i64, StoreError> {
        let sql = "select count(*) from deliveries where hook_seq = :hook_seq";
        let found = self.find(sql, named_params! {":hook_seq": hook_seq}, |row| row.get(0))?;
        Ok(found.unwrap_or_default())
    }

    /// How many deliveries of a hook wait, and their bytes; counted up to `count_max`.
    pub fn load_backlog(&self, hook_seq: HookSeq, count_max: u32) -> Result<Backlog, StoreError> {
        let sql = "select count(*), coalesce(sum(bytes), 0) from
            (select bytes from deliveries indexed by deliveries_that_wait
             where hook_seq = :hook_seq and state = 'waiting' limit :count_max)";
        let params = named_params! {":hook_seq": hook_seq, ":count_max": count_max};
        let found =
            self.find(sql, params, |row| Ok(Backlog { count: row.get(0)?, bytes: row.get(1)? }))?;
        Ok(found.unwrap_or(Backlog { count: 0, bytes: 0 }))
    }

    /// Deliveries of a hook that are due at `now`: repeated tries first, at most half of the limit,
    /// then first tries in the order of their events.
    pub fn list_due(
        &self,
        hook_seq: HookSeq,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeliverySeq>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "select delivery_seq from deliveries indexed by deliveries_that_wait
            where hook_seq = :hook_seq and state = 'waiting'
              and 0 < next_at_ms and (next_at_ms <= :now or :latest < next_at_ms)
            order by next_at_ms, delivery_seq limit :limit";
        // No wait is longer than `WAIT_MS_MAX`. A time beyond that was planned while the clock was
        // wrong, so such a delivery is due as well.
        let latest = Timestamp(now.0.saturating_add(WAIT_MS_MAX));
        let mut due: Vec<DeliverySeq> = self.list(
            sql,
            named_params! {
                ":hook_seq": hook_seq,
                ":now": now,
                ":latest": latest,
                ":limit": limit / 2,
            },
            |row| row.get(0),
        )?;
        let sql = "select delivery_seq from deliveries indexed by deliveries_that_wait
            where hook_seq = :hook_seq and state = 'waiting' and next_at_ms = 0
            order by delivery_seq limit :limit";
        let params = named_params! {":hook_seq": hook_seq, ":limit": limit};
        let first_tries: Vec<DeliverySeq> = self.list(sql, params, |row| row.get(0))?;
        due.extend(first_tries);
        Ok(due)
    }

    /// When the next repeated try of a hook is due.
    pub fn find_next_due(&self, hook_seq: HookSeq) -> Result<Option<Timestamp>, StoreError> {
        let sql = "select min(next_at_ms) from deliveries indexed by deliveries_that_wait
            where hook_seq = :hook_seq and state = 'waiting' and 0 < next_at_ms";
        let found = self.find(sql, named_params! {":hook_seq": hook_seq}, |row| row.get(0))?;
        Ok(found.flatten())
    }

    /// A waiting delivery with its body; `None` if it no longer waits.
    pub fn find_due(&self, delivery_seq: DeliverySeq) -> Result<Option<DueDelivery>, StoreError> {
        let sql = "select delivery_seq, id, event, tries, body
            from deliveries join delivery_bodies using (delivery_seq)
            where delivery_seq = :delivery_seq and state = 'waiting'";
        self.find(sql, named_params! {":delivery_seq": delivery_seq}, |row| {
            Ok(DueDelivery {
                delivery_seq: row.get(0)?,
                id: row.get(1)?,
                event: row.get(2)?,
                tries: row.get(3)?,
                body: row.get(4)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Inserts a delivery whose first try is due at once.
    pub fn insert_delivery(&self, delivery: &NewDelivery) -> Result<DeliverySeq, StoreError> {
        let (event_seq, draft_event_seq) = match delivery.about {
            None => (None, None),
            Some(JournalRow::Order(seq)) => (Some(seq), None),
            Some(JournalRow::Draft(seq)) => (None, Some(seq)),
        };
        let sql = "insert into deliveries
            (hook_seq, id, event, event_seq, draft_event_seq, state, tries, next_at_ms,
             created_at_ms, bytes)
            values (:hook_seq, :id, :event, :event_seq, :draft_event_seq, 'waiting', 0, 0, :now,
             :bytes)";
        let delivery_seq = DeliverySeq(self.insert(
            sql,
            named_params! {
                ":hook_seq": delivery.hook_seq,
                ":id": delivery.id,
                ":event": delivery.event,
                ":event_seq": event_seq,
                ":draft_event_seq": draft_event_seq,
                ":now": self.now(),
                ":bytes": i64::try_from(delivery.body.len()).unwrap_or(i64::MAX),
            },
        )?);
        let sql = "insert into delivery_bodies (delivery_seq, body) values (:delivery_seq, :body)";
        let params = named_params! {":delivery_seq": delivery_seq, ":body": delivery.body};
        self.insert(sql, params)?;
        Ok(delivery_seq)
    }

    /// Records the end of a try. A delivery that no longer waits keeps its state.
    pub fn settle_delivery(
        &self,
        delivery_seq: DeliverySeq,
        settled: &SettledTry<'_>,
    ) -> Result<bool, StoreError> {
        let SettledTry { state, tries, next_at, last_try } = *settled;
        let sql = "update deliveries set state = :state, tries = :tries, next_at_ms = :next_at,
                tried_at_ms = :tried_at, duration_ms = :duration_ms, status = :status,
                error = :error, response_headers = :response_headers, response = :response
            where delivery_seq = :delivery_seq and state = 'waiting'";
        let changed = self.execute(
            sql,
            named_params! {
                ":state": state,
                ":tries": tries,
                ":next_at": next_at,
                ":tried_at": last_try.at,
                ":duration_ms": last_try.duration_ms,
                ":status": last_try.status,
                ":error": last_try.error,
                ":response_headers": last_try.response_headers,
                ":response": last_try.response,
                ":delivery_seq": delivery_seq,
            },
        )?;
        Ok(changed == 1)
    }

    /// Makes a delivery due now, for a new round of tries. False if its body was deleted.
    pub fn replay_delivery(&self, delivery_seq: DeliverySeq) -> Result<bool, StoreError> {
        let sql = "update deliveries set state = 'waiting', tries = 0, next_at_ms = :now
            where delivery_seq = :delivery_seq
              and delivery_seq in (select delivery_seq from delivery_bodies)";
        let params = named_params! {":now": self.now(), ":delivery_seq": delivery_seq};
        Ok(self.execute(sql, params)? == 1)
    }

    /// Makes all finished deliveries of a range due now, as far as they still have a body. Returns
    /// their number.
    pub fn replay_deliveries(
        &self,
        hook_seq: HookSeq,
        range: ReplayRange,
    ) -> Result<usize, StoreError> {
        let sql = "update deliveries set state = 'waiting', tries = 0, next_at_ms = :now
            where hook_seq = :hook_seq and state <> 'waiting'
              and (state <> 'delivered' or not :failed_only)
              and created_at_ms between :since and :until
              and delivery_seq in (select delivery_seq from delivery_bodies)";
        self.execute(
            sql,
            named_params! {
                ":now": self.now(),
                ":hook_seq": hook_seq,
                ":failed_only": range.failed_only,
                ":since": range.since,
                ":until": range.until,
            },
        )
    }

    /// Gives up all waiting deliveries of a hook.
    pub fn skip_deliveries(&self, hook_seq: HookSeq) -> Result<usize, StoreError> {
        let sql = "update deliveries set state = 'skipped', next_at_ms = null
            where hook_seq = :hook_seq and state = 'waiting'";
        self.execute(sql, named_params! {":hook_seq": hook_seq})
    }

    /// Makes all waiting deliveries of a hook due now; first tries stay in their order.
    pub fn hasten_deliveries(&self, hook_seq: HookSeq) -> Result<usize, StoreError> {
        let sql = "update deliveries set next_at_ms = :now
            where hook_seq = :hook_seq and state = 'waiting' and :now < next_at_ms";
        self.execute(sql, named_params! {":now": self.now(), ":hook_seq": hook_seq})
    }
}

fn read_delivery(row: &Row<'_>) -> rusqlite::Result<DeliveryRecord> {
    let tried_at: Option<Timestamp> = row.get("tried_at_ms")?;
    let last_try = match tried_at {
        Some(at) => Some(LastTry {
            at,
            duration_ms: row.get("duration_ms")?,
            status: row.get("status")?,
            error: row.get("error")?,
            response_headers: row.get("response_headers")?,
            response: row.get("response")?,
        }),
        None => None,
    };
    Ok(DeliveryRecord {
        delivery_seq: row.get("delivery_seq")?,
        hook_seq: row.get("hook_seq")?,
        id: row.get("id")?,
        event: row.get("event")?,
        seq: row.get("seq")?,
        state: row.get("state")?,
        tries: row.get("tries")?,
        next_at: row.get("next_at_ms")?,
        created_at: row.get("created_at_ms")?,
        last_try,
        body: row.get("body")?,
    })
}
