//! A turn among tabs, by the Web Locks API. It saves requests, and keeps cookies in the order of their answers; whoever
//! does not get it goes ahead. Where the browser has no Web Locks, a tab claims its turn in localStorage: two tabs may still
//! both believe to have it, when one's claim reaches the other late.

use crate::clock;
use crate::http::{RESPONSE_TIMEOUT, milliseconds};
use crate::tokens::{self, Claim};
use futures::channel::oneshot;
use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::window;
use leptos::task::spawn_local;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use uuid::Uuid;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

const NAME: &str = "latchkey.refresh";

/// The lock of the tabs that ask again for what they show. Another one, because no refresh is to wait for that.
const LOOK_NAME: &str = "latchkey.look";

/// How long to wait for other tabs; longer than a refresh takes, shorter than anyone likes to wait.
pub(super) const SHORT_WAIT: Duration = Duration::from_secs(3);

/// The same where the refresh token is in a cookie: longer than another tab may wait for its answer. An answer that comes
/// after the next one would put an older cookie back, which may be somebody else's.
pub(super) const COOKIE_WAIT: Duration = RESPONSE_TIMEOUT.saturating_add(Duration::from_secs(10));

/// How long a claim takes to reach the other tabs, with room to spare.
const CLAIM_SETTLES: Duration = Duration::from_millis(60);

/// A turn, given back when dropped.
pub(super) enum TabLock {
    /// What gives a lock back.
    Lock(Function),
    /// The claim is withdrawn.
    Claim(Uuid),
}

impl Drop for TabLock {
    fn drop(&mut self) {
        match self {
            Self::Lock(give_back) => {
                // A promise's own resolve function does not throw.
                let _: Result<JsValue, JsValue> = give_back.call0(&JsValue::UNDEFINED);
            }
            Self::Claim(own) => {
                if tokens::read_claim().is_some_and(|claim| claim.tab == *own) {
                    tokens::clear_claim();
                }
            }
        }
    }
}

/// Waits for a turn, but not for long; `None` where other tabs are slow.
pub(super) async fn acquire(patience: Duration) -> Option<TabLock> {
    match acquire_lock(NAME, patience).await {
        Ok(turn) => turn,
        Err(_) => claim(patience).await,
    }
}

/// The same for a page that asks again for what it shows. `None` at once where there are no Web Locks: nothing breaks when
/// several ask together.
pub(super) async fn acquire_for_revalidation(patience: Duration) -> Option<TabLock> {
    acquire_lock(LOOK_NAME, patience).await.ok().flatten()
}

/// Fails where there are no Web Locks.
async fn acquire_lock(name: &str, patience: Duration) -> Result<Option<TabLock>, JsValue> {
    let (held, turn) = promise();
    let (granted, grant) = oneshot::channel();
    request(name, held, granted)?;
    Ok(match select(grant, TimeoutFuture::new(milliseconds(patience))).await {
        Either::Left((Ok(()), _)) => Some(turn),
        // Dropping the turn now gives it back at once, should it come later.
        Either::Left((Err(_), _)) | Either::Right(_) => None,
    })
}

/// A turn by a claim that nobody overwrote; `None` at once where nothing can be stored.
async fn claim(patience: Duration) -> Option<TabLock> {
    let own = Uuid::new_v4();
    let begin = clock::now();
    while clock::now().since(begin) < i64::from(milliseconds(patience)) {
        let is_free = !tokens::read_claim().is_some_and(|claim| claim.holds(clock::now()));
        if is_free && !tokens::write_claim(&Claim { tab: own, at: clock::now().wall_ms }) {
            return None;
        }
        TimeoutFuture::new(milliseconds(CLAIM_SETTLES)).await;
        if tokens::read_claim().is_some_and(|claim| claim.tab == own) {
            return Some(TabLock::Claim(own));
        }
    }
    None
}

/// A turn after those who wait already, and before all who come later. It does not wait: for a request that must leave at
/// once, and whose answer the next turn must not overtake.
pub(super) fn queue_up() -> Option<TabLock> {
    let (held, turn) = promise();
    let (granted, _) = oneshot::channel();
    request(NAME, held, granted).ok().map(|()| turn)
}

/// Asks for the lock; it is ours from the moment that `granted` is told until `held` resolves.
fn request(name: &str, held: Promise, granted: oneshot::Sender<()>) -> Result<(), JsValue> {
    let locks = Reflect::get(&window().navigator(), &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let on_grant = Closure::once_into_js(move |_lock: JsValue| {
        // The receiver is gone when nobody waits, or not any more; who has given up has resolved `held` too.
        let _: Result<(), ()> = granted.send(());
        held
    });
    let done: Promise = request.call3(&locks, &name.into(), &Object::new(), &on_grant)?.dyn_into()?;
    spawn_local(async move {
        let _: Result<JsValue, JsValue> = JsFuture::from(done).await;
    });
    Ok(())
}

/// A promise and what resolves it.
fn promise() -> (Promise, TabLock) {
    let resolve = Rc::new(RefCell::new(None));
    let promise = Promise::new(&mut |done, _| {
        resolve.replace(Some(done));
    });
    let give_back = resolve.take().unwrap_or_default();
    (promise, TabLock::Lock(give_back))
}
