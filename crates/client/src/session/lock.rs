//! A turn among tabs, by the Web Locks API. It saves requests, and keeps cookies in the order of their answers; whoever
//! does not get it goes ahead.

use crate::http::{PATIENCE, milliseconds};
use futures::channel::oneshot;
use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::window;
use leptos::task::spawn_local;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

const NAME: &str = "latchkey.refresh";

/// How long to wait for other tabs; longer than a refresh takes, shorter than anyone likes to wait.
pub(super) const SHORT_PATIENCE: Duration = Duration::from_secs(3);

/// The same where the refresh token is in a cookie: longer than another tab may wait for its answer. An answer that comes
/// after the next one would put an older cookie back, which may be somebody else's.
pub(super) const COOKIE_PATIENCE: Duration = PATIENCE.saturating_add(Duration::from_secs(10));

/// A turn, given back when dropped.
pub(super) struct Turn {
    give_back: Function,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A promise's own resolve function does not throw.
        let _: Result<JsValue, JsValue> = self.give_back.call0(&JsValue::UNDEFINED);
    }
}

/// Waits for a turn, but not for long; `None` where there are no Web Locks or other tabs are slow.
pub(super) async fn acquire(patience: Duration) -> Option<Turn> {
    let (held, turn) = promise();
    let (granted, grant) = oneshot::channel();
    request(held, granted).ok()?;
    match select(grant, TimeoutFuture::new(milliseconds(patience))).await {
        Either::Left((Ok(()), _)) => Some(turn),
        // Dropping the turn now gives it back at once, should it come later.
        Either::Left((Err(_), _)) | Either::Right(_) => None,
    }
}

/// A turn after those who wait already, and before all who come later. It does not wait: for a request that must leave at
/// once, and whose answer the next turn must not overtake.
pub(super) fn queue_up() -> Option<Turn> {
    let (held, turn) = promise();
    let (granted, _) = oneshot::channel();
    request(held, granted).ok().map(|()| turn)
}

/// Asks for the lock; it is ours from the moment that `granted` is told until `held` resolves.
fn request(held: Promise, granted: oneshot::Sender<()>) -> Result<(), JsValue> {
    let locks = Reflect::get(&window().navigator(), &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let on_grant = Closure::once_into_js(move |_lock: JsValue| {
        // The receiver is gone when nobody waits, or not any more; who has given up has resolved `held` too.
        let _: Result<(), ()> = granted.send(());
        held
    });
    let done: Promise = request.call3(&locks, &NAME.into(), &Object::new(), &on_grant)?.dyn_into()?;
    spawn_local(async move {
        let _: Result<JsValue, JsValue> = JsFuture::from(done).await;
    });
    Ok(())
}

/// A promise and what resolves it.
fn promise() -> (Promise, Turn) {
    let resolve = Rc::new(RefCell::new(None));
    let promise = Promise::new(&mut |done, _| {
        resolve.replace(Some(done));
    });
    let give_back = resolve.take().unwrap_or_default();
    (promise, Turn { give_back })
}
