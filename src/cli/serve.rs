//! `tillbook serve`

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;

use actix_web::dev::ServerHandle;
use clap::Args;
use clap::builder::FalseyValueParser;
use tokio::sync::oneshot;
use url::{Host, Url};

use super::error::CliError;
use super::signals::Signals;
use super::telemetry::{self, LogLevel};
use super::webhook_args::WebhookArgs;
use super::{DbArgs, tell_new_book};
use crate::app::MakeSignInLink;
use crate::auth::session::Ticket;
use crate::clock::Clock;
use crate::domain::email::Email;
use crate::http::server::{self, ServerOptions};
use crate::http::{AppState, StateOptions, without_dot};
use crate::randomness::Randomness;
use crate::store::{Ended, OpenStore, Store, Writer};
use crate::worker::Workers;

#[derive(Args)]
pub struct ServeArgs {
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    pub http: HttpArgs,
}

/// Where and how the API is served.
#[derive(Args, Clone)]
pub struct HttpArgs {
    /// The address to listen on
    #[arg(
        long,
        env = "TILLBOOK_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS:PORT",
        value_parser = parse_listen
    )]
    pub listen: SocketAddr,
    /// The URL that callers use, which may have a path; links and tokens contain it [default:
    /// http:// and the address]
    #[arg(long, env = "TILLBOOK_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<Url>,
    /// A further host name of the back office, in addition to the public URL's, IP addresses and
    /// localhost; can be repeated
    #[arg(
        long = "host",
        env = "TILLBOOK_HOST",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = parse_host
    )]
    pub hosts: Vec<String>,
    /// An origin whose pages may call the API from a browser; can be repeated
    #[arg(
        long = "cors-origin",
        env = "TILLBOOK_CORS_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        value_parser = parse_origin
    )]
    pub cors_origins: Vec<String>,
    /// A proxy in front of the server, whose X-Forwarded-For has the caller's address; can be
    /// repeated
    #[arg(
        long = "trusted-proxy",
        env = "TILLBOOK_TRUSTED_PROXY",
        value_name = "IP",
        value_delimiter = ',',
        value_parser = parse_proxy
    )]
    pub trusted_proxies: Vec<IpAddr>,
    #[command(flatten)]
    pub webhooks: WebhookArgs,
    /// Serve without TLS on an address that others can reach
    #[arg(long, env = "TILLBOOK_INSECURE_HTTP", value_parser = FalseyValueParser::new())]
    pub insecure_http: bool,
    /// Let sessions of P accounts be paid on the test page too; no money moves there
    #[arg(long, env = "TILLBOOK_TEST_GATEWAY", value_parser = FalseyValueParser::new())]
    pub test_gateway: bool,
    /// Seconds for which an access token is valid
    #[arg(
        long,
        env = "TILLBOOK_TOKEN_LIFE",
        default_value_t = 14_400,
        value_name = "SECONDS",
        value_parser = parse_token_life
    )]
    pub token_life: i64,
    /// How much to log, to standard error
    #[arg(long, env = "TILLBOOK_LOG", value_enum, default_value = "info")]
    pub log: LogLevel,
}

/// `tillbook serve`: serves until SIGTERM, Ctrl-C or a failure of the database. A second signal
/// ends it at once.
pub fn run(args: &ServeArgs) -> Result<(), CliError> {
    let is_new = !args.db.db.exists();
    serve(&args.http, bind(args.http.listen)?, &args.db.db, |running| {
        if is_new {
            tell_new_book(&args.db.db)?;
        }
        announce(running)
    })
}

/// The running server, for the text that announces it.
pub struct Running<'a> {
    pub state: &'a AppState,
    /// The address it listens on; the port is never 0.
    pub address: SocketAddr,
}

