//! A lock between tabs, by the Web Locks API. It saves requests and keeps cookies in the order of their responses. A tab that
//! does not get it in time proceeds without. Where the browser has no Web Locks, a tab claims the lock in localStorage: two
//! tabs may then both believe that they have it, when a claim reaches the other tab late.

use crate::clock;
use crate::http::{RESPONSE_TIMEOUT, milliseconds};
use crate::local_storage::{self, LockClaim};
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

/// The lock of refreshes and, with cookies, of sign-ins. The name is that of earlier releases, which a tab may still run.
const NAME: &str = "latchkey.refresh";

/// The lock for revalidations. A separate one, because no refresh should wait for a revalidation.
/// The name is that of earlier releases, which a tab may still run.
const REVALIDATION_NAME: &str = "latchkey.look";

/// The lock of the sign-outs in progress. A separate one, because a sign-out is sent without waiting: behind tabs that wait for
/// the other lock it would hold nothing while its response, which removes cookies, is on its way.
const SIGN_OUT_NAME: &str = "latchkey.sign-out";

/// How long to wait for other tabs: longer than a refresh takes, shorter than a user notices as a fault.
pub(super) const SHORT_WAIT: Duration = Duration::from_secs(3);

/// How long to wait for other tabs where the refresh token is in a cookie: longer than another tab may wait for its response. A response that arrives
/// after the next one would restore an older cookie, possibly another user's.
pub(super) const COOKIE_WAIT: Duration = RESPONSE_TIMEOUT.saturating_add(Duration::from_secs(10));

/// How long a claim takes to reach the other tabs, with a margin.
const CLAIM_SETTLES: Duration = Duration::from_millis(60);

/// A lock that was granted or, for a sign-out, requested. Released when dropped.
pub(super) enum TabLock {
    /// A Web Lock, and the function that releases it.
    Lock(Function),
    /// A claim in localStorage, with the id of this tab's claim.
    Claim(Uuid),
}

impl Drop for TabLock {
    fn drop(&mut self) {
        match self {
            Self::Lock(release) => {
                // A promise's own resolve function does not throw.
                let _: Result<JsValue, JsValue> = release.call0(&JsValue::UNDEFINED);
            }
            Self::Claim(own) => {
                if local_storage::read_claim().is_some_and(|claim| claim.tab == *own) {
                    local_storage::clear_claim();
                }
            }
        }
    }
}

/// Waits for the lock, and for the responses to the sign-outs that any tab has sent, for at most `timeout` each; `None` where
/// other tabs are slow.
pub(super) async fn acquire(timeout: Duration) -> Option<TabLock> {
    match acquire_lock(NAME, timeout).await {
        Ok(Some(lock)) => {
            // Dropped at once: it need only have been free, because sign-outs do not wait for `lock`.
            acquire_lock(SIGN_OUT_NAME, timeout).await.ok().flatten()?;
            Some(lock)
        }
        Ok(None) => None,
        Err(_) => claim(timeout).await,
    }
}

/// Waits for the lock of revalidations for at most `timeout`. `None` at once where there are no Web Locks: simultaneous revalidations are harmless.
pub(super) async fn acquire_for_revalidation(timeout: Duration) -> Option<TabLock> {
    acquire_lock(REVALIDATION_NAME, timeout).await.ok().flatten()
}

/// Waits for a Web Lock. Fails where there are no Web Locks.
async fn acquire_lock(name: &str, timeout: Duration) -> Result<Option<TabLock>, JsValue> {
    let (released, lock) = promise();
    let (granted, grant) = oneshot::channel();
    request(name, released, granted)?;
    Ok(match select(grant, TimeoutFuture::new(milliseconds(timeout))).await {
        Either::Left((Ok(()), _)) => Some(lock),
        // Dropping it now releases the lock at once, should it be granted later.
        Either::Left((Err(_), _)) | Either::Right(_) => None,
    })
}

/// Acquires the lock by a claim that no other tab overwrote; `None` at once where nothing can be stored.
async fn claim(timeout: Duration) -> Option<TabLock> {
    let own = Uuid::new_v4();
    let begin = clock::now();
    while clock::now().since(begin) < i64::from(milliseconds(timeout)) {
        let is_free = !local_storage::read_claim().is_some_and(|claim| claim.is_valid(clock::now()));
        if is_free && !local_storage::write_claim(&LockClaim { tab: own, at: clock::now().wall_ms }) {
            return None;
        }
        TimeoutFuture::new(milliseconds(CLAIM_SETTLES)).await;
        if local_storage::read_claim().is_some_and(|claim| claim.tab == own) {
            return Some(TabLock::Claim(own));
        }
    }
    None
}

/// Makes every tab that acquires the lock from now on wait until this is dropped, and waits for none. For a sign-out, which must
/// be sent at once, and whose response must arrive before the next holder of the lock sends its request.
pub(super) fn announce_sign_out() -> Option<TabLock> {
    let (released, lock) = promise();
    let (granted, _) = oneshot::channel();
    request(SIGN_OUT_NAME, released, granted).ok().map(|()| lock)
}

/// Requests the lock. This tab has it from the moment that `granted` receives a value until `released` resolves.
fn request(name: &str, released: Promise, granted: oneshot::Sender<()>) -> Result<(), JsValue> {
    let locks = Reflect::get(&window().navigator(), &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let on_grant = Closure::once_into_js(move |_lock: JsValue| {
        // The receiver is dropped when no caller waits any more; a caller that gave up has resolved `released`, too.
        let _: Result<(), ()> = granted.send(());
        released
    });
    let done: Promise = request.call3(&locks, &name.into(), &Object::new(), &on_grant)?.dyn_into()?;
    spawn_local(async move {
        let _: Result<JsValue, JsValue> = JsFuture::from(done).await;
    });
    Ok(())
}

/// A promise, and the lock whose release resolves it.
fn promise() -> (Promise, TabLock) {
    let resolve = Rc::new(RefCell::new(None));
    let promise = Promise::new(&mut |done, _| {
        resolve.replace(Some(done));
    });
    let release = resolve.take().unwrap_or_default();
    (promise, TabLock::Lock(release))
}
