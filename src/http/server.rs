//! Starts the HTTP server, with its limits and its middleware.

use std::future::ready;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::{Condition, NormalizePath, TrailingSlash, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data};
use actix_web::{App, Error};

use super::admin::page_error::show_errors;
use super::edge::body::BodyTimeout;
use super::edge::connection::{self, Addresses, note_request};
use super::edge::cors::cors;
use super::edge::headers::{guard_request, keep_to_https, security_headers};
use super::edge::last_request::{self, refuse_after_last};
use super::edge::socket::{Socket, WRITE_BYTES};
use super::edge::unread_body::end_unread_body;
use super::operation_routes::OperationRoutes;
use super::{AppState, configure, configure_prefix, path_methods};
use crate::sabotage::{self, Fault};

pub use super::edge::connection::check_open_files;

/// Threads that serve requests. They never wait for SQLite.
const WORKERS: u8 = 2;
/// How long a connection may wait for its next request.
const KEEP_ALIVE_S: u64 = 15;
/// How long requests in flight may still take when the server stops.
const SHUTDOWN_TIMEOUT_S: u64 = 10;
/// Threads of each worker that read the database. They share the store's smaller pool of
/// connections.
const BLOCKING_THREADS_MAX: usize = 8;

/// Options of a server that are not part of its state.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The path of the public URL, under which every route is also served; empty if the URL has no
    /// path.
    pub path_prefix: String,
    /// Origins whose pages may call `/v1` from a browser.
    pub cors_origins: Vec<String>,
    /// How long the head of a connection's first request may take to arrive.
    pub head_timeout: Duration,
    /// A connection on which no request began or ended for this long is closed, at the latest after
    /// twice this time.
    pub idle_timeout: Duration,
    /// How long a request's body may take to arrive.
    pub body_timeout: Duration,
    /// Connections that one address may hold at once; if `None`, half of all that are possible.
    pub address_connections_max: Option<usize>,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions {
            path_prefix: String::new(),
            cors_origins: Vec::new(),
            head_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(16),
            body_timeout: Duration::from_secs(10),
            address_connections_max: None,
        }
    }
}

/// Starts a server on a bound socket. It runs until its handle stops it; signals are left to the
/// caller.
pub fn start(
    listener: TcpListener,
    state: AppState,
    options: ServerOptions,
) -> std::io::Result<Server> {
    let unfinished = Arc::clone(&state.unfinished);
    let state = Data::new(state);
    connection::prepare_listener(&listener)?;
    let connections_max = connection::connections_max(WORKERS.into());
    let all = connections_max * usize::from(WORKERS);
    let half = if sabotage::is_on(Fault::SkipAddressLimit) { all } else { all / 2 };
    let addresses = Addresses::at_most(options.address_connections_max.unwrap_or(half));
    let builder = Server::build();
    let stopping = builder.graceful_shutdown_signal();
    let app = move || {
        let prefix = options.path_prefix.clone();
        App::new()
            .app_data(state.clone())
            .app_data(BodyTimeout(options.body_timeout))
            .app_data(path_methods(&prefix))
            .wrap(Condition::new(!options.cors_origins.is_empty(), cors(&options.cors_origins)))
            .wrap(from_fn(guard_request))
            .wrap(from_fn(refuse_after_last))
            .wrap(from_fn(show_errors))
            .wrap(security_headers())
            .wrap(from_fn(keep_to_https))
            .wrap(NormalizePath::new(TrailingSlash::Trim))
            .wrap(from_fn(end_unread_body))
            .wrap(from_fn(note_request))
            .configure(|config| {
                if !prefix.is_empty() {
                    config.service(web::scope(&prefix).configure(configure_prefix));
                }
                config.service(OperationRoutes).configure(configure);
            })
    };
    let (head_timeout, idle_timeout) = (options.head_timeout, options.idle_timeout);
    let service = move || {
        let (stopping, addresses) = (stopping.clone(), Arc::clone(&addresses));
        let unfinished = Arc::clone(&unfinished);
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(head_timeout)
            // Off, since actix-web would read without limit during this time. `end_unread_body`
            // gives clients time to read their answer, and reads a limited number of bytes.
            .client_disconnect_timeout(Duration::ZERO)
            .keep_alive(Duration::from_secs(KEEP_ALIVE_S))
            .h1_write_buffer_size(WRITE_BYTES)
            .on_connect_ext(move |socket: &Socket, data| {
                last_request::track_last(data);
                connection::limit_connection(socket, data, idle_timeout, &addresses);
            });
        let app = app().into_factory().map_err(|error: Error| error.error_response());
        fn_service(move |stream: TcpStream| ready(Ok(Socket::open(stream, &unfinished))))
            .and_then(http.h1(map_config(app, |()| AppConfig::default())))
    };
    let server = builder
        .workers(WORKERS.into())
        .worker_max_blocking_threads(BLOCKING_THREADS_MAX)
        .max_concurrent_connections(connections_max)
        .shutdown_timeout(SHUTDOWN_TIMEOUT_S)
        .disable_signals()
        .listen("http", listener, service)?;
    Ok(server.run())
}
