//! Changing a user's password or disabling the user. Every change ends all of the user's sessions
//! and sign-in links.

use crate::domain::email::Email;
use crate::store::{Failed, Tx, UserRecord, WriteCommand};

#[derive(Debug, Clone)]
pub struct ChangeUser {
    pub email: Email,
    pub change: UserChange,
}

#[derive(Debug, Clone)]
pub enum UserChange {
    /// Already hashed: hashing is slow and must not happen inside a transaction.
    Password {
        password_hash: String,
    },
    Disable,
}

#[derive(Debug, thiserror::Error)]
pub enum ChangeUserRefused {
    #[error("there is no user {0}; `tillbook user list` shows all")]
    UserNotFound(Email),
}

impl WriteCommand for ChangeUser {
    const NAME: &'static str = "change_user";
    type Done = UserRecord;
    type Refused = ChangeUserRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<UserRecord, Failed<ChangeUserRefused>> {
        let not_found = || Failed::Refused(ChangeUserRefused::UserNotFound(self.email.clone()));
        let user = tx.find_user(&self.email)?.ok_or_else(not_found)?;
        match &self.change {
            UserChange::Password { password_hash } => {
                tx.update_password(user.user_seq, password_hash)?;
            }
            UserChange::Disable => tx.disable_user(user.user_seq)?,
        }
        // After any change, even of a kind that is added later, old sessions and links must fail.
        tx.sign_out_everywhere(user.user_seq)?;
        tx.find_user(&self.email)?.ok_or_else(not_found)
    }
}
