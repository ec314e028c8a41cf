//! The state that all handlers share.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::api_document::ApiDocument;
use super::edge::caller_address::Callers;
use super::edge::unfinished::UnfinishedRequests;
use super::error::ApiError;
use super::guesses::Guesses;
use super::in_flight::AnswersInFlight;
use super::known_hosts::KnownHosts;
use super::turns::{TurnLimits, Turns};
use crate::app::{Access, PrepareBook};
use crate::auth::password_thread::PasswordThread;
use crate::auth::token::{TokenKey, Tokens};
use crate::clock::Clock;
use crate::domain::ids::AccountId;
use crate::outbound::Guard;
use crate::randomness::Randomness;
use crate::store::{Reader, Store, StoreError, WriteError};
use crate::wire::links::Links;

/// Reads of the API at the same time. One of the pool's four connections is left to the back
/// office, and one of the others to other accounts.
const READS: TurnLimits = TurnLimits::any_may_wait(3, 2);

/// Requests at the same time with bodies that need a turn, and are still parsed on the event loop.
/// Enough of them run at once for one commit to serve many.
const MEDIUM_BODIES: TurnLimits =
    TurnLimits { at_once: 48, of_one: 32, waiting_of_one: 512, waiting: 1_024 };

/// Requests with long bodies at the same time. Each that waits keeps its body, of up to 1 MiB.
const LONG_BODIES: TurnLimits =
    TurnLimits { at_once: 2, of_one: 1, waiting_of_one: 32, waiting: 64 };

/// The parts of the server that handlers use; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    pub tokens: Tokens,
    pub access: Access,
    pub clock: Clock,
    pub randomness: Randomness,
    pub links: Links,
    pub api_document: ApiDocument,
    /// The host names under which the back office answers.
    pub known_hosts: KnownHosts,
    pub(crate) guesses: Arc<Guesses>,
    pub callers: Callers,
    /// Large answers that were not read yet.
    pub answers: Arc<AnswersInFlight>,
    /// Turns of requests with long bodies.
    pub long_bodies: Arc<Turns>,
    /// Turns of requests with bodies of a medium length.
    pub medium_bodies: Arc<Turns>,
    /// Turns of reads.
    pub reads: Arc<Turns>,
    /// Requests that have not arrived completely.
    pub unfinished: Arc<UnfinishedRequests>,
    /// True if people may sign in over plain http, which others can read.
    pub insecure_http: bool,
    pub passwords: PasswordThread,
    /// Judges the URLs of hooks.
    pub webhook_guard: Guard,
    /// True if accounts of real money may use the test page of order sessions too.
    pub test_gateway: bool,
}

/// The settings of a server's state.
#[derive(Debug, Clone)]
pub struct StateOptions {
    /// Without a slash at its end.
    pub public_url: String,
    pub clock: Clock,
    pub token_life_s: i64,
    pub trusted_proxies: Vec<IpAddr>,
    /// Host names of the server, in addition to the public URL's.
    pub hosts: Vec<String>,
    pub insecure_http: bool,
    pub webhook_guard: Guard,
    /// Let accounts of real money use the test page of order sessions too.
    pub test_gateway: bool,
}

impl AppState {
    /// Prepares the book for serving, and reads once what every request needs: the signing keys and
    /// the access rights.
    pub fn open(store: &Store, options: StateOptions) -> Result<AppState, StoreError> {
        let prepared = store.writer.write_blocking(PrepareBook { now: options.clock.now() });
        let keys = prepared.map_err(|error| match error {
            WriteError::Refused(never) => match never {},
            WriteError::Store(error) => error,
            other @ (WriteError::QueueFull
            | WriteError::Unavailable(_)
            | WriteError::Crashed
            | WriteError::WritesOff) => StoreError::other(format!(
                "the book could not be written ({other:?}). Check that the disk works and has free \
                 space, and run `tillbook verify`. If it finds damage, restore the last backup."
            )),
        })?;
        let keys = keys.into_iter().map(|key| TokenKey { key_id: key.key_id, secret: key.secret });
        let access = Access::default();
        store.read_blocking(|reader| access.reload(reader))?;
        let guesses = store.read_blocking(Guesses::load)?;
        let passwords = PasswordThread::start().map_err(StoreError::other)?;
        Ok(AppState {
            store: store.clone(),
            tokens: Tokens::new(keys.collect(), &options.public_url, options.token_life_s),
            access,
            clock: options.clock,
            randomness: Randomness::System,
            links: Links::new(&options.public_url),
            api_document: ApiDocument::new(&options.public_url),
            known_hosts: KnownHosts::new(&options.public_url, &options.hosts),
            guesses: Arc::new(guesses),
            callers: Callers::new(&options.public_url, &options.trusted_proxies),
            answers: Arc::default(),
            long_bodies: Turns::new(LONG_BODIES),
            medium_bodies: Turns::new(MEDIUM_BODIES),
            reads: Turns::new(READS),
            unfinished: Arc::default(),
            insecure_http: options.insecure_http,
            passwords,
            webhook_guard: options.webhook_guard,
            test_gateway: options.test_gateway,
        })
    }

    /// Reads for a caller of the account's API, away from the event loop. Accounts take turns.
    pub async fn read<T, F>(&self, account_id: &AccountId, read: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, ApiError> + Send + 'static,
    {
        let _turn = self.reads.turn_for_any(account_id).await?;
        self.store.read(read).await
    }
}

/// The state of the server that a request came to.
pub fn state(request: &HttpRequest) -> Result<&AppState, ApiError> {
    let state = request.app_data::<Data<AppState>>().map(Data::get_ref);
    state.ok_or_else(|| ApiError::internal("a route was served without its state"))
}