/// Opens the book and serves it. The text of `announce` is printed once callers can connect and
/// signals are handled.
pub fn serve(
    args: &HttpArgs,
    listener: TcpListener,
    db: &Path,
    announce: impl FnOnce(&Running<'_>) -> Result<String, CliError>,
) -> Result<(), CliError> {
    let _log = telemetry::start(args.log);
    server::check_open_files().map_err(|error| CliError::Refused(error.to_string()))?;
    let address = listener.local_addr()?;
    let public_url = match &args.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{address}"),
    };
    warn_of_plain_http(args, address, &public_url);
    let OpenStore { store, writer_thread, writer_ended, lock } =
        Store::open(db, Clock::System, Randomness::System)?;
    let state = AppState::open(
        &store,
        StateOptions {
            public_url: public_url.clone(),
            clock: Clock::System,
            token_life_s: args.token_life,
            trusted_proxies: args.trusted_proxies.clone(),
            hosts: args.hosts.clone(),
            insecure_http: args.insecure_http,
            webhook_guard: args.webhooks.guard(),
            test_gateway: args.test_gateway,
        },
    )?;
    let options = ServerOptions {
        path_prefix: path_prefix(&public_url),
        cors_origins: args.cors_origins.clone(),
        ..ServerOptions::default()
    };
    let announcement = announce(&Running { state: &state, address })?;
    // The workers begin with a check of the book, which may end the process.
    let workers = Workers::start(&store, &state.access)?;
    let deliverer = args.webhooks.start(&state)?;
    let reason = actix_web::rt::System::new().block_on(async {
        let signals = Signals::listen()?;
        let server = server::start(listener, state.clone(), options)?;
        tell(&announcement);
        let writer = store.writer.clone();
        let handle = server.handle();
        let stopping = stop_on_signal_or_failure(handle, writer, signals, writer_ended);
        run_until_stopped(server, stopping).await
    })?;
    // Tries of webhooks that have begun are recorded while the writer still works.
    drop(deliverer);
    // Writes the queue and puts the WAL back into the file.
    let last = writer_thread.stop();
    // One of the workers tells what the writer has saved of a lost file.
    drop(workers);
    // The readers are closed before the last connection, which then leaves only the file.
    drop((state, store));
    drop(last);
    drop(lock);
    match reason {
        StopReason::Signal => Ok(()),
        StopReason::WriterEnded(why) => Err(CliError::DatabaseFailed(format!(
            "the database failed while writing ({why}), so the server stopped. The last \
             requests may or may not be recorded; those with an Idempotency-Key can be sent again. \
             Check the disk, then start the server again."
        ))),
    }
}

/// Waits for the server, which takes no new requests after `stopping` and finishes those in
/// progress. Returns why it stopped.
async fn run_until_stopped(
    server: actix_web::dev::Server,
    stopping: impl Future<Output = StopReason> + Send + 'static,
) -> Result<StopReason, CliError> {
    let stopping = tokio::spawn(stopping);
    server.await?;
    Ok(stopping.await.unwrap_or_else(|error| StopReason::WriterEnded(error.to_string())))
}

/// Shells report a process ended by a signal as 128 plus the signal's number.
const SIGNAL_EXIT_CODE: i32 = 128;

enum StopReason {
    Signal,
    WriterEnded(String),
}

async fn stop_on_signal_or_failure(
    handle: ServerHandle,
    writer: Writer,
    mut signals: Signals,
    writer_ended: oneshot::Receiver<Ended>,
) -> StopReason {
    let reason = tokio::select! {
        _ = signals.any() => StopReason::Signal,
        why = writer_ended => {
            let why = why.ok().flatten();
            StopReason::WriterEnded(why.unwrap_or_else(|| "its thread ended".to_owned()))
        }
    };
    tracing::info!(
        "stopping: requests in progress have ten seconds to finish; those that wait for another \
         program's lock on the book are refused"
    );
    writer.stop_waiting();
    let stop = handle.stop(true);
    tokio::pin!(stop);
    // After a failure the server is stopping already, so a first signal changes nothing, and the
    // failure is reported.
    if let StopReason::WriterEnded(_) = reason {
        tokio::select! {
            () = &mut stop => return reason,
            _ = signals.any() => {}
        }
    }
    tokio::select! {
        () = &mut stop => reason,
        // A second signal ends the process without waiting. The book is safe: uncommitted writes
        // were not answered, and the next start recovers as after a crash.
        number = signals.any() => std::process::exit(SIGNAL_EXIT_CODE + number),
    }
}

/// Prints the announcement. The server goes on even if standard output is closed.
fn tell(announcement: &str) {
    let mut out = std::io::stdout().lock();
    let told = out.write_all(announcement.as_bytes()).and_then(|()| out.flush());
    if told.is_err() {
        tracing::warn!("standard output is closed, so the server's address was not printed");
    }
}

