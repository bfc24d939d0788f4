//! Tasks that go on for as long as what they are a part of.

use std::future::pending;

use tokio::task::JoinSet;

/// Completes when one of the tasks has ended, which none does by itself: `what` cannot go on without it, and the log is
/// told so. Where there are no tasks, never.
pub async fn one_ended(tasks: &mut JoinSet<()>, what: &'static str) {
    match tasks.join_next().await {
        Some(Ok(())) => tracing::error!("{what}: a part has ended by itself"),
        Some(Err(error)) => tracing::error!(%error, "{what}: a part has failed"),
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn the_first_end_is_noticed_whatever_it_was() {
        let ends: [fn(); 2] = [|| panic!("a fault"), || ()];
        for end in ends {
            let mut tasks = JoinSet::new();
            tasks.spawn(pending());
            assert_eq!(one_ended(&mut tasks, "these").now_or_never(), None);
            tasks.spawn(async move { end() });
            let noticed = timeout(PATIENCE, one_ended(&mut tasks, "these")).await;
            assert!(noticed.is_ok(), "nobody noticed");
            assert_eq!(tasks.len(), 1, "the other one goes on");
        }
    }

    #[tokio::test]
    async fn none_that_is_not_there_ends() {
        let mut tasks = JoinSet::new();
        assert_eq!(one_ended(&mut tasks, "nothing").now_or_never(), None);
    }
}
