//! Doing what a request asks once, however often it is sent (docs/contract.md, Decision 4).

use crate::sabotage::{self, Fault};
use crate::store::{Failed, KeyUse, Tx, WriteCommand};

/// How long a key stands for its answer at least: 30 days of the book's time.
pub(super) const KEY_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// A command, and the key that its request carried. The answer is rendered and stored in the
/// transaction of what the command did, so that there is never one without the other.
pub struct Idempotent<C, R> {
    pub command: C,
    /// Without a key nothing is looked up or stored.
    pub key: Option<KeyUse>,
    /// Makes the body of the answer; pure.
    pub render: R,
}

/// The body of a 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub body: String,
    /// It is the stored answer of an earlier request; nothing was done.
    pub replayed: bool,
}

/// Why a request with a key was not done.
#[derive(Debug)]
pub enum IdempotentRefused<R> {
    /// The key stands for another request.
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
