//! Virtual users work at the same time.

use crate::virtual_user::Failure;
use std::thread;

/// The results of `work` on each of `items`, each in a thread of its own, or the first failure.
pub(crate) fn in_parallel<I, T, W>(items: impl IntoIterator<Item = I>, work: W) -> Result<Vec<T>, Failure>
where
    I: Send,
    T: Send,
    W: Fn(I) -> Result<T, Failure> + Sync,
{
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = items.into_iter().map(|item| scope.spawn(move || work(item))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().map_err(|_| "a virtual user panicked".to_owned())?
        };
        threads.into_iter().map(join).collect()
    })
}
