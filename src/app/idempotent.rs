//! Carries out a request once, however often it is sent (docs/contract.md, Decision 4).

use crate::domain::ids::AccountId;
use crate::sabotage::{self, Fault};
use crate::store::{AnswerName, Failed, KeyUse, Tx, WriteCommand};

/// How long a key is kept at least: 30 days.
pub(super) const KEY_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// A command with its request's idempotency key. The name of its answer is stored in the
/// transaction of the command, so that neither exists without the other.
pub struct Idempotent<C: WriteCommand> {
    pub command: C,
    /// Without a key, nothing is looked up or stored.
    pub key: Option<KeyUse>,
    /// Names what the answer is rendered from if the request is sent again.
    pub name: fn(&C::Done) -> AnswerName,
}

/// Whether a request was carried out now or earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once<D> {
    Now(D),
    /// Nothing was done now. The name of the earlier request's answer.
    Before(AnswerName),
}

#[derive(Debug)]
pub enum IdempotentRefused<R> {
    /// The key was used for a different request.
    KeyReused,
    Command(R),
}

impl<C: WriteCommand> WriteCommand for Idempotent<C> {
    const NAME: &'static str = C::NAME;
    type Done = Once<C::Done>;
    type Refused = IdempotentRefused<C::Refused>;

    fn account(&self) -> Option<&AccountId> {
        self.command.account()
    }

    fn run(&self, tx: &Tx<'_>) -> Result<Once<C::Done>, Failed<IdempotentRefused<C::Refused>>> {
        let run = || self.command.run(tx).map_err(|why| why.map(IdempotentRefused::Command));
        let Some(key) = &self.key else {
            return run().map(Once::Now);
        };
        match tx.find_answer(&key.hash)? {
            Some(stored) if stored.fingerprint != key.fingerprint => {
                Err(Failed::Refused(IdempotentRefused::KeyReused))
            }
            Some(stored) => Ok(Once::Before(stored.name)),
            None => {
                let done = run()?;
                if !sabotage::is_on(Fault::DropKeyRow) {
                    tx.insert_answer(key, &(self.name)(&done))?;
                }
                Ok(Once::Now(done))
            }
        }
    }
}
