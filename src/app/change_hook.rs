//! Changing a webhook subscription: its settings, its secret, pausing, resuming and deleting it.

use super::OnBehalfOf;
use crate::domain::KeptJson;
use crate::domain::Timestamp;
use crate::domain::hook::{HookEvents, HookSecret, PREVIOUS_SECRET_MS, PausedBecause};
use crate::domain::ids::{AccountId, HookSeq};
use crate::store::{
    Failed, HookRecord, HookSettings, PreviousSecret, StoreError, Tx, WriteCommand,
};

/// Changes a hook of the account.
#[derive(Debug, Clone)]
pub struct ChangeHook {
    pub on_behalf_of: OnBehalfOf,
    pub hook_id: String,
    pub change: HookChange,
}

#[derive(Debug, Clone)]
pub enum HookChange {
    Update(HookUpdate),
    /// Gives the hook a new secret. Deliveries are also signed with the old one for a day.
    Rotate(HookSecret),
    Pause,
    /// Resumes the hook; it gets everything that it has missed.
    ResumeWithMissed,
    /// Resumes the hook; it gets only later events.
    ResumeFromNow,
    Delete,
}

/// The new values of a hook's parts. Absent parts stay as they are.
#[derive(Debug, Clone, Default)]
pub struct HookUpdate {
    pub url: Option<String>,
    pub events: Option<HookEvents>,
    /// The inner `None` removes the paths.
    pub fields: Option<Option<KeptJson>>,
    pub exclude_fields: Option<Option<KeptJson>>,
    pub secret: Option<HookSecret>,
    pub active: Option<bool>,
}

#[derive(Debug)]
pub enum ChangeHookRefused {
    HookNotFound,
}

impl WriteCommand for ChangeHook {
    const NAME: &'static str = "change_hook";
    type Done = HookSeq;
    type Refused = ChangeHookRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<HookSeq, Failed<ChangeHookRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_hook(account_id, &self.hook_id)?;
        let hook = found.ok_or(Failed::Refused(ChangeHookRefused::HookNotFound))?;
        let is_deletion = matches!(self.change, HookChange::Delete);
        if hook.deleted.is_some() && !is_deletion {
            return Err(Failed::Refused(ChangeHookRefused::HookNotFound));
        }

        // Nothing is refused from here on.
        match &self.change {
            HookChange::Update(change) => update(tx, &hook, change)?,
            HookChange::Rotate(secret) => {
                let change = HookUpdate { secret: Some(secret.clone()), ..HookUpdate::default() };
                update(tx, &hook, &change)?;
            }
            HookChange::Pause => tx.pause_hook(hook.hook_seq, PausedBecause::Request)?,
            HookChange::ResumeWithMissed => resume_with_missed(tx, &hook)?,
            HookChange::ResumeFromNow => {
                tx.skip_deliveries(hook.hook_seq)?;
                tx.resume_hook(hook.hook_seq, tx.newest_event_seq())?;
            }
            HookChange::Delete if hook.deleted.is_some() => {}
            HookChange::Delete => {
                tx.skip_deliveries(hook.hook_seq)?;
                tx.delete_hook(hook.hook_seq, created_by)?;
            }
        }
        Ok(hook.hook_seq)
    }
}

fn update(tx: &Tx<'_>, hook: &HookRecord, change: &HookUpdate) -> Result<(), StoreError> {
    let old = &hook.settings;
    let settings = HookSettings {
        url: change.url.clone().unwrap_or_else(|| old.url.clone()),
        events: change.events.clone().unwrap_or_else(|| old.events.clone()),
        fields: change.fields.clone().unwrap_or_else(|| old.fields.clone()),
        exclude_fields: change.exclude_fields.clone().unwrap_or_else(|| old.exclude_fields.clone()),
        secret: change.secret.clone().unwrap_or_else(|| old.secret.clone()),
    };
    let rotated = (settings.secret != old.secret).then(|| PreviousSecret {
        value: old.secret.value.clone(),
        until: Timestamp(tx.now().0 + PREVIOUS_SECRET_MS),
    });
    let previous = rotated.as_ref().or(hook.previous_secret.as_ref());
    tx.update_hook(hook.hook_seq, &settings, previous)?;
    match change.active {
        Some(false) => tx.pause_hook(hook.hook_seq, PausedBecause::Request),
        Some(true) if hook.paused.is_some() => resume_with_missed(tx, hook),
        _ => Ok(()),
    }
}

fn resume_with_missed(tx: &Tx<'_>, hook: &HookRecord) -> Result<(), StoreError> {
    tx.hasten_deliveries(hook.hook_seq)?;
    tx.resume_hook(hook.hook_seq, hook.through_seq)
}
