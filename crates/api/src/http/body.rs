//! Request bodies: read within limits of size and time.

use super::connection::open_connections::BodySlot;
use super::connection::watch::ConnectionRequests;
use super::extract::services;
use super::json::parse;
use crate::clock::Stopwatch;
use crate::config::Timeouts;
use crate::gate::{self, MemoryReservation};
use crate::problem::Problem;
use crate::service::Services;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest, web};
use auth_types::limits::BODY_MAX_BYTES;
use futures_util::StreamExt;
use futures_util::future::{Either, LocalBoxFuture, pending, select};
use serde::de::DeserializeOwned;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// How much of a JSON body has to arrive within [`Timeouts::body`], bytes.
const WINDOW_BYTES: usize = 16 * 1024;

/// How large a body may be, and how fast it has to arrive: a client that sends more slowly only holds a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) max_bytes: usize,
    pub(super) window_bytes: usize,
    /// How long `window_bytes` may take.
    pub(super) window: Duration,
}

/// A request's JSON body.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            media_type_of(&request, &["application/json"])?;
            let window = services(&request)?.settings.timeouts.body;
            let pace = Pace { max_bytes: BODY_MAX_BYTES, window_bytes: WINDOW_BYTES, window };
            let (body, _reservation) = read(&request, payload, pace).await?;
            parse(&body).map(Self)
        })
    }
}

/// The index in `accepted` of the body's media type; 415 for another one, and for a coded body, because nothing is decompressed.
pub(super) fn media_type_of(request: &HttpRequest, accepted: &[&str]) -> Result<usize, Problem> {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    // Many clients send `image/jpg`, which is not registered.
    let media_type = if media_type.eq_ignore_ascii_case("image/jpg") { "image/jpeg" } else { media_type };
    let index = accepted.iter().position(|accepted| media_type.eq_ignore_ascii_case(accepted));
    let index = index.ok_or_else(|| Problem::content_type_unsupported(accepted))?;
    if request.headers().get_all(header::CONTENT_ENCODING).all(|coding| is_identity(coding.as_bytes())) {
        Ok(index)
    } else {
        Err(Problem::content_coding_unsupported())
    }
}

fn is_identity(coding: &[u8]) -> bool {
    coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
}

/// Reads the whole body at this pace; while its connection is needed, its client has less time ([`Timeouts::contended`]). The
/// [`MemoryReservation`] is its part of the memory that all bodies share, and is kept as long as the body.
///
/// # Errors
/// 413, 408; 400 when it ends early; 503 when its client has used up its share of that memory or of unfinished bodies.
pub(super) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    pace: Pace,
) -> Result<(web::Bytes, MemoryReservation), Problem> {
    let limit = pace.max_bytes;
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit as u64) {
        return Err(Problem::body_too_large(limit));
    }
    let payload = web::Payload::from_request(request, &mut payload).into_inner();
    let mut payload = payload.map_err(|_| Problem::body_malformed("The body cannot be read."))?;
    let services = services(request)?;
    let mut reservation = services.bodies.reserve();
    let mut body = BytesMut::new();
    let mut timer: Option<BodyTimer> = None;
    loop {
        let next = if let Some(timer) = &mut timer {
            timer.next(&mut payload, request).await?
        } else if let Some(next) = arrived(&mut payload).await {
            next.transpose().map_err(|_| ended_early())?
        } else {
            timer = Some(BodyTimer::start(request, services, pace)?);
            continue;
        };
        let Some(chunk) = next else { break };
        if body.len() + chunk.len() > limit {
            return Err(Problem::body_too_large(limit));
        }
        reservation.grow(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), reservation))
}

/// The next chunk, or the end, of a body of which nothing has been waited for. Most bodies arrive with their request's head and need
/// neither a timer nor a slot. `None` if the client has yet to send it.
async fn arrived(payload: &mut web::Payload) -> Option<Option<Result<web::Bytes, PayloadError>>> {
    let mut is_second_poll = false;
    poll_fn(|cx| match payload.poll_next_unpin(cx) {
        Poll::Ready(next) => Poll::Ready(Some(next)),
        Poll::Pending if is_second_poll => Poll::Ready(None),
        Poll::Pending => {
            // actix-http polls the handler before it hands over the bytes that came with the head, and again after that.
            is_second_poll = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

fn ended_early() -> Problem {
    Problem::body_malformed("The body ended early.")
}

/// What a wait for a body ended with.
enum Waited {
    Chunk(Result<web::Bytes, PayloadError>),
    /// The body is complete.
    End,
    /// It is time to check the limits.
    CheckLimits,
}

/// The timers of one body.
struct BodyTimer {
    pace: Pace,
    contended: Duration,
    grace: Duration,
    since_begin: Stopwatch,
    since_window: Stopwatch,
    /// Bytes since the window began.
    arrived: usize,
    /// `None` outside of a connection.
    slot: Option<BodySlot>,
}

impl BodyTimer {
    /// Begins to wait for the client.
    fn start(request: &HttpRequest, services: &Services, pace: Pace) -> Result<Self, Problem> {
        let slot = match request.conn_data::<ConnectionRequests>() {
            Some(requests) => {
                let slot = requests.begin_body(gate::current_requester().client);
                Some(slot.ok_or_else(|| services.bodies.record_rejection())?)
            }
            None => None,
        };
        let Timeouts { contended, grace, .. } = services.settings.timeouts;
        let since_begin = Stopwatch::start();
        Ok(Self { pace, contended, grace, since_begin, since_window: since_begin, arrived: 0, slot })
    }

    /// The next chunk; `None` after the last.
    async fn next(&mut self, payload: &mut web::Payload, request: &HttpRequest) -> Result<Option<web::Bytes>, Problem> {
        loop {
            let waited = self.wait(payload).await?;
            self.check(request)?;
            match waited {
                Waited::Chunk(Ok(chunk)) => {
                    self.advance(chunk.len());
                    return Ok(Some(chunk));
                }
                Waited::Chunk(Err(_)) => return Err(ended_early()),
                Waited::End => return Ok(None),
                Waited::CheckLimits => {}
            }
        }
    }

    async fn wait(&self, payload: &mut web::Payload) -> Result<Waited, Problem> {
        let left = self.pace.window.saturating_sub(self.since_window.elapsed());
        let displaced = pin!(displaced(self.slot.as_ref(), self.grace));
        match tokio::time::timeout(left.min(self.contended), select(payload.next(), displaced)).await {
            Ok(Either::Left((next, _))) => Ok(next.map_or(Waited::End, Waited::Chunk)),
            Ok(Either::Right(_)) => Err(Problem::body_timeout()),
            Err(_) => Ok(Waited::CheckLimits),
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.arrived += bytes;
        if self.arrived >= self.pace.window_bytes {
            (self.arrived, self.since_window) = (0, Stopwatch::start());
        }
    }

    fn check(&self, request: &HttpRequest) -> Result<(), Problem> {
        let client_must = || self.slot.as_ref().is_some_and(BodySlot::must_make_room);
        let must_make_room = || {
            client_must() || request.conn_data::<ConnectionRequests>().is_some_and(ConnectionRequests::must_make_room)
        };
        if self.since_window.elapsed() >= self.pace.window
            || (self.since_begin.elapsed() >= self.contended && must_make_room())
        {
            return Err(Problem::body_timeout());
        }
        Ok(())
    }
}

/// Resolves when the body's connection must make room; never without one.
async fn displaced(slot: Option<&BodySlot>, grace: Duration) {
    match slot {
        Some(slot) => slot.displaced(grace).await,
        None => pending().await,
    }
}
