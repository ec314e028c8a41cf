//! Signing in and out: sessions, and links that sign in once.

use std::convert::Infallible;

use super::create_account::{CreateAccount, CreateAccountRefused};
use super::create_user::{CreateUser, CreateUserRefused};
use crate::auth::attempts::NameHash;
use crate::domain::Timestamp;
use crate::domain::email::Email;
use crate::store::{
    Failed, NewSession, Reader, SignInLink, StoreError, Tx, UserRecord, WriteCommand,
};

/// How long a session lasts after it began, used or not: 12 hours.
pub const SESSION_LIFE_MS: i64 = 12 * 60 * 60 * 1_000;

/// Starts a session for a user whose password was correct. The session of the browser's previous
/// cookie ends, so that an attacker cannot plant a known cookie and wait for a sign-in.
#[derive(Debug, Clone)]
pub struct StartSession {
    pub user: UserRecord,
    pub session: NewSession,
    pub replaces: Option<[u8; 32]>,
    /// The user's name in `sign_in_attempts`, if sign-ins had failed before this one.
    pub forgets: Option<NameHash>,
}

impl WriteCommand for StartSession {
    const NAME: &'static str = "start_session";
    /// False if the user was disabled or changed the password since it was compared.
    type Done = bool;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<bool, Failed<Infallible>> {
        let current = tx.find_user(&self.user.email)?.filter(|user| user.disabled_at.is_none());
        let unchanged = current.is_some_and(|user| user.password_hash == self.user.password_hash);
        if !unchanged {
            return Ok(false);
        }
        tx.delete_old_sessions(Timestamp(tx.now().0 - SESSION_LIFE_MS))?;
        if let Some(replaced) = &self.replaces {
            tx.delete_session(replaced)?;
        }
        if let Some(name) = &self.forgets {
            tx.delete_sign_in_attempts(name)?;
        }
        tx.insert_session(self.user.user_seq, &self.session)?;
        Ok(true)
    }
}

#[derive(Debug, Clone)]
pub struct EndSession {
    pub token_sha256: [u8; 32],
}

impl WriteCommand for EndSession {
    const NAME: &'static str = "end_session";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        Ok(tx.delete_session(&self.token_sha256)?)
    }
}

/// Records that a session is in use.
#[derive(Debug, Clone)]
pub struct TouchSession {
    pub token_sha256: [u8; 32],
}

impl WriteCommand for TouchSession {
    const NAME: &'static str = "touch_session";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        Ok(tx.touch_session(&self.token_sha256)?)
    }
}

/// Makes a link that works once.
#[derive(Debug, Clone)]
pub struct MakeSignInLink {
    pub token_sha256: [u8; 32],
    /// The user that it signs in; `None` for a link that creates the first owner.
    pub email: Option<Email>,
    pub life_ms: i64,
}

/// A link was asked for a user that does not exist or is disabled.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[error("there is no user with this e-mail")]
pub struct LinkUserNotFound;

impl WriteCommand for MakeSignInLink {
    const NAME: &'static str = "make_sign_in_link";
    type Done = ();
    type Refused = LinkUserNotFound;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<LinkUserNotFound>> {
        let not_found = || Failed::Refused(LinkUserNotFound);
        let user_seq = match &self.email {
            // Without this, a link for an unknown user would create a first owner.
            Some(email) => {
                let user = tx.find_user(email)?.filter(|user| user.disabled_at.is_none());
                Some(user.ok_or_else(not_found)?.user_seq)
            }
            None => None,
        };
        let expires_at = Timestamp(tx.now().0 + self.life_ms);
        let link = SignInLink { user_seq, expires_at };
        Ok(tx.insert_sign_in_link(&self.token_sha256, link)?)
    }
}

/// The purpose of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkUse {
    /// To sign in the user that it names.
    SignIn,
    /// To create the first owner.
    SetUp,
}

#[derive(Debug, thiserror::Error)]
pub enum UseLinkRefused {
    #[error("it was used already or has expired")]
    LinkGone,
    #[error(transparent)]
    Account(CreateAccountRefused),
    #[error(transparent)]
    User(CreateUserRefused),
}

/// Signs in the user that a link is for.
#[derive(Debug, Clone)]
pub struct UseSignInLink {
    pub link_sha256: [u8; 32],
    pub session: NewSession,
}

impl WriteCommand for UseSignInLink {
    const NAME: &'static str = "use_sign_in_link";
    type Done = ();
    type Refused = UseLinkRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<UseLinkRefused>> {
        let link = usable_link(tx, &self.link_sha256, LinkUse::SignIn)?;
        let user_seq = link.user_seq.ok_or(Failed::Refused(UseLinkRefused::LinkGone))?;
        tx.delete_sign_in_link(&self.link_sha256)?;
        tx.delete_old_sessions(Timestamp(tx.now().0 - SESSION_LIFE_MS))?;
        Ok(tx.insert_session(user_seq, &self.session)?)
    }
}

/// Creates the first owner, and the first account if the book has no account, and signs the owner
/// in.
#[derive(Debug, Clone)]
pub struct SetUp {
    pub link_sha256: [u8; 32],
    pub account: Option<CreateAccount>,
    pub owner: CreateUser,
    pub session: NewSession,
}

impl WriteCommand for SetUp {
    const NAME: &'static str = "set_up";
    type Done = ();
    type Refused = UseLinkRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<UseLinkRefused>> {
        usable_link(tx, &self.link_sha256, LinkUse::SetUp)?;
        let mut owner = self.owner.clone();
        if let Some(account) = &self.account {
            account.run(tx).map_err(|failed| failed.map(UseLinkRefused::Account))?;
        }
        owner.accounts = tx.list_accounts()?.into_iter().map(|a| a.account_id).collect();
        let made = owner.run(tx).map_err(|failed| failed.map(UseLinkRefused::User))?;
        tx.delete_sign_in_link(&self.link_sha256)?;
        Ok(tx.insert_session(made.user_seq, &self.session)?)
    }
}

/// The link, if it can be used for that at `now`. A page checks this before it writes or hashes
/// anything, and the command checks it again.
pub fn find_usable_link(
    reader: &Reader<'_>,
    token_sha256: &[u8; 32],
    now: Timestamp,
    link_use: LinkUse,
) -> Result<Option<SignInLink>, StoreError> {
    let found = reader.find_sign_in_link(token_sha256)?;
    let Some(link) = found.filter(|link| now < link.expires_at) else { return Ok(None) };
    let fits = match link_use {
        LinkUse::SignIn => link.user_seq.is_some(),
        LinkUse::SetUp => link.user_seq.is_none() && !reader.has_users()?,
    };
    Ok(fits.then_some(link))
}

fn usable_link(
    tx: &Tx<'_>,
    token_sha256: &[u8; 32],
    link_use: LinkUse,
) -> Result<SignInLink, Failed<UseLinkRefused>> {
    let link = find_usable_link(tx, token_sha256, tx.now(), link_use)?;
    link.ok_or(Failed::Refused(UseLinkRefused::LinkGone))
}
