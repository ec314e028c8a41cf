//! Deleting old deliveries of webhooks and their bodies (docs/contract.md, Decision 10).

use std::convert::Infallible;

use crate::domain::Timestamp;
use crate::domain::ids::HookSeq;
use crate::store::{Failed, Retention, Tx, WriteCommand};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How long bodies and lines of deliveries are kept.
const BODIES_KEPT_MS: i64 = 7 * DAY_MS;
const LINES_KEPT_MS: i64 = 30 * DAY_MS;

/// How many of the newest deliveries of a hook keep their bodies and their lines.
const BODIES_KEPT_MAX: u32 = 10_000;
const LINES_KEPT_MAX: u32 = 20_000;

/// How many rows one command deletes, so that other writes do not wait long.
const FORGOTTEN_MAX: u32 = 500;

/// Deletes bodies and lines that are too old or too many, of one hook, and the hook itself if it
/// was deleted long ago. `Done` is the hook to continue with.
#[derive(Debug, Clone, Copy)]
pub struct ForgetDeliveries {
    /// The hook to begin with; `None` for the first.
    pub hook_seq: Option<HookSeq>,
}

impl WriteCommand for ForgetDeliveries {
    const NAME: &'static str = "forget_deliveries";
    type Done = Option<HookSeq>;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<Option<HookSeq>, Failed<Infallible>> {
        let first = HookSeq(self.hook_seq.map_or(0, |seq| seq.0));
        let Some(hook_seq) = tx.find_hook_from(first)? else { return Ok(None) };
        let bodies = Retention {
            before: Timestamp(tx.now().0 - BODIES_KEPT_MS),
            newest: BODIES_KEPT_MAX,
            deleted_max: FORGOTTEN_MAX,
        };
        let lines = Retention {
            before: Timestamp(tx.now().0 - LINES_KEPT_MS),
            newest: LINES_KEPT_MAX,
            deleted_max: FORGOTTEN_MAX,
        };
        let deleted = tx.delete_delivery_bodies(hook_seq, bodies)?;
        let deleted = deleted + tx.delete_deliveries(hook_seq, lines)?;
        if deleted == 0 {
            tx.forget_deleted_hook(hook_seq, lines.before)?;
            return Ok(Some(HookSeq(hook_seq.0 + 1)));
        }
        Ok(Some(hook_seq))
    }
}
