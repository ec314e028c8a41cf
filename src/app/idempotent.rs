//! Carries out a request once, however often it is sent (docs/contract.md, Decision 4).

use crate::sabotage::{self, Fault};
use crate::store::{Failed, KeyUse, Tx, WriteCommand};

/// How long a key's answer is kept at least: 30 days.
pub(super) const KEY_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// A command with its request's idempotency key. The answer is rendered and stored in the
/// transaction of the command, so that neither exists without the other.
pub struct Idempotent<C, R> {
    pub command: C,
    /// Without a key, nothing is looked up or stored.
    pub key: Option<KeyUse>,
    /// Renders the body of a short answer, or names what a long one is rendered from after the
    /// commit. It must be pure, since it runs inside the transaction.
    pub render: R,
}

/// The body of a successful answer, or its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub body: String,
    /// True if this is the stored answer of an earlier request, so that nothing was done now.
    pub replayed: bool,
}

#[derive(Debug)]
pub enum IdempotentRefused<R> {
    /// The key was used for a different request.
    KeyReused,
    Command(R),
}

impl<C, R> WriteCommand for Idempotent<C, R>
where
    C: WriteCommand,
    R: Fn(&C::Done) -> String + Send + 'static,
{
    const NAME: &'static str = C::NAME;
    type Done = Answer;
    type Refused = IdempotentRefused<C::Refused>;

    fn run(&self, tx: &Tx<'_>) -> Result<Answer, Failed<IdempotentRefused<C::Refused>>> {
        let Some(key) = &self.key else {
            let done =
                self.command.run(tx).map_err(|failed| failed.map(IdempotentRefused::Command))?;
            return Ok(Answer { body: (self.render)(&done), replayed: false });
        };
        match tx.find_answer(&key.hash)? {
            Some(stored) if stored.fingerprint != key.fingerprint => {
                Err(Failed::Refused(IdempotentRefused::KeyReused))
            }
            Some(stored) => Ok(Answer { body: stored.answer, replayed: true }),
            None => {
                let done = self
                    .command
                    .run(tx)
                    .map_err(|failed| failed.map(IdempotentRefused::Command))?;
                let body = (self.render)(&done);
                if !sabotage::is_on(Fault::DropKeyRow) {
                    tx.insert_answer(key, &body)?;
                }
                Ok(Answer { body, replayed: false })
            }
        }
    }
}
