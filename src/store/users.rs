//! Users, their accounts and sessions, and links that sign in once.

use rusqlite::{Row, named_params};

use super::accounts::{AccountRecord, read_account};
use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::email::Email;
use crate::domain::ids::UserSeq;
use crate::domain::role::Role;

/// A stored user.
#[derive(Debug, Clone)]
pub struct UserRecord {
    pub user_seq: UserSeq,
    pub user_id: String,
    pub email: Email,
    /// The same in all of the user's accounts.
    pub role: Role,
    pub password_hash: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
}

/// A user that is to be inserted.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub email: Email,
    pub role: Role,
    pub password_hash: String,
}

/// A signed-in browser.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    pub user: UserRecord,
    pub form_token: String,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// Sessions that a user may have at once. Each browser has one; a program that signs in again and
/// again would add a row each time.
pub const USER_SESSIONS_MAX: i64 = 100;

/// A session that is to be started.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub token_sha256: [u8; 32],
    pub form_token: String,
}

/// A link that signs in once.
#[derive(Debug, Clone, Copy)]
pub struct SignInLink {
    /// The user that it signs in; `None` for a link that creates the first owner.
    pub user_seq: Option<UserSeq>,
    pub expires_at: Timestamp,
}

/// The client or user that a `…_by` column names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doer {
    User { email: Email },
    Client { name: String },
}

const SELECT_USER: &str = "select user_seq, user_id, email, role, password_hash,
    users.created_at_ms as user_created_at_ms, disabled_at_ms from users";

impl Reader<'_> {
    /// Every user, oldest first.
    pub fn list_users(&self) -> Result<Vec<UserRecord>, StoreError> {
        self.list(format!("{SELECT_USER} order by user_seq"), [], read_user)
    }

    pub fn find_user(&self, email: &Email) -> Result<Option<UserRecord>, StoreError> {
        let sql = format!("{SELECT_USER} where email = :email");
        self.find(sql, named_params! {":email": email}, read_user)
    }

    /// True if there is at least one user.
    pub fn has_users(&self) -> Result<bool, StoreError> {
        Ok(self.find("select 1 from users limit 1", [], |_| Ok(()))?.is_some())
    }

    /// Finds the user or client with that id.
    pub fn find_doer(&self, created_by: &str) -> Result<Option<Doer>, StoreError> {
        let sql = "select 1 as is_user, email as name from users where user_id = :id
                   union all select 0, name from clients where client_id = :id limit 1";
        self.find(sql, named_params! {":id": created_by}, |row| {
            let is_user: bool = row.get("is_user")?;
            Ok(if is_user {
                Doer::User { email: row.get("name")? }
            } else {
                Doer::Client { name: row.get("name")? }
            })
        })
    }

    /// The user's accounts, by id.
    pub fn list_accounts_of(&self, user_seq: UserSeq) -> Result<Vec<AccountRecord>, StoreError> {
        let sql = "select account_id, name, currency, time_zone, created_at_ms, checkout_url
                   from user_accounts join accounts using (account_seq)
                   where user_seq = :user_seq order by account_id";
        self.list(sql, named_params! {":user_seq": user_seq}, read_account)
    }

    /// The session of a cookie, with its user.
    pub fn find_session(
        &self,
        token_sha256: &[u8; 32],
    ) -> Result<Option<SessionRecord>, StoreError> {
        let sql = "select user_seq, user_id, email, role, password_hash,
                users.created_at_ms as user_created_at_ms, disabled_at_ms,
                form_token, sessions.created_at_ms, last_seen_at_ms
            from sessions join users using (user_seq) where token_sha256 = :token_sha256";
        self.find(sql, named_params! {":token_sha256": token_sha256}, |row| {
            Ok(SessionRecord {
                user: read_user(row)?,
                form_token: row.get("form_token")?,
                created_at: row.get("created_at_ms")?,
                last_seen_at: row.get("last_seen_at_ms")?,
            })
        })
    }

    /// Finds a link by its hash, even an expired one.
    pub fn find_sign_in_link(
        &self,
        token_sha256: &[u8; 32],
    ) -> Result<Option<SignInLink>, StoreError> {
        let sql = "select user_seq, expires_at_ms from sign_in_links
                   where token_sha256 = :token_sha256";
        self.find(sql, named_params! {":token_sha256": token_sha256}, |row| {
            Ok(SignInLink { user_seq: row.get("user_seq")?, expires_at: row.get("expires_at_ms")? })
        })
    }
}

