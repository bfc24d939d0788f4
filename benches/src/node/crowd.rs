//! Those who speak, those who listen, and those who come in a storm.

use std::{net::SocketAddr, ops::Range, sync::Arc};

use stoa_client::{Client, v1::Role};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    BenchError,
    hall::{Hall, HallError},
    peer::Attention,
    progress,
    report::Samples,
    swarm::{Counts, Swarm, SwarmError, Voices},
};

/// How many calls are under way at the same time: fewer than a worker's mailbox takes. Handshakes have
/// no such limit.
const AT_ONCE: usize = 64;

/// Everybody.
pub(crate) struct Crowd {
    hall: Hall,
    /// Where the storm goes: nobody talks there, so the daemon does not send more because of it.
    elsewhere: Hall,
    speakers: Arc<Swarm>,
    pub(crate) listeners: Arc<Swarm>,
    pub(crate) joiners: Arc<Swarm>,
    voices: Voices,
    /// The sockets of those who count.
    counting: Vec<SocketAddr>,
    /// How many listeners have asked to be let in.
    asked: u32,
    /// The ports of all listeners.
    pub(crate) ports: Vec<u16>,
}

/// What the speakers said and the listeners heard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    /// Packets of all speakers.
    pub(crate) spoken: u64,
    /// Packets that came to listeners.
    pub(crate) received: u64,
    /// Packets that came to speakers.
    pub(crate) by_speakers: u64,
    /// Voices that were not looked at.
    pub(crate) untold: u64,
    /// Bytes in the largest packet that a listener got.
    pub(crate) largest: usize,
}

impl Heard {
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            spoken: self.spoken - before.spoken,
            received: self.received - before.received,
            by_speakers: self.by_speakers - before.by_speakers,
            untold: self.untold - before.untold,
            largest: self.largest,
        }
    }
}

impl Crowd {
    /// The speakers, who are silent yet.
    pub(crate) async fn open(client: Client, speakers: u32) -> Result<Self, BenchError> {
        let slots = speakers as usize;
        let hall = Hall::open(client.clone(), "node", slots).await?;
        let elsewhere = Hall::open(client, "elsewhere", slots).await?;
        // Whatever speakers and those in the storm hear is only counted.
        let (speaker_swarm, _) = Swarm::start("speakers")?;
        let (joiners, _) = Swarm::start("joiners")?;
        let (listeners, voices) = Swarm::start("listeners")?;
        for number in 0..speakers {
            let name = format!("speaker-{number}");
            let speaker = hall.admit(&speaker_swarm, &name, Role::Speaker, Attention::Count);
            speaker.await?.connected(&speaker_swarm).await?;
        }
        Ok(Self {
            hall,
            elsewhere,
            speakers: Arc::new(speaker_swarm),
            listeners: Arc::new(listeners),
            joiners: Arc::new(joiners),
            voices,
            counting: Vec::new(),
            asked: 0,
            ports: Vec::new(),
        })
    }

    /// Lets so many listeners in. Those who are sampled are evenly spread among them: a packet leaves for
    /// one after the other.
    pub(crate) async fn fill(&mut self, listeners: u32, sampled: u32) -> Result<(), BenchError> {
        let every = listeners / sampled;
        let attention = move |number: u32| {
            if number % every == every - 1 {
                Attention::Listen
            } else {
                Attention::Count
            }
        };
        let came = admit_all(
            &self.hall,
            &self.listeners,
            "listener",
            0..listeners,
            attention,
        )
        .await?;
        let came = came.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.ports = came.iter().map(|(_, address)| address.port()).collect();
        let counting = came
            .iter()
            .filter(|(number, _)| attention(*number) == Attention::Count);
        self.counting = counting.map(|(_, address)| *address).collect();
        Ok(())
    }

    /// Lets so many more listeners in, if the node takes them. One of so many is sampled. Returns how many
    /// came, and whether the node has refused somebody because it is full.
    pub(crate) async fn fill_up(
        &mut self,
        listeners: u32,
        every: u32,
    ) -> Result<(u32, bool), BenchError> {
        let attention = move |number: u32| match number.is_multiple_of(every) {
            true => Attention::Listen,
            false => Attention::Count,
        };
        let numbers = self.asked..self.asked + listeners;
        self.asked = numbers.end;
        let came = admit_all(&self.hall, &self.listeners, "listener", numbers, attention).await?;
        let (mut more, mut was_refused) = (0, false);
        for one in came {
            match one {
                Ok((_, address)) => {
                    self.ports.push(address.port());
                    more += 1;
                }
                Err(HallError::Saturated) => was_refused = true,
                Err(error) => return Err(error.into()),
            }
        }
        Ok((more, was_refused))
    }

    /// Lets so many in at once, into the silent room. Returns why some did not come, one for each.
    pub(crate) async fn storm(&self, joins: u32) -> Result<Vec<HallError>, BenchError> {
        let count = |_| Attention::Count;
        let came = admit_all(&self.elsewhere, &self.joiners, "joiner", 0..joins, count).await?;
        Ok(came.into_iter().filter_map(Result::err).collect())
    }

    /// Lets the speakers speak, or be silent.
    pub(crate) fn speak(&self, speak: bool) -> Result<(), SwarmError> {
        self.speakers.speak(speak)
    }

    /// What has been said and heard so far.
    pub(crate) fn counts(&self) -> Result<Heard, SwarmError> {
        let (speakers, listeners): (Counts, Counts) =
            (self.speakers.counts()?, self.listeners.counts()?);
        Ok(Heard {
            spoken: speakers.spoken,
            received: listeners.received,
            by_speakers: speakers.received,
            untold: listeners.untold,
            largest: listeners.largest,
        })
    }

    /// The latencies since the last call, in milliseconds.
    pub(crate) fn latencies(&self) -> Samples {
        let latency = |heard: crate::peer::Heard| heard.latency().as_secs_f64() * 1e3;
        let heard = self.voices.try_iter();
        Samples::new(heard.map(|(_, heard)| latency(heard)).collect())
    }

    /// The sockets of the listeners who count.
    pub(crate) fn counting(&self) -> Vec<SocketAddr> {
        self.counting.clone()
    }

    /// Ends all peers.
    pub(crate) fn end(self) -> Result<(), SwarmError> {
        for swarm in [self.speakers, self.joiners, self.listeners] {
            Arc::into_inner(swarm).map_or(Ok(()), Swarm::end)?;
        }
        Ok(())
    }
}

/// Lets people in, many at the same time, until each is connected or has failed. Returns their numbers and
/// addresses.
async fn admit_all(
    hall: &Hall,
    swarm: &Arc<Swarm>,
    kind: &'static str,
    numbers: Range<u32>,
    attention: impl Fn(u32) -> Attention,
) -> Result<Vec<Result<(u32, SocketAddr), HallError>>, BenchError> {
    let progress = progress::bar("joining", numbers.len() as u64);
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut joins: JoinSet<Result<_, HallError>> = JoinSet::new();
    for number in numbers {
        let (hall, swarm, gate) = (hall.clone(), Arc::clone(swarm), Arc::clone(&gate));
        let attention = attention(number);
        joins.spawn(async move {
            // It is never closed.
            let pass = gate.acquire().await;
            let name = format!("{kind}-{number}");
            let coming = hall.admit(&swarm, &name, Role::Listener, attention).await?;
            drop(pass);
            let address = coming.address;
            coming.connected(&swarm).await?;
            Ok((number, address))
        });
    }
    let mut came = Vec::new();
    while let Some(joined) = joins.join_next().await {
        came.push(joined.map_err(|_| swarm.ended())?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(came)
}
