//! Making the deliveries of events, and moving the cursors of hooks past them.

use std::convert::Infallible;

use crate::domain::ids::{EventSeq, HookSeq};
use crate::sabotage::{self, Fault};
use crate::store::{Failed, NewDelivery, Tx, WriteCommand};

/// A step of a hook through the journal, with the deliveries of the events that it passes.
#[derive(Debug, Clone)]
pub struct HookStep {
    pub hook_seq: HookSeq,
    /// The cursor that the deliveries were made for. If the hook has another cursor by now, or was
    /// paused or deleted, nothing is written for it.
    pub from: EventSeq,
    pub to: EventSeq,
    pub deliveries: Vec<NewDelivery>,
}

/// Inserts deliveries and moves the cursors past their events in the same transaction, so that each
/// event has its deliveries exactly once. `Done` has the hooks whose cursors moved.
#[derive(Debug, Clone)]
pub struct MakeDeliveries {
    pub steps: Vec<HookStep>,
}

impl WriteCommand for MakeDeliveries {
    const NAME: &'static str = "make_deliveries";
    type Done = Vec<HookSeq>;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<Vec<HookSeq>, Failed<Infallible>> {
        let mut moved = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            if !tx.move_hook(step.hook_seq, step.from, step.to)? {
                continue;
            }
            moved.push(step.hook_seq);
            if sabotage::is_on(Fault::MoveCursorFirst) {
                continue;
            }
            for delivery in &step.deliveries {
                tx.insert_delivery(delivery)?;
            }
        }
        Ok(moved)
    }
}

/// Inserts deliveries whose cursors were moved already; only a sabotaged build does that.
#[derive(Debug, Clone)]
pub struct MakeLateDeliveries {
    pub deliveries: Vec<NewDelivery>,
}

impl WriteCommand for MakeLateDeliveries {
    const NAME: &'static str = "make_late_deliveries";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        for delivery in &self.deliveries {
            tx.insert_delivery(delivery)?;
        }
        Ok(())
    }
}
