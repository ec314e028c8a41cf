//! The temporary webhook of a listener, and those that killed listeners have left behind.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::super::error::CliError;
use super::not_served;
use super::receiver::ALIVE;
use crate::app::{
    ChangeHook, ChangeHookRefused, CreateHook, CreateHookRefused, HookChange, OnBehalfOf, PING,
    PingHook, TellServer,
};
use crate::domain::delivery::DeliveryState;
use crate::domain::hook::{HOOKS_MAX, HookEvent, HookEvents, HookSecret, SecretType};
use crate::domain::ids::{AccountId, CreatedBy};
use crate::store::{self, Failed, HookRecord, HookSettings, StoreError};
use crate::wire::{hook_body, hook_view};

/// The author of the webhooks of listeners.
const AUTHOR: &str = "tillbook listen";

/// How long a listener may take to answer another one.
const ANSWER_WAIT: Duration = Duration::from_millis(500);

/// How many of the newest deliveries are searched for the first ping.
const DELIVERIES_LOOKED_AT: u32 = 100;

/// A webhook that its listener removes at its end.
pub(super) struct TemporaryHook {
    db: PathBuf,
    hook: HookRecord,
}

impl TemporaryHook {
    /// Makes it with all events, and has it pinged.
    pub fn make(
        db: &Path,
        account_id: &AccountId,
        url: String,
        secret: String,
    ) -> Result<TemporaryHook, CliError> {
        let settings = HookSettings {
            url,
            events: HookEvents::new(HookEvent::ALL.to_vec()),
            fields: None,
            exclude_fields: None,
            secret: HookSecret { kind: SecretType::HmacSha1, value: secret },
        };
        let command = CreateHook {
            on_behalf_of: author(account_id),
            settings,
            through_seq: None,
            active: true,
        };
        let made = store::write_once_in_existing(db, &TellServer(command));
        let hook_seq = made.map_err(|failed| match failed {
            Failed::Refused(CreateHookRefused::TooManyHooks) => CliError::Refused(format!(
                "the account has {HOOKS_MAX} webhooks, the most that are allowed; delete one first"
            )),
            Failed::Refused(CreateHookRefused::NoSuchEvent) => {
                CliError::Refused("the book has changed; try again".to_owned())
            }
            Failed::Store(error) => error.into(),
        })?;
        let hook = store::read_once::<_, StoreError>(db, |reader| reader.load_hook(hook_seq))?;
        let hook = TemporaryHook { db: db.to_owned(), hook };
        if let Err(error) = hook.ask_for_ping() {
            hook.remove()?;
            return Err(error);
        }
        Ok(hook)
    }

    fn ask_for_ping(&self) -> Result<(), CliError> {
        let command = PingHook {
            on_behalf_of: author(&self.hook.account_id),
            hook_id: self.hook.id.clone(),
            body: hook_body::ping_body(hook_view::render(&self.hook)),
        };
        Ok(store::write_once_in_existing(&self.db, &TellServer(command))?)
    }

    /// An error if the ping was tried and failed, or if no server runs any more.
    pub fn expect_ping(&self) -> Result<(), CliError> {
        let hook_seq = self.hook.hook_seq;
        let deliveries = store::read_once::<_, StoreError>(&self.db, |reader| {
            reader.list_deliveries(hook_seq, None, DELIVERIES_LOOKED_AT)
        })?;
        let ping = deliveries.iter().find(|delivery| delivery.event == PING);
        let failed = ping.filter(|ping| ping.state == DeliveryState::Failed);
        let why = failed.and_then(|ping| ping.last_try.as_ref()?.error.clone());
        match why {
            Some(why) if why.contains("--webhook-allow") => Err(CliError::Refused(format!(
                "the server sends nothing to this machine. Start it again with `tillbook serve \
                 --db {} --webhook-allow 127.0.0.1`",
                self.db.display()
            ))),
            Some(why) => Err(CliError::Refused(format!("the server's ping did not come: {why}"))),
            None if store::is_locked(&self.db) => Ok(()),
            None => Err(not_served(&self.db)),
        }
    }

    pub fn remove(&self) -> Result<(), CliError> {
        remove(&self.db, &self.hook)
    }
}

/// Removes the webhooks of listeners that no longer run.
pub(super) fn remove_leftovers(db: &Path) -> Result<(), CliError> {
    let hooks = store::read_once::<_, StoreError>(db, |reader| reader.list_all_hooks())?;
    let of_listeners = hooks.iter().filter(|hook| hook.created_by.0 == AUTHOR);
    for hook in of_listeners.filter(|hook| !is_listening(&hook.settings.url)) {
        remove(db, hook)?;
    }
    Ok(())
}

fn remove(db: &Path, hook: &HookRecord) -> Result<(), CliError> {
    let command = ChangeHook {
        on_behalf_of: author(&hook.account_id),
        hook_id: hook.id.clone(),
        change: HookChange::Delete,
    };
    match store::write_once_in_existing(db, &TellServer(command)) {
        Ok(_) | Err(Failed::Refused(ChangeHookRefused::HookNotFound)) => Ok(()),
        Err(Failed::Store(error)) => Err(error.into()),
    }
}

fn author(account_id: &AccountId) -> OnBehalfOf {
    OnBehalfOf { account_id: account_id.clone(), created_by: CreatedBy(AUTHOR.to_owned()) }
}

/// True if a listener answers at its URL. Its port may have been given to another program.
fn is_listening(url: &str) -> bool {
    ask(url).is_some_and(|answer| answer.contains(ALIVE))
}

fn ask(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let address: SocketAddr = format!("{}:{}", url.host_str()?, url.port()?).parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WAIT).ok()?;
    stream.set_read_timeout(Some(ANSWER_WAIT)).ok()?;
    let head =
        format!("GET {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n", url.path());
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // A listener's answer is shorter; another program's is not read further.
    let _read = stream.take(1_024).read_to_end(&mut answer);
    Some(String::from_utf8_lossy(&answer).into_owned())
}
