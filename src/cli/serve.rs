//! `tillbook serve`

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;

use actix_web::dev::ServerHandle;
use clap::Args;
use clap::builder::FalseyValueParser;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use url::{Host, Url};

use super::DbArgs;
use super::error::CliError;
use super::telemetry::{self, LogLevel};
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
    /// The URL that callers use, a path allowed; links and tokens name it [default: http:// and
    /// the address]
    #[arg(long, env = "TILLBOOK_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<Url>,
    /// A name that the back office may be reached by besides the public URL's, addresses and
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
    /// A proxy in front of the server, whose X-Forwarded-For says who calls; can be repeated
    #[arg(
        long = "trusted-proxy",
        env = "TILLBOOK_TRUSTED_PROXY",
        value_name = "IP",
        value_delimiter = ',',
        value_parser = parse_proxy
    )]
    pub trusted_proxies: Vec<IpAddr>,
    /// Serve without TLS on an address that others can reach
    #[arg(long, env = "TILLBOOK_INSECURE_HTTP", value_parser = FalseyValueParser::new())]
    pub insecure_http: bool,
    /// Seconds that an access token lives
    #[arg(
        long,
        env = "TILLBOOK_TOKEN_LIFE",
        default_value_t = 14_400,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(i64).range(1..=31_536_000)
    )]
    pub token_life: i64,
    /// How much is logged, to standard error
    #[arg(long, env = "TILLBOOK_LOG", value_enum, default_value = "info")]
    pub log: LogLevel,
}

/// `tillbook serve`: serves until SIGTERM, Ctrl-C or a failure of the database. A second signal
/// ends it at once.
pub fn run(args: &ServeArgs) -> Result<(), CliError> {
    serve(&args.http, bind(args.http.listen)?, &args.db.db, announce)
}

/// The running server, for the text that announces it.
pub struct Running<'a> {
    pub state: &'a AppState,
    /// The address it listens on; the port is never 0.
    pub address: SocketAddr,
}

/// Opens the book and serves it. What `announce` writes is printed once callers can connect and
/// a signal ends the server in order.
pub fn serve(
    args: &HttpArgs,
    listener: TcpListener,
    db: &Path,
    announce: impl FnOnce(&Running<'_>) -> Result<String, CliError>,
) -> Result<(), CliError> {
    let _log = telemetry::start(args.log);
    let address = listener.local_addr()?;
    let public_url = match &args.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{address}"),
    };
    warn_of_plain_http(args, address, &public_url);
    let opened = Store::open(db, Clock::System, Randomness::System)?;
    let state = AppState::open(
        &opened.store,
        StateOptions {
            public_url: public_url.clone(),
            clock: Clock::System,
            token_life_s: args.token_life,
            trusted_proxies: args.trusted_proxies.clone(),
            hosts: args.hosts.clone(),
            insecure_http: args.insecure_http,
        },
    )?;
    let options = ServerOptions {
        path_prefix: path_prefix(&public_url),
        cors_origins: args.cors_origins.clone(),
        ..ServerOptions::default()
    };
    let announcement = announce(&Running { state: &state, address })?;
    // The workers begin with a check of the book, which may end the process.
    let workers = Workers::start(&opened.store, &state.access)?;
    let ended = actix_web::rt::System::new().block_on(async {
        let signals = Signals::listen()?;
        let server = server::start(listener, state.clone(), options)?;
        tell(&announcement);
        run_until_told(server, opened, signals).await
    });
    drop(workers);
    ended
}

/// Waits for a signal or the end of the writer, then ends in order: no new requests, those in
/// flight finished, the queue written, the WAL put back.
async fn run_until_told(
    server: actix_web::dev::Server,
    opened: OpenStore,
    signals: Signals,
) -> Result<(), CliError> {
    let handle = server.handle();
    let writer = opened.store.writer;
    let stopping = tokio::spawn(stop_when_told(handle, writer, signals, opened.writer_ended));
    server.await?;
    let told = stopping.await.unwrap_or_else(|error| Told::WriterEnded(error.to_string()));
    opened.writer_thread.stop();
    match told {
        Told::Signal => Ok(()),
        Told::WriterEnded(why) => Err(CliError::DatabaseFailed(format!(
            "the database failed while writing ({why}), so the server stopped. What was being \
             written may or may not be there; requests that carried an Idempotency-Key can be sent \
             again. Check the disk, then start the server again."
        ))),
    }
}

