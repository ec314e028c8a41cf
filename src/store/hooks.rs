//! Webhook subscriptions.

use rusqlite::{Row, named_params};

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::delivery::HookHealth;
use crate::domain::hook::{HookEvents, HookSecret, PausedBecause};
use crate::domain::ids::{AccountId, CreatedBy, EventSeq, HookSeq};
use crate::domain::{KeptJson, Timestamp};

/// The parts of a hook that its owner chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookSettings {
    pub url: String,
    pub events: HookEvents,
    /// JSON arrays of the paths to keep in bodies, and of those to leave out.
    pub fields: Option<KeptJson>,
    pub exclude_fields: Option<KeptJson>,
    pub secret: HookSecret,
}

/// A stored hook.
#[derive(Debug, Clone)]
pub struct HookRecord {
    pub hook_seq: HookSeq,
    pub account_id: AccountId,
    pub id: String,
    pub settings: HookSettings,
    pub previous_secret: Option<PreviousSecret>,
    /// The last event of the journal whose deliveries were made.
    pub through_seq: EventSeq,
    pub paused: Option<(Timestamp, PausedBecause)>,
    pub health: HookHealth,
    pub delivered_count: i64,
    pub failed_count: i64,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    pub updated_at: Timestamp,
    pub deleted: Option<(Timestamp, CreatedBy)>,
}

/// The secret before the last rotation.
#[derive(Clone)]
pub struct PreviousSecret {
    pub value: String,
    /// Until when deliveries are also signed with it.
    pub until: Timestamp,
}

impl std::fmt::Debug for PreviousSecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PreviousSecret(until {})", self.until.0)
    }
}

/// A page of an account's hooks, newest first.
#[derive(Debug, Clone)]
pub struct HookQuery {
    pub include_deleted: bool,
    pub limit: u32,
    /// The hook after which the page starts.
    pub starting_after: Option<HookSeq>,
}

/// A query for whole hooks. `$rest` selects and sorts the rows.
macro_rules! select_hooks {
    ($rest:literal) => {
        concat!(
            "select hook_seq, account_id, id, url, events, fields, exclude_fields, secret_type,
                secret, previous_secret, previous_until_ms, through_seq, paused_at_ms,
                paused_because, failing_since_ms, failing_count, delivered_count, failed_count,
                hooks.created_at_ms, created_by, updated_at_ms, deleted_at_ms, deleted_by
            from hooks join accounts using (account_seq) ",
            $rest
        )
    };
}

impl Reader<'_> {
    /// The hook with that id, also if it was deleted.
    pub fn find_hook(
        &self,
        account_id: &AccountId,
        id: &str,
    ) -> Result<Option<HookRecord>, StoreError> {
        let sql = select_hooks!("where id = :id and account_id = :account_id");
        self.find(sql, named_params! {":id": id, ":account_id": account_id}, read_hook)
    }

    /// The hook in row `hook_seq`, which must exist.
    pub fn load_hook(&self, hook_seq: HookSeq) -> Result<HookRecord, StoreError> {
        let sql = select_hooks!("where hook_seq = :hook_seq");
        let found = self.find(sql, named_params! {":hook_seq": hook_seq}, read_hook)?;
        found.ok_or_else(|| StoreError::inconsistent(format!("no hook is in row {}", hook_seq.0)))
    }

    pub fn list_hooks(
        &self,
        account_id: &AccountId,
        query: &HookQuery,
    ) -> Result<Vec<HookRecord>, StoreError> {
        let sql = select_hooks!(
            "where account_seq = :account_seq and hook_seq < :before
               and (:include_deleted or deleted_at_ms is null)
             order by hook_seq desc limit :limit"
        );
        self.list(
            sql,
            named_params! {
                ":account_seq": self.load_account_seq(account_id)?,
                ":before": query.starting_after.map_or(i64::MAX, |seq| seq.0),
                ":include_deleted": query.include_deleted,
                ":limit": query.limit,
            },
            read_hook,
        )
    }

    /// The number of hooks that [`Reader::list_hooks`] has on all pages.
    pub fn count_hooks(
        &self,
        account_id: &AccountId,
        include_deleted: bool,
    ) -> Result<i64, StoreError> {
        let sql = "select count(*) from hooks where account_seq = :account_seq
            and (:include_deleted or deleted_at_ms is null)";
        let account_seq = self.load_account_seq(account_id)?;
        let params =
            named_params! {":account_seq": account_seq, ":include_deleted": include_deleted};
        Ok(self.find(sql, params, |row| row.get(0))?.unwrap_or_default())
    }

    /// The hooks of an account that were paused because they failed.
    pub fn list_stopped_hooks(
        &self,
        account_id: &AccountId,
    ) -> Result<Vec<HookRecord>, StoreError> {
        let sql = select_hooks!(
            "where account_seq = :account_seq and deleted_at_ms is null
               and paused_because in ('gone', 'failing')
             order by hook_seq"
        );
        let account_seq = self.load_account_seq(account_id)?;
        self.list(sql, named_params! {":account_seq": account_seq}, read_hook)
    }

    /// Every hook that is neither paused nor deleted.
    pub fn list_active_hooks(&self) -> Result<Vec<HookRecord>, StoreError> {
        let sql =
            select_hooks!("where paused_at_ms is null and deleted_at_ms is null order by hook_seq");
        self.list(sql, [], read_hook)
    }

    /// Every hook that was not deleted, of all accounts.
    pub fn list_all_hooks(&self) -> Result<Vec<HookRecord>, StoreError> {
        let sql = select_hooks!("where deleted_at_ms is null order by account_seq, hook_seq");
        self.list(sql, [], read_hook)
    }
}