/// Opens the socket; the error says what to do.
pub fn bind(listen: SocketAddr) -> Result<TcpListener, CliError> {
    TcpListener::bind(listen).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "{listen} is in use, perhaps by another Tillbook; stop that, or choose another \
                 port with --listen {}:{}",
                listen.ip(),
                listen.port().saturating_add(1)
            ),
            _ => format!("cannot listen on {listen}: {error}; choose another with --listen"),
        };
        CliError::Refused(message)
    })
}

fn warn_of_plain_http(args: &HttpArgs, address: SocketAddr, public_url: &str) {
    let exposed = !address.ip().is_loopback() && public_url.starts_with("http://");
    if exposed && !args.insecure_http {
        tracing::warn!(
            "secrets and tokens travel unencrypted on {public_url}; put a TLS proxy in front and \
             set --public-url https://…, or accept this with --insecure-http"
        );
    }
}

fn announce(running: &Running<'_>) -> Result<String, CliError> {
    let public_url = running.state.links.public_url();
    let version = super::version();
    let address = running.address;
    let mut text = format!(
        "Tillbook {version} serves {public_url} on http://{address}\n\
         Back office: {public_url}/admin\n"
    );
    if !running.state.store.read_blocking(|reader| reader.has_users())? {
        let link = one_time_link(running.state, "setup", None)?;
        text.push_str(&format!(
            "There are no users yet. Make the first one here, within an hour:\n{link}\n"
        ));
    }
    Ok(text)
}

/// A link that works once, within an hour, on that page: `setup` creates the first owner, `link`
/// signs in the user with that e-mail.
pub fn one_time_link(
    state: &AppState,
    page: &str,
    email: Option<Email>,
) -> Result<String, CliError> {
    const LIFE_MS: i64 = 60 * 60 * 1_000;
    let ticket = Ticket::draw(&state.randomness);
    let command = MakeSignInLink { token_sha256: ticket.sha256(), email, life_ms: LIFE_MS };
    let made = state.store.writer.write_blocking(command);
    made.map_err(|error| {
        CliError::Refused(format!(
            "a sign-in link could not be written: {error}. Check that this user may write the \
             book's file and its folder, and that the disk has free space."
        ))
    })?;
    Ok(format!("{}/admin/{page}?ticket={}", state.links.public_url(), ticket.reveal()))
}

fn path_prefix(public_url: &str) -> String {
    let path = Url::parse(public_url).map(|url| url.path().to_owned()).unwrap_or_default();
    path.trim_end_matches('/').to_owned()
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8080".to_owned())
}

/// Longest life of a token: a year.
const TOKEN_LIFE_S_MAX: i64 = 31_536_000;

fn parse_token_life(text: &str) -> Result<i64, String> {
    let seconds = text.parse().ok().filter(|seconds| (1..=TOKEN_LIFE_S_MAX).contains(seconds));
    seconds.ok_or_else(|| {
        format!("expected a whole number of seconds from 1 to {TOKEN_LIFE_S_MAX}, such as 14400")
    })
}

fn parse_proxy(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "expected an IP address, such as 192.0.2.7".to_owned())
}

fn parse_host(text: &str) -> Result<String, String> {
    match Host::parse(text) {
        Ok(Host::Domain(name)) => Ok(without_dot(&name).to_owned()),
        Ok(_) => {
            Err("IP addresses need not be given; expected a name, such as till.lan".to_owned())
        }
        Err(_) => Err("expected a name without a port, such as till.lan".to_owned()),
    }
}

fn parse_public_url(text: &str) -> Result<Url, String> {
    let plain = |url: &Url| {
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        bare && web && !url.path().contains(['{', '}', '%'])
    };
    Url::parse(text).ok().filter(plain).ok_or_else(|| {
        "expected http:// or https://, a host and, if needed, a plain path".to_owned()
    })
}

fn parse_origin(text: &str) -> Result<String, String> {
    let origin = Url::parse(text).map(|url| url.origin().ascii_serialization());
    match origin {
        Ok(origin) if origin == text => Ok(origin),
        Ok(origin) if origin != "null" => Err(format!("write the origin as {origin}")),
        _ => Err("expected an origin, such as https://shop.example".to_owned()),
    }
}
