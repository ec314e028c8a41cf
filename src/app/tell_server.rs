//! Commands of another process that a running server must notice.

use crate::store::{Failed, Tx, WriteCommand};

/// Runs a command and tells running servers to look at access rights and hooks again.
#[derive(Debug, Clone)]
pub struct TellServer<C>(pub C);

impl<C: WriteCommand> WriteCommand for TellServer<C> {
    const NAME: &'static str = C::NAME;
    type Done = C::Done;
    type Refused = C::Refused;

    fn run(&self, tx: &Tx<'_>) -> Result<C::Done, Failed<C::Refused>> {
        let done = self.0.run(tx)?;
        tx.raise_access_version()?;
        Ok(done)
    }
}