impl Tx<'_> {
    /// Inserts an active hook.
    pub fn insert_hook(
        &self,
        account_id: &AccountId,
        created_by: &CreatedBy,
        settings: &HookSettings,
        through_seq: EventSeq,
    ) -> Result<HookSeq, StoreError> {
        let sql = "insert into hooks
            (account_seq, id, url, events, fields, exclude_fields, secret_type, secret,
             through_seq, failing_count, delivered_count, failed_count, created_at_ms, created_by,
             updated_at_ms)
            values (:account_seq, :id, :url, :events, :fields, :exclude_fields, :secret_type,
             :secret, :through_seq, 0, 0, 0, :now, :created_by, :now)";
        let hook_seq = self.insert(
            sql,
            named_params! {
                ":account_seq": self.load_account_seq(account_id)?,
                ":id": self.randomness().uuid(),
                ":url": settings.url,
                ":events": settings.events,
                ":fields": settings.fields,
                ":exclude_fields": settings.exclude_fields,
                ":secret_type": settings.secret.kind,
                ":secret": settings.secret.value,
                ":through_seq": through_seq,
                ":now": self.now(),
                ":created_by": created_by,
            },
        )?;
        Ok(HookSeq(hook_seq))
    }

    /// Replaces the settings, the secret included.
    pub fn update_hook(
        &self,
        hook_seq: HookSeq,
        settings: &HookSettings,
        previous: Option<&PreviousSecret>,
    ) -> Result<(), StoreError> {
        let sql = "update hooks set url = :url, events = :events, fields = :fields,
                exclude_fields = :exclude_fields, secret_type = :secret_type, secret = :secret,
                previous_secret = :previous, previous_until_ms = :until, updated_at_ms = :now
            where hook_seq = :hook_seq";
        self.execute(
            sql,
            named_params! {
                ":url": settings.url,
                ":events": settings.events,
                ":fields": settings.fields,
                ":exclude_fields": settings.exclude_fields,
                ":secret_type": settings.secret.kind,
                ":secret": settings.secret.value,
                ":previous": previous.map(|previous| &previous.value),
                ":until": previous.map(|previous| previous.until),
                ":now": self.now(),
                ":hook_seq": hook_seq,
            },
        )?;
        Ok(())
    }

    /// Pauses an active hook; a paused one keeps its time and reason.
    pub fn pause_hook(&self, hook_seq: HookSeq, because: PausedBecause) -> Result<(), StoreError> {
        let sql = "update hooks set paused_at_ms = :now, paused_because = :because,
                updated_at_ms = :now
            where hook_seq = :hook_seq and paused_at_ms is null";
        let now = self.now();
        self.execute(sql, named_params! {":now": now, ":because": because, ":hook_seq": hook_seq})?;
        Ok(())
    }

    /// Ends a pause and forgets the failures before it.
    pub fn resume_hook(&self, hook_seq: HookSeq, through_seq: EventSeq) -> Result<(), StoreError> {
        let sql = "update hooks set paused_at_ms = null, paused_because = null,
                failing_since_ms = null, failing_count = 0, through_seq = :through_seq,
                updated_at_ms = :now
            where hook_seq = :hook_seq";
        self.execute(
            sql,
            named_params! {
                ":through_seq": through_seq,
                ":now": self.now(),
                ":hook_seq": hook_seq,
            },
        )?;
        Ok(())
    }

    /// Marks a hook as deleted.
    pub fn delete_hook(&self, hook_seq: HookSeq, by: &CreatedBy) -> Result<(), StoreError> {
        let sql = "update hooks set deleted_at_ms = :now, deleted_by = :by, updated_at_ms = :now
            where hook_seq = :hook_seq";
        let now = self.now();
        self.execute(sql, named_params! {":now": now, ":by": by, ":hook_seq": hook_seq})?;
        Ok(())
    }

    /// Moves the cursor of an active hook from one event to another. False if the hook is not
    /// active or its cursor is not at the first event.
    pub fn move_hook(
        &self,
        hook_seq: HookSeq,
        from: EventSeq,
        to: EventSeq,
    ) -> Result<bool, StoreError> {
        let sql = "update hooks set through_seq = :to
            where hook_seq = :hook_seq and through_seq = :from
              and paused_at_ms is null and deleted_at_ms is null";
        let moved =
            self.execute(sql, named_params! {":to": to, ":hook_seq": hook_seq, ":from": from})?;
        Ok(moved == 1)
    }

    /// Records the health of a hook, and adds to the counts of its finished deliveries.
    pub fn update_hook_health(
        &self,
        hook_seq: HookSeq,
        health: HookHealth,
        delivered: i64,
        failed: i64,
    ) -> Result<(), StoreError> {
        let sql = "update hooks set failing_since_ms = :since, failing_count = :count,
                delivered_count = delivered_count + :delivered,
                failed_count = failed_count + :failed
            where hook_seq = :hook_seq";
        self.execute(
            sql,
            named_params! {
                ":since": health.failing_since,
                ":count": health.failing_count,
                ":delivered": delivered,
                ":failed": failed,
                ":hook_seq": hook_seq,
            },
        )?;
        Ok(())
    }
}

