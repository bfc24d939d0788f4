//! What passes between threads, in every order in which they can run and see each other's writes: the files of the
//! crate that are named here are compiled a second time, on loom's primitives instead of the real ones.
//!
//! Sleepers have no timeout here, so a wake-up that is lost is a deadlock, which loom reports. In the test command the
//! number of preemptions is bounded; `cargo xtask races` has a higher bound (`LOOM_MAX_PREEMPTIONS`).

#![allow(dead_code, reason = "no model uses everything of the files")]

#[path = "../src/doorbell.rs"]
mod doorbell;
#[path = "../src/goodbyes.rs"]
mod goodbyes;
#[path = "../src/latest.rs"]
mod latest;
#[path = "../src/passage.rs"]
mod passage;
#[path = "../src/post.rs"]
mod post;
#[path = "models/primitives.rs"]
mod primitives;

use loom::thread;

use doorbell::Doorbell;
use goodbyes::Goodbyes;
use latest::{Latest, Seen};
use passage::{Exit, passage};
use post::post;
use primitives::{Arc, AtomicBool, Ordering, RingBuffer, Waker};

/// Preemptions beyond those of threads that wait. Most faults between threads need two.
const PREEMPTIONS: usize = 3;

/// Runs it in every order, and says how many there were.
fn in_every_order(model: impl Fn() + Sync + Send + 'static) {
    let orders = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&orders);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(PREEMPTIONS));
    builder.check(move || {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    let orders = orders.load(std::sync::atomic::Ordering::Relaxed);
    println!("{orders} orders");
    assert!(orders > 10, "the threads have met: {orders}");
}

/// A thread's bed and bell.
fn bell() -> (Waker, Arc<Doorbell>) {
    let waker = Waker::new();
    (waker.clone(), Arc::new(Doorbell::new(waker)))
}

/// The next turn of a thread's loop, in the order of `Worker::wait` and of the TCP thread's.
fn turn(waker: &Waker, bell: &Doorbell) {
    waker.wait();
    bell.answer();
}

fn all_of<T>(exit: &mut Exit<T>) -> Vec<T> {
    std::iter::from_fn(|| exit.pop()).collect()
}

#[test]
fn whoever_sleeps_is_woken_for_every_packet() {
    in_every_order(|| {
        let (waker, bell) = bell();
        let (mut entrance, mut exit) = passage(4, Arc::clone(&bell));
        let sender = thread::spawn(move || {
            for number in [1, 2] {
                entrance.push(number).unwrap();
                entrance.ring();
            }
            // Ends when all is told: its end rings, too, and is looked at by itself below.
            entrance
        });
        let mut got = Vec::new();
        while got.len() < 2 {
            turn(&waker, &bell);
            got.extend(all_of(&mut exit));
        }
        assert_eq!(got, [1, 2]);
        drop(sender.join());
    });
}

#[test]
fn two_who_post_to_one_reader_are_both_heard() {
    in_every_order(|| {
        let (waker, bell) = bell();
        let (post, received) = post(4, Arc::clone(&bell));
        let other = post.clone();
        let threads = [(post, 1), (other, 2)].map(|(post, number)| {
            thread::spawn(move || assert!(post.try_send(number).is_ok(), "there is room"))
        });
        let mut got = Vec::new();
        while got.len() < 2 {
            turn(&waker, &bell);
            got.extend(std::iter::from_fn(|| received.try_recv()));
        }
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn what_finds_no_room_is_given_back_and_the_rest_arrives() {
    in_every_order(|| {
        let (waker, bell) = bell();
        let (mut entrance, mut exit) = passage(1, Arc::clone(&bell));
        let sender = thread::spawn(move || {
            let pushed = [1, 2, 3].map(|number| entrance.push(number).is_ok());
            assert_eq!(
                entrance.fence(),
                pushed.iter().filter(|is_in| **is_in).count() as u64
            );
            pushed
        });
        let mut got = Vec::new();
        while !exit.is_over() {
            turn(&waker, &bell);
            got.extend(all_of(&mut exit));
        }
        let pushed = sender.join().unwrap();
        let taken = [1, 2, 3].into_iter().zip(pushed);
        let taken: Vec<_> = taken.filter_map(|(n, is_in)| is_in.then_some(n)).collect();
        assert_eq!(got, taken);
    });
}

/// Invariant 1 hangs on this: the answer to whoever takes a right away waits until what went before has left.
#[test]
fn what_has_passed_has_left_and_whoever_waits_for_it_is_woken() {
    in_every_order(|| {
        let ((own_waker, own_bell), (waker, bell)) = (bell(), bell());
        let has_left = Arc::new(AtomicBool::new(false));
        let (mut entrance, mut exit) = passage(4, Arc::clone(&bell));
        let other = thread::spawn({
            let (has_left, own_bell) = (Arc::clone(&has_left), Arc::clone(&own_bell));
            move || {
                while !exit.is_over() {
                    turn(&waker, &bell);
                    if !all_of(&mut exit).is_empty() {
                        has_left.store(true, Ordering::Relaxed);
                    }
                    if exit.pass(exit.popped()) {
                        own_bell.ring();
                    }
                }
            }
        });
        entrance.push(1).unwrap();
        entrance.ring();
        let fence = entrance.fence();
        if !entrance.has_passed(fence) {
            entrance.hurry(fence);
        }
        while !entrance.has_passed(fence) {
            turn(&own_waker, &own_bell);
        }
        assert!(has_left.load(Ordering::Relaxed), "it has not left");
        drop(entrance);
        other.join().unwrap();
    });
}

#[test]
fn whoever_ends_is_noticed_and_nothing_they_said_is_missed() {
    in_every_order(|| {
        let (waker, bell) = bell();
        let (mut entrance, mut exit) = passage(4, Arc::clone(&bell));
        // Without a ring: it has no turn any more in which it would.
        let sender = thread::spawn(move || entrance.push(1).unwrap());
        let mut got = Vec::new();
        while !exit.is_over() {
            turn(&waker, &bell);
            got.extend(all_of(&mut exit));
        }
        assert_eq!(got, [1]);
        sender.join().unwrap();
    });
}

#[test]
fn nobody_waits_for_a_thread_that_has_ended() {
    in_every_order(|| {
        let (_, bell) = bell();
        let (mut entrance, exit) = passage(4, bell);
        let other = thread::spawn(move || drop(exit));
        entrance.push(1).unwrap();
        while !entrance.has_passed(entrance.fence()) {
            thread::yield_now();
        }
        other.join().unwrap();
    });
}

#[test]
fn all_goodbyes_are_said_when_all_letters_are_there() {
    in_every_order(|| {
        let goodbyes = Goodbyes::new();
        let (to_second, mut of_first) = RingBuffer::new(2);
        let (to_first, mut of_second) = RingBuffer::new(2);
        let worker = |mut to: primitives::Producer<i32>, goodbyes: Goodbyes| {
            move || {
                to.push(1).unwrap();
                goodbyes.say();
                to
            }
        };
        let second = thread::spawn(worker(to_first, goodbyes.clone()));
        let to_second = worker(to_second, goodbyes.clone())();
        while !goodbyes.are_said_by(2) {
            thread::yield_now();
        }
        assert_eq!(
            (of_first.pop().ok(), of_second.pop().ok()),
            (Some(1), Some(1))
        );
        drop((second.join().unwrap(), to_second));
    });
}

#[test]
fn whoever_sleeps_is_woken_for_a_value_in_the_place_of_theirs() {
    in_every_order(|| {
        let (waker, bell) = bell();
        let latest = Arc::new(Latest::new(0, vec![bell.clone()]));
        let mut seen = Seen::new(Arc::clone(&latest));
        let other = thread::spawn(move || {
            for number in [1, 2] {
                latest.replace(|before| (*before < number).then_some(number));
            }
        });
        while *seen.value() < 2 {
            // As a worker that goes to sleep: for a moment only, if there is another value.
            if !seen.is_old() {
                turn(&waker, &bell);
            }
            if seen.is_old() {
                let before = *seen.value();
                assert!(
                    !seen.renew() || *seen.value() > before,
                    "it has the number of another"
                );
            }
            thread::yield_now();
        }
        other.join().unwrap();
    });
}

#[test]
fn whoever_finds_somebody_at_the_value_takes_it_later() {
    in_every_order(|| {
        let bells = [bell(), bell()];
        let latest = bells.iter().map(|(_, bell)| bell.clone()).collect();
        let latest = Arc::new(Latest::new(0, latest));
        let threads = bells.map(|(waker, bell)| {
            let mut seen = Seen::new(Arc::clone(&latest));
            thread::spawn(move || {
                while *seen.value() == 0 {
                    if !seen.is_old() {
                        turn(&waker, &bell);
                    }
                    if seen.is_old() {
                        seen.renew();
                    }
                    thread::yield_now();
                }
            })
        });
        latest.replace(|_| Some(1));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