impl Tx<'_> {
    /// Inserts a user, without accounts.
    pub fn insert_user(&self, user: &NewUser) -> Result<UserSeq, StoreError> {
        let sql = "insert into users (user_id, email, role, password_hash, created_at_ms)
                   values (:user_id, :email, :role, :password_hash, :now)";
        let user_seq = self.insert(
            sql,
            named_params! {
                ":user_id": self.randomness().uuid(),
                ":email": user.email,
                ":role": user.role,
                ":password_hash": user.password_hash,
                ":now": self.now(),
            },
        )?;
        Ok(UserSeq(user_seq))
    }

    /// Gives a user access to the account in row `account_seq`.
    pub fn insert_user_account(
        &self,
        user_seq: UserSeq,
        account_seq: i64,
    ) -> Result<(), StoreError> {
        let sql = "insert into user_accounts (user_seq, account_seq)
                   values (:user_seq, :account_seq) on conflict do nothing";
        let params = named_params! {":user_seq": user_seq, ":account_seq": account_seq};
        self.execute(sql, params)?;
        Ok(())
    }

    /// Sets a user's password.
    pub fn update_password(
        &self,
        user_seq: UserSeq,
        password_hash: &str,
    ) -> Result<(), StoreError> {
        let sql = "update users set password_hash = :password_hash where user_seq = :user_seq";
        let params = named_params! {":user_seq": user_seq, ":password_hash": password_hash};
        self.execute(sql, params)?;
        Ok(())
    }

    /// Disables a user for good.
    pub fn disable_user(&self, user_seq: UserSeq) -> Result<(), StoreError> {
        let sql = "update users set disabled_at_ms = coalesce(disabled_at_ms, :now)
                   where user_seq = :user_seq";
        self.execute(sql, named_params! {":user_seq": user_seq, ":now": self.now()})?;
        Ok(())
    }

    /// Ends all sessions of a user and deletes all links that would sign the user in.
    pub fn sign_out_everywhere(&self, user_seq: UserSeq) -> Result<(), StoreError> {
        let params = named_params! {":user_seq": user_seq};
        self.execute("delete from sessions where user_seq = :user_seq", params)?;
        // This needs no index: the table only has the links of the last hour.
        self.execute("delete from sign_in_links where user_seq = :user_seq", params)?;
        Ok(())
    }

    /// Starts a session. Ends the sessions of this user that were not used for longest, if there
    /// are too many.
    pub fn insert_session(
        &self,
        user_seq: UserSeq,
        session: &NewSession,
    ) -> Result<(), StoreError> {
        let sql = "delete from sessions where token_sha256 in (
            select token_sha256 from sessions where user_seq = :user_seq
            order by last_seen_at_ms desc limit -1 offset :others_max)";
        let others_max = USER_SESSIONS_MAX - 1;
        self.execute(sql, named_params! {":user_seq": user_seq, ":others_max": others_max})?;
        let sql = "insert into sessions
            (token_sha256, user_seq, form_token, created_at_ms, last_seen_at_ms)
            values (:token_sha256, :user_seq, :form_token, :now, :now)";
        self.execute(
            sql,
            named_params! {
                ":token_sha256": session.token_sha256,
                ":user_seq": user_seq,
                ":form_token": session.form_token,
                ":now": self.now(),
            },
        )?;
        Ok(())
    }

    /// Records that a session is in use.
    pub fn touch_session(&self, token_sha256: &[u8; 32]) -> Result<(), StoreError> {
        let sql = "update sessions set last_seen_at_ms = :now where token_sha256 = :token_sha256";
        let params = named_params! {":token_sha256": token_sha256, ":now": self.now()};
        self.execute(sql, params)?;
        Ok(())
    }

    pub fn delete_session(&self, token_sha256: &[u8; 32]) -> Result<(), StoreError> {
        let sql = "delete from sessions where token_sha256 = :token_sha256";
        self.execute(sql, named_params! {":token_sha256": token_sha256})?;
        Ok(())
    }

    /// Deletes sessions that began before `before`.
    pub fn delete_old_sessions(&self, before: Timestamp) -> Result<(), StoreError> {
        let sql = "delete from sessions where created_at_ms < :before";
        self.execute(sql, named_params! {":before": before})?;
        Ok(())
    }

    /// Adds a link that signs in once, and deletes expired links.
    pub fn insert_sign_in_link(
        &self,
        token_sha256: &[u8; 32],
        link: SignInLink,
    ) -> Result<(), StoreError> {
        let sql = "delete from sign_in_links where expires_at_ms < :now";
        self.execute(sql, named_params! {":now": self.now()})?;
        let sql = "insert into sign_in_links (token_sha256, user_seq, expires_at_ms)
                   values (:token_sha256, :user_seq, :expires_at_ms)";
        self.execute(
            sql,
            named_params! {
                ":token_sha256": token_sha256,
                ":user_seq": link.user_seq,
                ":expires_at_ms": link.expires_at,
            },
        )?;
        Ok(())
    }

    /// Deletes a link, so that it cannot be used again.
    pub fn delete_sign_in_link(&self, token_sha256: &[u8; 32]) -> Result<(), StoreError> {
        let sql = "delete from sign_in_links where token_sha256 = :token_sha256";
        self.execute(sql, named_params! {":token_sha256": token_sha256})?;
        Ok(())
    }
}

fn read_user(row: &Row<'_>) -> rusqlite::Result<UserRecord> {
    Ok(UserRecord {
        user_seq: row.get("user_seq")?,
        user_id: row.get("user_id")?,
        email: row.get("email")?,
        role: row.get("role")?,
        password_hash: row.get("password_hash")?,
        created_at: row.get("user_created_at_ms")?,
        disabled_at: row.get("disabled_at_ms")?,
    })
}
