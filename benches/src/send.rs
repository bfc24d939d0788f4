//! The bench "send": what the kernel takes for a datagram, by each way of handing it over.
//!
//! It is what `stoa-net` was built by (docs/adr/0007 and 0011), to be repeated where the kernel or the
//! network card is another one.

use std::{
    io::{IoSlice, IoSliceMut},
    net::{SocketAddr, SocketAddrV4, UdpSocket},
    os::fd::AsRawFd as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg, sendmsg,
};
use serde_json::json;

use crate::{
    BenchError,
    floor::{FloorError, each, thread_time},
    progress,
    report::{Report, Samples},
};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// To how many sockets datagrams go.
    #[arg(long, default_value_t = 300, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..))]
    listeners: u16,
    /// The size of a datagram in bytes.
    #[arg(long, default_value_t = 130, value_name = "N",
          value_parser = clap::value_parser!(u16).range(12..=1_400))]
    bytes: u16,
    /// How often each way has its turn.
    #[arg(long, default_value_t = 300, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rounds: u32,
    /// A small run that only shows that the bench works.
    #[arg(long, conflicts_with_all = ["listeners", "rounds"])]
    quick: bool,
    /// Also write the results to this file, one JSON object on each line.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// How datagrams are handed over.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// One system call for each.
    Single,
    /// `sendmmsg`, so many in a call, each for another listener.
    Batch(usize),
    /// `sendmmsg` with so many for each listener, one after the other.
    Several(usize),
    /// The same in one buffer, which the kernel takes apart (`UDP_SEGMENT`).
    Segmented(usize),
}

/// As `stoa-net` has it.
const BATCH: usize = 64;

const WAYS: [Way; 8] = [
    Way::Single,
    Way::Batch(8),
    Way::Batch(BATCH),
    Way::Batch(256),
    Way::Several(3),
    Way::Segmented(3),
    Way::Several(8),
    Way::Segmented(8),
];

impl Way {
    fn name(self) -> String {
        match self {
            Self::Single => "sendmsg, one each".to_owned(),
            Self::Batch(count) => format!("sendmmsg, {count} in a call"),
            Self::Several(count) => {
                format!("{count} for one listener, sendmmsg, {BATCH} in a call")
            }
            Self::Segmented(count) => format!("{count} for one listener, UDP_SEGMENT"),
        }
    }

    /// How many datagrams each listener gets in a round.
    fn for_each(self) -> usize {
        match self {
            Self::Single | Self::Batch(_) => 1,
            Self::Several(count) | Self::Segmented(count) => count,
        }
    }
}

