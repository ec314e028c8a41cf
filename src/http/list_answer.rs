//! Answers with pages of lists. A page of large objects is read and sent one object at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;

use super::error::ApiError;
use super::in_flight::{Counted, Held, Pieces};
use super::reply::ok_json;
use super::state::AppState;
use super::turns::Turn;
use crate::auth::access::Actor;
use crate::json::ObjectText;
use crate::store::Reader;

/// Most bytes that clients sent for the objects of an ordinary page. Only a few larger pages are
/// made at the same time.
const ORDINARY_PAGE_BYTES_MAX: usize = 1 << 20;

/// Most bytes that clients sent for the objects of a page that is made in one piece.
const WHOLE_PAGE_BYTES_MAX: usize = 4 << 20;

/// The bytes that a page counts as while it is sent one object at a time. Few objects are larger.
const PART_BYTES: usize = 16 << 20;

/// A page of a list.
pub trait ListPage: Send + Sync + 'static {
    /// Names an object of the list.
    type Row: Send + Sync + 'static;

    /// The name of the answer's member with the list of objects.
    const NAME: &'static str;

    /// The page's objects, and the length of the whole list if the query asked for it.
    fn find(&self, reader: &Reader<'_>) -> Result<(Vec<Self::Row>, Option<i64>), ApiError>;

    /// The JSON texts of several objects; `None` if they have more than `bytes_max` bytes.
    fn render_within(
        &self,
        reader: &Reader<'_>,
        rows: &[Self::Row],
        bytes_max: usize,
    ) -> Result<Option<Vec<String>>, ApiError> {
        let mut room = bytes_max;
        let mut texts = Vec::with_capacity(rows.len());
        for row in rows {
            let text = self.render(reader, row)?;
            let Some(left) = room.checked_sub(text.len()) else { return Ok(None) };
            room = left;
            texts.push(text);
        }
        Ok(Some(texts))
    }

    /// The JSON text of one object, however large it is; empty if it was removed meanwhile.
    fn render(&self, reader: &Reader<'_>, row: &Self::Row) -> Result<String, ApiError>;
}

/// The objects of a page, in one piece if they are not too large for that.
enum Made<R> {
    Whole(Held),
    TooLarge(Vec<R>),
}

/// Reads a page and answers with it.
pub async fn answer<L: ListPage>(
    state: &AppState,
    actor: &Actor,
    list: L,
) -> Result<HttpResponse, ApiError> {
    state.answers.expect_room(&actor.client_id)?;
    let maker =
        Maker { state: state.clone(), caller: Arc::new(actor.clone()), list: Arc::new(list) };
    let making = maker.clone();
    let read = move |reader: &Reader<'_>| {
        let (rows, total) = making.list.find(reader)?;
        Ok::<_, ApiError>((making.make(reader, rows, ORDINARY_PAGE_BYTES_MAX)?, total))
    };
    let (mut made, total) = maker.read(read).await?;
    if let Made::TooLarge(rows) = made {
        let _turn = maker.turn().await?;
        // Other answers may have used up the room meanwhile.
        maker.state.answers.expect_room(&maker.caller.client_id)?;
        let making = maker.clone();
        made = maker.read(move |reader| making.make(reader, rows, WHOLE_PAGE_BYTES_MAX)).await?;
    }
    let mut response = match made {
        Made::Whole(held) => ok_json(held.into_body()),
        Made::TooLarge(rows) => {
            let counted = maker.state.answers.reserve(&maker.caller.client_id, PART_BYTES)?;
            let (rows, current) = (rows.into_iter(), Pieces::default());
            let (step, is_begun) = (Step::Opening, false);
            ok_json(Parts { maker, rows, step, is_begun, current, counted })
        }
    };
    tell_total(&mut response, total);
    Ok(response)
}

/// Makes a client's answers with a page.
struct Maker<L> {
    state: AppState,
    caller: Arc<Actor>,
    list: Arc<L>,
}

impl<L> Clone for Maker<L> {
    fn clone(&self) -> Maker<L> {
        let (caller, list) = (Arc::clone(&self.caller), Arc::clone(&self.list));
        Maker { state: self.state.clone(), caller, list }
    }
}

