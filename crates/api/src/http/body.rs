//! Bodies: read within bounds.

use super::connection::crowd::BodySeat;
use super::connection::watch::Requests;
use super::extract::services;
use super::json::parse;
use crate::clock::Stopwatch;
use crate::config::Patience;
use crate::gate::{self, Hold};
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest, web};
use auth_types::limits::BODY_MAX_BYTES;
use futures_util::StreamExt;
use futures_util::future::{Either, LocalBoxFuture, pending, select};
use serde::de::DeserializeOwned;
use std::pin::pin;
use std::time::Duration;

/// What has to come of a JSON body within [`Patience::body`], bytes.
const STEP_BYTES: usize = 16 * 1024;

/// How much a body may have, and how fast it has to come: its time is for want of progress, and whoever sends less only
/// holds a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) most_bytes: usize,
    pub(super) step_bytes: usize,
    pub(super) step: Duration,
}

/// A request's JSON body.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            content_type(&request, &["application/json"])?;
            let patience = services(&request)?.settings.patience.body;
            let pace = Pace { most_bytes: BODY_MAX_BYTES, step_bytes: STEP_BYTES, step: patience };
            let (body, _hold) = read(&request, payload, pace).await?;
            parse(&body).map(Self)
        })
    }
}

/// Which of the media types that are taken the body has, by its place in the list. Nothing is decompressed.
///
/// # Errors
/// 415.
pub(super) fn content_type(request: &HttpRequest, taken: &[&str]) -> Result<usize, Problem> {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    // There is no `image/jpg`, and many send it.
    let media_type = if media_type.eq_ignore_ascii_case("image/jpg") { "image/jpeg" } else { media_type };
    let place = taken.iter().position(|taken| media_type.eq_ignore_ascii_case(taken));
    let place = place.ok_or_else(|| Problem::content_type_unsupported(taken))?;
    if request.headers().get_all(header::CONTENT_ENCODING).all(|coding| is_identity(coding.as_bytes())) {
        Ok(place)
    } else {
        Err(Problem::content_coding_unsupported())
    }
}

fn is_identity(coding: &[u8]) -> bool {
    coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
}

/// The whole body, at this pace, or within less time while its connection is needed; and its hold on the memory that all bodies share, for as long as it is kept.
///
/// # Errors
/// 413, 408; 400 when it ends early; 503 when its client's share of the memory is used up, or of the bodies on their way.
pub(super) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    pace: Pace,
) -> Result<(web::Bytes, Hold), Problem> {
    let limit = pace.most_bytes;
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit as u64) {
        return Err(Problem::body_too_large(limit));
    }
    let payload = web::Payload::from_request(request, &mut payload).into_inner();
    let mut payload = payload.map_err(|_| Problem::body_malformed("The body cannot be read."))?;
    let services = services(request)?;
    let mut hold = services.bodies.hold();
    let mut body = BytesMut::new();
    let seat = request.conn_data::<Requests>().map(|requests| requests.begin_body(gate::current().client));
    let seat = seat.map(|seat| seat.ok_or_else(|| services.bodies.refuse())).transpose()?;
    let Patience { hurry, chance, .. } = services.settings.patience;
    let (begun, progressed) = (Stopwatch::start(), Stopwatch::start());
    let mut time = BodyTime { pace, hurry, chance, begun, progressed, arrived: 0, seat };
    while let Some(chunk) = time.next(&mut payload, request).await? {
        if body.len() + chunk.len() > limit {
            return Err(Problem::body_too_large(limit));
        }
        hold.grow(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), hold))
}

/// A piece of a body; `None` after the last.
type Piece = Option<Result<web::Bytes, PayloadError>>;

/// The time of one body.
struct BodyTime {
    pace: Pace,
    hurry: Duration,
    chance: Duration,
    begun: Stopwatch,
    /// Since the last step.
    progressed: Stopwatch,
    /// Bytes since then.
    arrived: usize,
    /// None outside of a connection.
    seat: Option<BodySeat>,
}

impl BodyTime {
    /// The next piece; `None` after the last.
    async fn next(&mut self, payload: &mut web::Payload, request: &HttpRequest) -> Result<Option<web::Bytes>, Problem> {
        loop {
            let next = self.wait(payload).await?;
            self.check(request)?;
            let Some(next) = next else { continue };
            if let Some(Ok(piece)) = &next {
                self.advance(piece.len());
            }
            return next.transpose().map_err(|_| Problem::body_malformed("The body ended early."));
        }
    }

    /// What comes next; `None` when it is time to look up.
    async fn wait(&self, payload: &mut web::Payload) -> Result<Option<Piece>, Problem> {
        let left = self.pace.step.saturating_sub(self.progressed.elapsed());
        let displaced = pin!(displaced(self.seat.as_ref(), self.chance));
        match tokio::time::timeout(left.min(self.hurry), select(payload.next(), displaced)).await {
            Ok(Either::Left((next, _))) => Ok(Some(next)),
            Ok(Either::Right(_)) => Err(Problem::body_timeout()),
            Err(_) => Ok(None),
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.arrived += bytes;
        if self.arrived >= self.pace.step_bytes {
            (self.arrived, self.progressed) = (0, Stopwatch::start());
        }
    }

    fn check(&self, request: &HttpRequest) -> Result<(), Problem> {
        let of_client = || self.seat.as_ref().is_some_and(BodySeat::is_pressed);
        let is_pressed = || of_client() || request.conn_data::<Requests>().is_some_and(Requests::is_pressed);
        if self.progressed.elapsed() >= self.pace.step || (self.begun.elapsed() >= self.hurry && is_pressed()) {
            return Err(Problem::body_timeout());
        }
        Ok(())
    }
}

/// Resolves when the body's connection must make room; never without one.
async fn displaced(seat: Option<&BodySeat>, chance: Duration) {
    match seat {
        Some(seat) => seat.displaced(chance).await,
        None => pending().await,
    }
}
