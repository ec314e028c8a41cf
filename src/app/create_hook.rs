//! Making a webhook subscription.

use super::OnBehalfOf;
use crate::domain::hook::{HOOKS_MAX, PausedBecause};
use crate::domain::ids::{AccountId, EventSeq, HookSeq};
use crate::store::{Failed, HookSettings, Tx, WriteCommand};

/// Makes a hook, active or paused.
#[derive(Debug, Clone)]
pub struct CreateHook {
    pub on_behalf_of: OnBehalfOf,
    pub settings: HookSettings,
    /// The event after which it starts; by default the newest.
    pub through_seq: Option<EventSeq>,
    pub active: bool,
}

#[derive(Debug)]
pub enum CreateHookRefused {
    /// The account already has the most hooks that it may have.
    TooManyHooks,
    /// No event has that number yet.
    NoSuchEvent,
}

impl WriteCommand for CreateHook {
    const NAME: &'static str = "create_hook";
    type Done = HookSeq;
    type Refused = CreateHookRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<HookSeq, Failed<CreateHookRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        if i64::from(HOOKS_MAX) <= tx.count_hooks(account_id, false)? {
            return Err(Failed::Refused(CreateHookRefused::TooManyHooks));
        }
        let newest = tx.newest_event_seq();
        let through_seq = self.through_seq.unwrap_or(newest);
        if newest < through_seq {
            return Err(Failed::Refused(CreateHookRefused::NoSuchEvent));
        }
        let hook_seq = tx.insert_hook(account_id, created_by, &self.settings, through_seq)?;
        if !self.active {
            tx.pause_hook(hook_seq, PausedBecause::Request)?;
        }
        Ok(hook_seq)
    }
}
