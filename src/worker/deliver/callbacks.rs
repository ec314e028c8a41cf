//! Sends callbacks of ended order sessions (docs/contract.md, Decision 11).

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::DeliverOptions;
use crate::app::SettleCallbacks;
use crate::domain::Timestamp;
use crate::domain::callback::{CallbackState, JITTER_BOUND, after_try};
use crate::domain::ids::{AccountId, CallbackSeq};
use crate::outbound::{Answer, Message, Method, NotSent};
use crate::store::{
    DueCallback, Reader, SettledCallback, Store, StoreError, WriteCommand, WriteError,
};
use crate::wire::callback_request::{self, CallbackRequest};
use crate::wire::links::Links;

/// How often it is looked for due callbacks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long to wait after the book could not be read or written.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);

/// How long one try may take in all.
const TRY_MAX: Duration = Duration::from_secs(10);

/// How long a stop waits for tries that have begun.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// How many tries run at once, and how many of one account, so that its slow receiver does not hold
/// up the others.
const RUNNING_MAX: usize = 32;
const RUNNING_OF_ACCOUNT_MAX: usize = 4;

/// How many due callbacks are looked at to find one whose account has room.
const LOOKED_AT_MAX: u32 = 256;

struct Callbacks {
    store: Store,
    options: DeliverOptions,
    running: HashMap<CallbackSeq, AccountId>,
    ended: UnboundedReceiver<SettledCallback>,
    tell_end: UnboundedSender<SettledCallback>,
    /// Ended tries that are not recorded yet.
    unsettled: Vec<SettledCallback>,
}

/// A callback that is sent next.
struct Prepared {
    due: DueCallback,
    /// `None` if the session has no `callback_url` any more.
    request: Option<CallbackRequest>,
    secret: Option<String>,
}

/// True if the writer accepts no more commands.
struct IsOff(bool);

/// Works until `stopped` resolves or the writer is off.
pub(super) async fn run(store: Store, options: DeliverOptions, mut stopped: oneshot::Receiver<()>) {
    let (tell_end, ended) = unbounded_channel();
    let (running, unsettled) = (HashMap::new(), Vec::new());
    let mut callbacks = Callbacks { store, options, running, ended, tell_end, unsettled };
    loop {
        let pause = match callbacks.round().await {
            Ok(()) => LOOK_EVERY,
            Err(IsOff(true)) => return,
            Err(IsOff(false)) => TROUBLE_PAUSE,
        };
        tokio::select! {
            _ = &mut stopped => return callbacks.stop().await,
            Some(end) = callbacks.ended.recv() => callbacks.unsettled.push(end),
            () = sleep(pause) => {}
        }
    }
}

