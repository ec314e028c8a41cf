//! `tillbook listen`: shows the events of an account as they are delivered.

mod hook;
mod line;
mod receiver;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use url::Url;

use self::hook::{TemporaryHook, remove_leftovers};
use self::receiver::{Forward, Receiver};
use super::error::CliError;
use super::served_book::{AccountArgs, ServedBookArgs};
use super::signals::Signals;
use crate::domain::ids::AccountId;
use crate::randomness::Randomness;
use crate::store;
use crate::wire::hook_signature::new_secret;

/// How often it is looked whether the first ping has failed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct ListenArgs {
    /// The port on this machine to receive at [default: a free one]
    #[arg(long, env = "TILLBOOK_PORT", value_name = "PORT")]
    port: Option<u16>,
    /// Also send each request on, unchanged, to this URL of your own program
    #[arg(long, env = "TILLBOOK_FORWARD", value_name = "URL", value_parser = parse_url)]
    forward: Option<Url>,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    book: ServedBookArgs,
}

/// What a listener works with.
struct Listening {
    db: PathBuf,
    account_id: AccountId,
    socket: TcpListener,
    forward: Option<Forward>,
}

/// Makes a temporary webhook, prints each event until Ctrl-C, and removes the webhook.
pub fn run(args: &ListenArgs) -> Result<(), CliError> {
    let db = args.book.find()?;
    if !db.exists() {
        return Err(not_served(&db));
    }
    let account_id = args.account.find(&db)?;
    if !store::is_locked(&db) {
        return Err(not_served(&db));
    }
    let forward = args.forward.as_ref().map(Forward::to).transpose()?;
    let address = (Ipv4Addr::LOCALHOST, args.port.unwrap_or_default());
    let socket = TcpListener::bind(address).map_err(|error| {
        CliError::Refused(format!(
            "cannot listen on port {}: {error}; choose another with --port",
            address.1
        ))
    })?;
    remove_leftovers(&db)?;
    let listening = Listening { db, account_id, socket, forward };
    actix_web::rt::System::new().block_on(listen(listening))
}

fn not_served(db: &Path) -> CliError {
    CliError::Refused(format!(
        "no server has {} open. Start one in another terminal: `tillbook demo`, or `tillbook serve \
         --db {0} --webhook-allow 127.0.0.1`",
        db.display()
    ))
}

async fn listen(listening: Listening) -> Result<(), CliError> {
    let Listening { db, account_id, socket, forward } = listening;
    // From here on Ctrl-C does not end the process, so that the webhook is removed.
    let mut signals = Signals::listen()?;
    let address = socket.local_addr()?;
    let path = format!("/{}", Randomness::System.uuid());
    let secret = new_secret(&Randomness::System.bytes());
    let (tell_ping, pinged) = unbounded_channel();
    let receiver = Receiver { path: path.clone(), secret: secret.clone(), forward, tell_ping };
    let server = receiver::start(socket, receiver)?;
    let handle = server.handle();
    let serving = actix_web::rt::spawn(server);
    let url = format!("http://{address}{path}");
    let hook = TemporaryHook::make(&db, &account_id, url, secret.clone())?;
    let told = format!(
        "Listening to the events of {account_id}. Ctrl-C ends it.\nThe secret of its webhook is \
         {secret}\n"
    );
    let heard = until_stopped(&hook, pinged, &mut signals, &told).await;
    let removed = hook.remove();
    handle.stop(false).await;
    serving.await.unwrap_or(Ok(()))?;
    heard.and(removed)
}

/// Waits for Ctrl-C, and before the first ping also for a reason why none comes.
async fn until_stopped(
    hook: &TemporaryHook,
    mut pinged: UnboundedReceiver<()>,
    signals: &mut Signals,
    told: &str,
) -> Result<(), CliError> {
    let mut is_ready = false;
    loop {
        tokio::select! {
            _ = signals.any() => return Ok(()),
            Some(()) = pinged.recv(), if !is_ready => {
                is_ready = true;
                receiver::print(told)?;
            }
            () = tokio::time::sleep(LOOK_EVERY), if !is_ready => hook.expect_ping()?,
        }
    }
}

fn parse_url(text: &str) -> Result<Url, String> {
    let web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    Url::parse(text)
        .ok()
        .filter(web)
        .ok_or_else(|| "expected http:// or https:// and a host".to_owned())
}