impl<L: ListPage> Maker<L> {
    /// Makes the page in one piece, if its objects have at most `bytes_max` bytes.
    fn make(
        &self,
        reader: &Reader<'_>,
        rows: Vec<L::Row>,
        bytes_max: usize,
    ) -> Result<Made<L::Row>, ApiError> {
        let Some(texts) = self.list.render_within(reader, &rows, bytes_max)? else {
            return Ok(Made::TooLarge(rows));
        };
        let text = ObjectText::default().list(L::NAME, &texts).end();
        drop(texts);
        // Counted where it is made, so that answers do not pile up before they are counted.
        self.state.answers.hold(&self.caller.client_id, text).map(Made::Whole)
    }

    /// Waits until a large answer may be made.
    async fn turn(&self) -> Result<Turn, ApiError> {
        self.state.answers.turn(&self.caller.account_id).await
    }

    async fn read<T, F>(&self, read: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, ApiError> + Send + 'static,
    {
        self.state.read(&self.caller.account_id, read).await
    }
}

/// An answer without an object.
pub fn answer_without_objects<L: ListPage>(total: Option<i64>) -> HttpResponse {
    let mut response = ok_json(ObjectText::default().list(L::NAME, &[]).end());
    tell_total(&mut response, total);
    response
}

fn tell_total(response: &mut HttpResponse, total: Option<i64>) {
    if let Some(total) = total {
        let name = HeaderName::from_static("total-count");
        response.headers_mut().insert(name, HeaderValue::from(total));
    }
}

/// The body of a page whose objects are read one at a time, each after the one before it was sent.
struct Parts<L: ListPage> {
    maker: Maker<L>,
    /// The objects that were not read yet.
    rows: vec::IntoIter<L::Row>,
    step: Step,
    /// Whether an object was read, so that the next one follows a comma.
    is_begun: bool,
    /// The bytes that were not handed to the connection yet.
    current: Pieces,
    counted: Counted,
}

enum Step {
    Opening,
    /// Reads an object.
    Reading(Pin<Box<dyn Future<Output = Result<String, ApiError>>>>),
    /// Hands over the object.
    Read,
    Closed,
}

impl<L: ListPage> Parts<L> {
    /// Begins to read the next object, or ends the list.
    fn go_on(&mut self) {
        let separator = if self.is_begun { "," } else { "" };
        let Some(row) = self.rows.next() else {
            self.current = Pieces::of(Bytes::from_static(b"]}"));
            self.step = Step::Closed;
            return;
        };
        let maker = self.maker.clone();
        self.step = Step::Reading(Box::pin(async move {
            let _turn = maker.turn().await?;
            let list = Arc::clone(&maker.list);
            // Joined where it is read, since copying a long text takes a while.
            let read = move |reader: &Reader<'_>| {
                let text = list.render(reader, &row)?;
                Ok(if text.is_empty() { text } else { format!("{separator}{text}") })
            };
            maker.read(read).await
        }));
    }
}

impl<L: ListPage> MessageBody for Parts<L> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        loop {
            if let Some(piece) = ready!(this.current.poll_next(cx)) {
                return Poll::Ready(Some(Ok(piece)));
            }
            match &mut this.step {
                Step::Opening => {
                    this.current = Pieces::of(format!("{{\"{}\":[", L::NAME).into());
                    this.go_on();
                }
                Step::Reading(reading) => {
                    let text = ready!(reading.as_mut().poll(cx)).map_err(|error| {
                        // The answer has begun, so the client only sees that it ends early.
                        tracing::warn!(why = error.message, "a page of a list was cut off");
                        error.message
                    })?;
                    this.counted.grow_to(text.len());
                    this.is_begun |= !text.is_empty();
                    this.current = Pieces::of(text.into());
                    this.step = Step::Read;
                }
                Step::Read => this.go_on(),
                Step::Closed => return Poll::Ready(None),
            }
        }
    }
}

impl<L: ListPage> Unpin for Parts<L> {}