impl Callbacks {
    /// Records tries that have ended, and starts those that are due.
    async fn round(&mut self) -> Result<(), IsOff> {
        self.settle().await?;
        let now = self.options.clock.now();
        let room = RUNNING_MAX.saturating_sub(self.running.len());
        if room == 0 {
            return Ok(());
        }
        let (running, links) = (self.running.clone(), self.options.links.clone());
        let prepare = move |reader: &Reader<'_>| prepare(reader, &links, running, room, now);
        let prepared = self.store.read(prepare).await.map_err(|error| later(&error.to_string()))?;
        for one in prepared {
            self.running.insert(one.due.callback_seq, one.due.account_id.clone());
            let (options, tell_end) = (self.options.clone(), self.tell_end.clone());
            tokio::spawn(async move {
                let end = try_once(&options, one).await;
                // Fails if a stop no longer waits for this try, which is then repeated.
                drop(tell_end.send(end));
            });
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), IsOff> {
        while let Ok(end) = self.ended.try_recv() {
            self.unsettled.push(end);
        }
        if self.unsettled.is_empty() {
            return Ok(());
        }
        let tries = self.unsettled.clone();
        self.write(SettleCallbacks { tries }).await?;
        for end in std::mem::take(&mut self.unsettled) {
            self.running.remove(&end.callback_seq);
        }
        Ok(())
    }

    async fn write<C>(&self, command: C) -> Result<C::Done, IsOff>
    where
        C: WriteCommand<Refused = std::convert::Infallible>,
    {
        self.store.writer.write(command).await.map_err(|error| match error {
            WriteError::WritesOff => IsOff(true),
            WriteError::Refused(never) => match never {},
            other => later(&other.to_string()),
        })
    }

    /// Waits for tries that have begun, and records how they ended.
    async fn stop(&mut self) {
        let ends = async {
            while self.unsettled.len() < self.running.len() {
                match self.ended.recv().await {
                    Some(end) => self.unsettled.push(end),
                    None => return,
                }
            }
        };
        // Tries that take longer are repeated after the next start, under the same id.
        drop(timeout(STOP_WAIT, ends).await);
        if self.settle().await.is_err() {
            tracing::warn!("the last tries of callbacks were not recorded and will be repeated");
        }
    }
}

fn later(why: &str) -> IsOff {
    tracing::warn!(error = why, "callbacks wait, because the book could not be used");
    IsOff(false)
}

/// Due callbacks that are not being sent, at most `room`.
fn prepare(
    reader: &Reader<'_>,
    links: &Links,
    mut running: HashMap<CallbackSeq, AccountId>,
    room: usize,
    now: Timestamp,
) -> Result<Vec<Prepared>, StoreError> {
    let mut prepared = Vec::new();
    for due in reader.list_due_callbacks(now, LOOKED_AT_MAX)? {
        let of_account = running.values().filter(|account| **account == due.account_id).count();
        let has_room = prepared.len() < room && of_account < RUNNING_OF_ACCOUNT_MAX;
        if !has_room || running.contains_key(&due.callback_seq) {
            continue;
        }
        running.insert(due.callback_seq, due.account_id.clone());
        let session = reader.load_order_session(due.session_seq)?;
        let transaction = session.transaction.as_ref();
        let operation = transaction.map(|one| reader.load_operation(one.event_seq)).transpose()?;
        let request = callback_request::render(links, &session, operation.as_ref());
        let secret = reader.load_callback_secret(&due.account_id)?;
        prepared.push(Prepared { due, request, secret });
    }
    Ok(prepared)
}

/// Sends a callback once.
async fn try_once(options: &DeliverOptions, prepared: Prepared) -> SettledCallback {
    let Prepared { due, request, secret } = prepared;
    let tried_at = options.clock.now();
    let tries = due.tries + 1;
    let Some(request) = request else {
        let error = Some("the session has no callback_url any more".to_owned());
        let (callback_seq, state) = (due.callback_seq, CallbackState::Failed);
        return SettledCallback {
            callback_seq,
            state,
            tries,
            next_at: None,
            tried_at,
            status: None,
            error,
        };
    };
    let message = message(&due, request, secret.as_deref(), tried_at);
    let result = match timeout(TRY_MAX, options.outbound.send(message)).await {
        Ok(result) => result,
        Err(_) => {
            let seconds = TRY_MAX.as_secs();
            Err(NotSent(format!("there was no answer within {seconds} seconds")))
        }
    };
    settled(&due, &result, tried_at, options.randomness.below(JITTER_BOUND), options.clock.now())
}

fn message(
    due: &DueCallback,
    request: CallbackRequest,
    secret: Option<&str>,
    now: Timestamp,
) -> Message {
    let mut headers = vec![("event-delivery".into(), due.id.clone())];
    if let Some(secret) = secret {
        let timestamp = now.0.div_euclid(1_000);
        let signature = callback_request::signature(secret, &due.account_id, &request, timestamp);
        headers.push(("dintero-signature".into(), signature));
    }
    if !request.body.is_empty() {
        headers.push(("content-type".into(), "application/json".to_owned()));
    }
    let method = if request.method == "POST" { Method::POST } else { Method::GET };
    Message { method, url: request.url.into(), headers, body: request.body }
}

fn settled(
    due: &DueCallback,
    result: &Result<Answer, NotSent>,
    tried_at: Timestamp,
    drawn: usize,
    now: Timestamp,
) -> SettledCallback {
    let tries = due.tries + 1;
    let status = result.as_ref().ok().map(|answer| answer.status);
    let (state, wait_ms) = after_try(status, tries, drawn);
    let error = match result {
        Ok(_) if state == CallbackState::Delivered => None,
        Ok(answer) => Some(format!("the answer's status was {}", answer.status)),
        Err(why) => Some(why.0.clone()),
    };
    if state == CallbackState::Failed {
        let callback = &due.id;
        tracing::warn!(callback.id = callback, error, "a session's callback was given up");
    }
    SettledCallback {
        callback_seq: due.callback_seq,
        state,
        tries,
        next_at: wait_ms.map(|wait_ms| Timestamp(now.0.saturating_add(wait_ms))),
        tried_at,
        status,
        error,
    }
}
