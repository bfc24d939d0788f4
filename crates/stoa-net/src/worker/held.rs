//! Answers that wait until nothing is under way any more that they deny.

use crate::{mailbox::Reply, relay::Outgoing, tcp::TcpLink};

/// How many answers may wait. Beyond that no commands are taken.
const MAX_HELD: usize = 512;

/// One of them.
struct Held {
    /// To which worker, and how many packets have to have left from there.
    fences: Vec<(usize, u64)>,
    /// The same of what has to have left by TCP.
    tcp_fence: u64,
    answer: Box<dyn FnOnce() + Send>,
}

/// The answers of a worker that wait.
#[derive(Default)]
pub(super) struct HeldAnswers(Vec<Held>);

impl HeldAnswers {
    /// Answers at once, or when all packets have left that went to other workers or to TCP before.
    pub(super) fn answer<T: Send + 'static, P>(
        &mut self,
        (ways, tcp): (&[Option<Outgoing<P>>], Option<&mut TcpLink>),
        reply: Reply<T>,
        value: T,
    ) {
        let fences: Vec<_> = under_way(ways).collect();
        let tcp = tcp.filter(|tcp| !tcp.has_passed(tcp.fence()));
        // Whoever asked may have gone meanwhile; that is theirs to know.
        let answer = move || drop(reply.send(value));
        if fences.is_empty() && tcp.is_none() {
            return answer();
        }
        let tcp_fence = tcp.map_or(0, |tcp| {
            let fence = tcp.fence();
            tcp.hurry(fence);
            fence
        });
        for (worker, fence) in &fences {
            if let Some(Some(way)) = ways.get(*worker) {
                way.await_passing(*fence);
            }
        }
        self.0.push(Held {
            fences,
            tcp_fence,
            answer: Box::new(answer),
        });
    }

    /// Gives the answers that need not wait any more.
    pub(super) fn release<P>(&mut self, ways: &[Option<Outgoing<P>>], tcp: Option<&TcpLink>) {
        let has_passed = |(worker, fence): &(usize, u64)| {
            let way = ways.get(*worker).and_then(Option::as_ref);
            way.is_none_or(|way| way.has_passed(*fence))
        };
        let has_left = |fence| tcp.is_none_or(|tcp| tcp.has_passed(fence));
        let is_free =
            |held: &mut Held| held.fences.iter().all(has_passed) && has_left(held.tcp_fence);
        for held in self.0.extract_if(.., is_free) {
            (held.answer)();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_HELD
    }
}

/// To which workers packets are under way, and how many have gone there.
fn under_way<P>(ways: &[Option<Outgoing<P>>]) -> impl Iterator<Item = (usize, u64)> {
    let ways = ways.iter().enumerate();
    ways.filter_map(|(worker, way)| {
        let way = way.as_ref()?;
        let fence = way.fence();
        (!way.has_passed(fence)).then_some((worker, fence))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc::sync_channel};

    use stoa_core::WorkerId;
    use tokio::sync::oneshot;

    use super::*;
    use crate::{doorbell::Doorbell, primitives::waker_of_nobody, relay::way};

    #[test]
    fn an_answer_waits_for_what_went_before_and_not_for_what_comes_after() {
        let (letters, _received) = sync_channel(1);
        let (out, mut into) = way(
            WorkerId(0),
            letters,
            Arc::new(Doorbell::new(waker_of_nobody())),
        );
        let mut ways = [None, Some(out)];
        let mut held = HeldAnswers::default();

        let (reply, mut answer) = oneshot::channel();
        held.answer((&ways, None), reply, "nothing is under way");
        assert!(answer.try_recv().is_ok() && held.is_empty());

        ways[1].as_mut().unwrap().hand_on("before");
        let (reply, mut answer) = oneshot::channel();
        held.answer((&ways, None), reply, "silenced");
        ways[1].as_mut().unwrap().hand_on("after");
        held.release(&ways, None);
        assert!(answer.try_recv().is_err() && !held.is_empty());

        assert_eq!(into.pop(), Some("before"));
        into.pass(None);
        held.release(&ways, None);
        assert_eq!(answer.try_recv(), Ok("silenced"));
        assert!(held.is_empty());
    }
}
