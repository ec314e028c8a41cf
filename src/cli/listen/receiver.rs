//! Receives the deliveries of a listener's webhook, prints them and sends them on.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use tokio::sync::mpsc::UnboundedSender;
use url::Url;

use super::super::error::CliError;
use super::line::{Sent, line_of};
use crate::app::PING;
use crate::clock::Clock;
use crate::outbound::{Allowed, ClientOptions, Guard, Message, Method, Outbound, SystemLookup};

/// The text with which a listener tells another one that it runs.
pub(super) const ALIVE: &str = "tillbook listen is running";

/// The most bytes of a delivery's body: more than the server ever sends.
const BODY_BYTES_MAX: usize = 64 << 20;

/// How long the receiver of forwarded requests may take: less than the server waits for us.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(15);

/// What deliveries are received with.
#[derive(Clone)]
pub(super) struct Receiver {
    /// The path of the webhook's URL, which only the server knows.
    pub path: String,
    pub secret: String,
    pub forward: Option<Forward>,
    /// Is told of each ping.
    pub tell_ping: UnboundedSender<()>,
}

/// Sends requests on to another program.
#[derive(Clone)]
pub(super) struct Forward {
    url: String,
    outbound: Outbound,
}

impl Forward {
    /// The person at the terminal named the URL, so its host is allowed whatever its address.
    pub fn to(url: &Url) -> Result<Forward, CliError> {
        let host = url.host_str().and_then(Allowed::parse);
        let outbound = Outbound::new(ClientOptions {
            guard: Guard::new(host.into_iter().collect()),
            lookup: Arc::new(SystemLookup::default()),
            timeout: FORWARD_TIMEOUT,
            roots: Vec::new(),
            // Never sent, because forwarded requests have one of their own.
            user_agent: "tillbook".to_owned(),
        });
        let outbound = outbound.map_err(|why| CliError::Refused(why.to_string()))?;
        Ok(Forward { url: url.to_string(), outbound })
    }

    /// The status of the answer, or why there is none.
    async fn send(&self, sent: &Sent) -> String {
        let headers = sent.headers.iter();
        let message = Message {
            method: Method::POST,
            url: self.url.clone(),
            headers: headers.map(|(name, value)| (name.clone().into(), value.clone())).collect(),
            body: sent.body.clone(),
        };
        match self.outbound.send(message).await {
            Ok(answer) => answer.status.to_string(),
            Err(why) => format!("failed: {why}"),
        }
    }
}

/// Starts to receive.
pub(super) fn start(socket: TcpListener, receiver: Receiver) -> std::io::Result<Server> {
    let app = move || {
        App::new()
            .app_data(Data::new(receiver.clone()))
            .app_data(PayloadConfig::new(BODY_BYTES_MAX))
            .route(&receiver.path, web::get().to(|| async { HttpResponse::Ok().body(ALIVE) }))
            .route(&receiver.path, web::post().to(receive))
    };
    Ok(HttpServer::new(app).workers(1).disable_signals().listen(socket)?.run())
}

/// Answers 200 whatever happens: nothing is repeated for a webhook that is soon removed.
async fn receive(
    request: HttpRequest,
    body: Bytes,
    receiver: Data<Receiver>,
) -> std::io::Result<HttpResponse> {
    // Headers of the connection, which the next one has its own of.
    const OWN: [actix_web::http::header::HeaderName; 4] =
        [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING];
    let headers = request.headers().iter().filter(|(name, _)| !OWN.contains(name));
    let headers = headers.map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let sent =
        Sent { headers: headers.collect(), body: String::from_utf8_lossy(&body).into_owned() };
    let mut line = line_of(&sent, &receiver.secret, Clock::System.now());
    if let Some(forward) = &receiver.forward {
        line.push_str(&format!("  forwarded: {}", forward.send(&sent).await));
    }
    line.push('\n');
    print(&line)?;
    if sent.header("event") == PING {
        // Fails only while the listener ends.
        receiver.tell_ping.send(()).unwrap_or_default();
    }
    Ok(HttpResponse::Ok().finish())
}

/// Prints whole lines at once.
pub(super) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
