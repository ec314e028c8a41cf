//! Sending deliveries of a hook again, and sending it a ping.

use super::OnBehalfOf;
use crate::domain::ids::{AccountId, DeliverySeq};
use crate::store::{Failed, HookRecord, NewDelivery, ReplayRange, StoreError, Tx, WriteCommand};

/// The event name of a ping.
pub const PING: &str = "ping";

/// Sends one delivery again, with the same id and body.
#[derive(Debug, Clone)]
pub struct ReplayDelivery {
    pub on_behalf_of: OnBehalfOf,
    pub hook_id: String,
    pub delivery_id: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayRefused {
    #[error("there is no such webhook")]
    HookNotFound,
    #[error("there is no such delivery")]
    DeliveryNotFound,
    #[error("its body is no longer stored")]
    BodyDeleted,
}

impl WriteCommand for ReplayDelivery {
    const NAME: &'static str = "replay_delivery";
    type Done = DeliverySeq;
    type Refused = ReplayRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<DeliverySeq, Failed<ReplayRefused>> {
        let hook = find_living(tx, &self.on_behalf_of, &self.hook_id)?;
        let hook = hook.ok_or(Failed::Refused(ReplayRefused::HookNotFound))?;
        let found = tx.find_delivery(hook.hook_seq, &self.delivery_id)?;
        let delivery = found.ok_or(Failed::Refused(ReplayRefused::DeliveryNotFound))?;
        if !tx.replay_delivery(delivery.delivery_seq)? {
            return Err(Failed::Refused(ReplayRefused::BodyDeleted));
        }
        Ok(delivery.delivery_seq)
    }
}

/// Sends the deliveries of a time range again, as far as their bodies are still stored.
/// `Done` is their number.
#[derive(Debug, Clone)]
pub struct ReplayDeliveries {
    pub on_behalf_of: OnBehalfOf,
    pub hook_id: String,
    pub range: ReplayRange,
}

impl WriteCommand for ReplayDeliveries {
    const NAME: &'static str = "replay_deliveries";
    type Done = usize;
    type Refused = ReplayRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<usize, Failed<ReplayRefused>> {
        let hook = find_living(tx, &self.on_behalf_of, &self.hook_id)?;
        let hook = hook.ok_or(Failed::Refused(ReplayRefused::HookNotFound))?;
        Ok(tx.replay_deliveries(hook.hook_seq, self.range)?)
    }
}

/// Sends a hook a ping with this body, once.
#[derive(Debug, Clone)]
pub struct PingHook {
    pub on_behalf_of: OnBehalfOf,
    pub hook_id: String,
    pub body: String,
}

#[derive(Debug, thiserror::Error)]
pub enum PingRefused {
    #[error("there is no such webhook")]
    HookNotFound,
    #[error("the webhook is paused, so nothing is sent to it")]
    HookPaused,
}

impl WriteCommand for PingHook {
    const NAME: &'static str = "ping_hook";
    type Done = ();
    type Refused = PingRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<PingRefused>> {
        let hook = find_living(tx, &self.on_behalf_of, &self.hook_id)?;
        let hook = hook.ok_or(Failed::Refused(PingRefused::HookNotFound))?;
        if hook.paused.is_some() {
            return Err(Failed::Refused(PingRefused::HookPaused));
        }
        tx.insert_delivery(&NewDelivery {
            hook_seq: hook.hook_seq,
            id: tx.randomness().uuid(),
            event: PING,
            about: None,
            body: self.body.clone(),
        })?;
        Ok(())
    }
}

fn find_living(
    tx: &Tx<'_>,
    on_behalf_of: &OnBehalfOf,
    hook_id: &str,
) -> Result<Option<HookRecord>, StoreError> {
    let found = tx.find_hook(&on_behalf_of.account_id, hook_id)?;
    Ok(found.filter(|hook| hook.deleted.is_none()))
}
