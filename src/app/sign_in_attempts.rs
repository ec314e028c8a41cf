//! Writes failed sign-ins to the book, so that guessing stays slow after a restart. Delays are
//! decided in memory (`http::guesses`); a sign-in that succeeds writes nothing here.

use std::convert::Infallible;

use crate::auth::attempts::{Attempts, NameHash};
use crate::store::{Failed, Tx, WriteCommand};

/// Stores how often sign-ins have failed under some names, and deletes names that memory no longer
/// has room for. So the table has no more rows than memory has names.
#[derive(Debug, Clone)]
pub struct RememberFailures {
    pub known: Vec<(NameHash, Attempts)>,
    pub forgotten: Vec<NameHash>,
}

impl WriteCommand for RememberFailures {
    const NAME: &'static str = "remember_failures";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        for name in &self.forgotten {
            tx.delete_sign_in_attempts(name)?;
        }
        for (name, attempts) in &self.known {
            tx.put_sign_in_attempts(name, attempts.failures, attempts.last_at)?;
        }
        Ok(())
    }
}