/// Shells report a process ended by a signal as 128 plus the signal's number.
const SIGNAL_EXIT_CODE: i32 = 128;

enum Told {
    Signal,
    WriterEnded(String),
}

async fn stop_when_told(
    handle: ServerHandle,
    writer: Writer,
    mut signals: Signals,
    writer_ended: oneshot::Receiver<Ended>,
) -> Told {
    let told = tokio::select! {
        _ = signals.any() => Told::Signal,
        why = writer_ended => {
            Told::WriterEnded(why.ok().flatten().unwrap_or_else(|| "its thread ended".to_owned()))
        }
    };
    tracing::info!(
        "stopping: finishing what is in flight, within ten seconds; what another program's lock on \
         the book keeps from being recorded is refused"
    );
    writer.hurry();
    let stop = handle.stop(true);
    tokio::pin!(stop);
    // A first signal after a failure asks for what is happening already, and the failure is told.
    if let Told::WriterEnded(_) = told {
        tokio::select! {
            () = &mut stop => return told,
            _ = signals.any() => {}
        }
    }
    tokio::select! {
        () = &mut stop => told,
        // A second signal means not to wait. The book is safe: uncommitted writes were not
        // answered, and the next start recovers as after a crash.
        number = signals.any() => std::process::exit(SIGNAL_EXIT_CODE + number),
    }
}

/// Listens for SIGTERM and Ctrl-C from the moment it is made.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for either and returns its number.
    async fn any(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }
}

/// Prints the announcement. A server whose standard output is closed serves all the same.
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
            "secrets and tokens travel unencrypted on {public_url}; put TLS in front and say so \
             with --public-url https://…, or accept it with --insecure-http"
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
            "Nobody can sign in yet. Open this once, within the hour:\n{link}\n"
        ));
    }
    Ok(text)
}

/// A link to a page that does something once: `setup` makes the first owner, `link` signs in the
/// user with that e-mail. Good for an hour.
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
            "a sign-in link could not be written ({error:?}). See that the disk works and has \
             room, and run `tillbook verify`; if it finds damage, restore the last backup."
        ))
    })?;
    Ok(format!("{}/admin/{page}?ticket={}", state.links.public_url(), ticket.reveal()))
}

fn path_prefix(public_url: &str) -> String {
    let path = Url::parse(public_url).map(|url| url.path().to_owned()).unwrap_or_default();
    path.trim_end_matches('/').to_owned()
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected an IP address and a port, as 127.0.0.1:8080".to_owned())
}

fn parse_proxy(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "expected an IP address, as 192.0.2.7".to_owned())
}

fn parse_host(text: &str) -> Result<String, String> {
    match Host::parse(text) {
        Ok(Host::Domain(name)) => Ok(without_dot(&name).to_owned()),
        Ok(_) => Err("addresses need not be named; expected a name, as till.lan".to_owned()),
        Err(_) => Err("expected a name without a port, as till.lan".to_owned()),
    }
}

fn parse_public_url(text: &str) -> Result<Url, String> {
    let plain = |url: &Url| {
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        bare && web && !url.path().contains(['{', '}', '%'])
    };
    Url::parse(text).ok().filter(plain).ok_or_else(|| {
        "expected http:// or https://, a host, and no more than a plain path".to_owned()
    })
}

fn parse_origin(text: &str) -> Result<String, String> {
    let origin = Url::parse(text).map(|url| url.origin().ascii_serialization());
    match origin {
        Ok(origin) if origin == text => Ok(origin),
        Ok(origin) if origin != "null" => Err(format!("write the origin as {origin}")),
        _ => Err("expected an origin, as https://shop.example".to_owned()),
    }
}