/// Runs the bench.
///
/// # Errors
/// [`BenchError::Floor`] where a system call fails, [`BenchError::Json`].
pub(crate) fn run(mut arguments: Arguments) -> Result<(), BenchError> {
    if arguments.quick {
        (arguments.listeners, arguments.rounds) = (20, 5);
    }
    let title = format!(
        "send: {} bytes to {} sockets, whose owner reads them",
        arguments.bytes, arguments.listeners
    );
    let mut report = Report::open(&title, arguments.json.as_deref())?;
    let listeners = Listeners::open(arguments.listeners)?;
    let mut sender = Sender::open(&listeners.addresses, usize::from(arguments.bytes))?;
    let mut spent = vec![Vec::new(); WAYS.len()];
    let progress = progress::bar("rounds", arguments.rounds.into());
    for _ in 0..arguments.rounds {
        // The ways take turns, so that what else the machine does meets all of them.
        for (way, spent) in WAYS.iter().zip(&mut spent) {
            let sent = usize::from(arguments.listeners) * way.for_each();
            let before = listeners.heard();
            spent.push(each(sender.send(*way)?, sent));
            listeners.wait_until(before + sent as u64);
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    println!("{:<48} {:>8} {:>8}", "", "median", "min");
    for (way, spent) in WAYS.iter().zip(spent) {
        let samples = Samples::new(spent);
        let (median, min) = (samples.median(), samples.min());
        println!("{:<48} {median:>8.2} {min:>8.2}", way.name());
        report.write(json!({
            "bench": "send",
            "way": way.name(),
            "listeners": arguments.listeners,
            "datagram_bytes": arguments.bytes,
            "us_per_datagram": median,
            "us_per_datagram_min": min,
        }))?;
    }
    println!("\nmicroseconds of the sending thread for each datagram");
    Ok(())
}

/// Sockets, and a thread that reads them.
struct Listeners {
    addresses: Vec<SocketAddr>,
    heard: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listeners {
    fn open(count: u16) -> Result<Self, FloorError> {
        let sockets = (0..count).map(|_| UdpSocket::bind("127.0.0.1:0"));
        let sockets = sockets.collect::<Result<Vec<_>, _>>()?;
        for socket in &sockets {
            socket.set_nonblocking(true)?;
        }
        let addresses = sockets.iter().map(UdpSocket::local_addr);
        let addresses = addresses.collect::<Result<_, _>>()?;
        let (heard, is_over) = (Arc::default(), Arc::default());
        let (heard_there, is_over_there) = (Arc::clone(&heard), Arc::clone(&is_over));
        let thread = std::thread::Builder::new()
            .name("listeners".to_owned())
            .spawn(move || read(&sockets, &heard_there, &is_over_there))?;
        Ok(Self {
            addresses,
            heard,
            is_over,
            thread: Some(thread),
        })
    }

    fn heard(&self) -> u64 {
        self.heard.load(Ordering::Acquire)
    }

    /// Waits until all was read, or for as long as nothing can still be on its way on one machine.
    fn wait_until(&self, heard: u64) {
        let longest = std::time::Instant::now() + Duration::from_millis(200);
        while self.heard() < heard && std::time::Instant::now() < longest {
            std::thread::yield_now();
        }
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic has been reported where it happened.
            drop(thread.join());
        }
    }
}

fn read(sockets: &[UdpSocket], heard: &AtomicU64, is_over: &AtomicBool) {
    let mut buffers = [[0_u8; 1_500]; 8];
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(buffers.len(), None);
    while !is_over.load(Ordering::Acquire) {
        for socket in sockets {
            let mut slices: Vec<_> = buffers
                .iter_mut()
                .map(|buffer| [IoSliceMut::new(buffer)])
                .collect();
            let flags = MsgFlags::MSG_DONTWAIT;
            let received = recvmmsg(
                socket.as_raw_fd(),
                &mut headers,
                slices.iter_mut(),
                flags,
                None,
            );
            if let Ok(received) = received {
                heard.fetch_add(received.count() as u64, Ordering::Release);
            }
        }
    }
}

/// One socket that sends.
struct Sender {
    socket: UdpSocket,
    datagram: Vec<u8>,
    destinations: Vec<Option<SockaddrIn>>,
}

impl Sender {
    fn open(addresses: &[SocketAddr], bytes: usize) -> Result<Self, FloorError> {
        let to = |address: &SocketAddr| match address {
            SocketAddr::V4(address) => Some(Some(SockaddrIn::from(SocketAddrV4::new(
                *address.ip(),
                address.port(),
            )))),
            SocketAddr::V6(_) => None,
        };
        Ok(Self {
            socket: UdpSocket::bind("127.0.0.1:0")?,
            datagram: vec![0x55; bytes],
            destinations: addresses.iter().filter_map(to).collect(),
        })
    }

    /// What this thread has used of a processor for a round.
    fn send(&mut self, way: Way) -> Result<Duration, FloorError> {
        let began = thread_time()?;
        match way {
            Way::Single => {
                for to in &self.destinations {
                    self.send_one(to.as_ref(), 1)?;
                }
            }
            Way::Batch(count) => self.send_batches(&self.destinations, count)?,
            Way::Several(count) => {
                let repeated = self.destinations.iter();
                let repeated: Vec<_> = repeated
                    .flat_map(|to| std::iter::repeat_n(*to, count))
                    .collect();
                // The list is ours, not the kernel's work.
                let began = thread_time()?;
                self.send_batches(&repeated, BATCH)?;
                return Ok(thread_time()? - began);
            }
            Way::Segmented(count) => {
                for to in &self.destinations {
                    self.send_one(to.as_ref(), count)?;
                }
            }
        }
        Ok(thread_time()? - began)
    }

    /// So many datagrams of the same size in one buffer, for one listener.
    fn send_one(&self, to: Option<&SockaddrIn>, count: usize) -> Result<(), FloorError> {
        let slices: Vec<_> = std::iter::repeat_n(IoSlice::new(&self.datagram), count).collect();
        let size = u16::try_from(self.datagram.len()).unwrap_or(u16::MAX);
        let segments = [ControlMessage::UdpGsoSegments(&size)];
        let control = if count > 1 { &segments[..] } else { &[] };
        let (fd, flags) = (self.socket.as_raw_fd(), MsgFlags::empty());
        sendmsg(fd, &slices, control, flags, to)?;
        Ok(())
    }

    fn send_batches(
        &self,
        destinations: &[Option<SockaddrIn>],
        count: usize,
    ) -> Result<(), FloorError> {
        let mut headers = MultiHeaders::preallocate(count, None);
        let slices = [IoSlice::new(&self.datagram)];
        for mut batch in destinations.chunks(count) {
            while !batch.is_empty() {
                let messages = std::iter::repeat_n(&slices, batch.len());
                let (fd, flags) = (self.socket.as_raw_fd(), MsgFlags::empty());
                let sent = sendmmsg(fd, &mut headers, messages, batch, [], flags)?.count();
                batch = &batch[sent..];
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_sends_as_many_as_it_says() -> Result<(), Box<dyn std::error::Error>> {
        let listeners = Listeners::open(20)?;
        let mut sender = Sender::open(&listeners.addresses, 130)?;
        for way in WAYS {
            let before = listeners.heard();
            sender.send(way)?;
            let sent = 20 * way.for_each() as u64;
            listeners.wait_until(before + sent);
            assert_eq!(listeners.heard() - before, sent, "{way:?}");
        }
        Ok(())
    }
}