fn read_hook(row: &Row<'_>) -> rusqlite::Result<HookRecord> {
    let previous: Option<String> = row.get("previous_secret")?;
    let until: Option<Timestamp> = row.get("previous_until_ms")?;
    let paused_at: Option<Timestamp> = row.get("paused_at_ms")?;
    let because: Option<PausedBecause> = row.get("paused_because")?;
    let deleted_at: Option<Timestamp> = row.get("deleted_at_ms")?;
    let deleted_by: Option<CreatedBy> = row.get("deleted_by")?;
    Ok(HookRecord {
        hook_seq: row.get("hook_seq")?,
        account_id: row.get("account_id")?,
        id: row.get("id")?,
        settings: HookSettings {
            url: row.get("url")?,
            events: row.get("events")?,
            fields: row.get("fields")?,
            exclude_fields: row.get("exclude_fields")?,
            secret: HookSecret { kind: row.get("secret_type")?, value: row.get("secret")? },
        },
        previous_secret: previous.zip(until).map(|(value, until)| PreviousSecret { value, until }),
        through_seq: row.get("through_seq")?,
        paused: paused_at.zip(because),
        health: HookHealth {
            failing_since: row.get("failing_since_ms")?,
            failing_count: row.get("failing_count")?,
        },
        delivered_count: row.get("delivered_count")?,
        failed_count: row.get("failed_count")?,
        created_at: row.get("created_at_ms")?,
        created_by: row.get("created_by")?,
        updated_at: row.get("updated_at_ms")?,
        deleted: deleted_at.zip(deleted_by),
    })
}
