//! Single steps of the packet path, for the micro-benches (`benches/steps.rs`) alone: they are no part of
//! the crate's interface, and there only with the feature `bench`.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use ahash::RandomState;
use rand::{Rng, SeedableRng, rngs::StdRng};
use slotmap::SlotMap;
use str0m::IceCreds;

use crate::{
    audio_level::{AudioLevel, LevelExtension},
    demux::Demux,
    ids::{Csrc, ParticipantId},
    keys::{ParticipantKey, SessionKey},
    red::Payload,
    rtp::{RtpTime, SeqExt},
    seal::{Profile, RtpSealer, SrtpKeys},
    session::keys::crypto,
    settings::{AudioMode, RoomSettings},
    splice::Place,
    stage::{SpeakerPacket, Stage},
    subscription::Subscription,
};

/// What a speaker sends in 20 ms at 32 kbit/s, in bytes.
const PAYLOAD_BYTES: usize = 80;

/// An RTP header with one CSRC and the level, in bytes.
const HEADER_BYTES: usize = 24;

fn hasher() -> RandomState {
    RandomState::with_seeds(1, 2, 3, 4)
}

/// One packet, sealed for one listener after the other.
pub struct Sealing {
    sealers: Vec<RtpSealer>,
    packet: Vec<u8>,
    next: u64,
}

impl Sealing {
    /// For so many listeners with this profile, by its name in IANA's registry.
    ///
    /// # Panics
    /// If there is no such profile.
    pub fn new(profile: &str, listeners: usize) -> Self {
        let (profile, bytes) = match profile {
            "SRTP_AES128_CM_HMAC_SHA1_80" => (Profile::Aes128CmSha1_80, 60),
            "SRTP_AEAD_AES_128_GCM" => (Profile::AeadAes128Gcm, 56),
            "SRTP_AEAD_AES_256_GCM" => (Profile::AeadAes256Gcm, 88),
            _ => panic!("no such profile: {profile}"),
        };
        let mut rng = StdRng::seed_from_u64(1);
        let sealer = |_| {
            let material: Vec<u8> = (0..bytes).map(|_| rng.random()).collect();
            let keys = SrtpKeys::new(profile, &material, false).expect("the right length");
            RtpSealer::new(&keys.local).expect("a key")
        };
        let sealers: Vec<RtpSealer> = (0..listeners).map(sealer).collect();
        let overhead = sealers[0].overhead();
        Self {
            sealers,
            packet: vec![0x90; HEADER_BYTES + PAYLOAD_BYTES + overhead],
            next: 0,
        }
    }

    /// Seals the packet for the next listener.
    ///
    /// # Panics
    /// If the cryptographic library refuses.
    pub fn seal(&mut self) {
        let index = self.next / self.sealers.len() as u64;
        let sealer = &self.sealers[(self.next % self.sealers.len() as u64) as usize];
        self.next += 1;
        self.packet[2..4].copy_from_slice(&(index as u16).to_be_bytes());
        sealer
            .seal(&[7; PAYLOAD_BYTES], &mut self.packet, HEADER_BYTES, index)
            .expect("sealed");
    }
}

/// A stage with talkers, three slots, and listeners who have a line for each.
pub struct Speaking {
    stage: Stage,
    talkers: Vec<ParticipantKey>,
    packet: SpeakerPacket,
    now: Instant,
}

impl Speaking {
    /// So many talk at the same time. Those with the highest numbers are loudest.
    ///
    /// # Panics
    /// Never: names of numbers are names.
    pub fn new(now: Instant, talkers: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let mut stage = Stage::new(&RoomSettings::default(), &hasher(), &mut rng);
        stage
            .take_bank(now, &Subscription::EVERYBODY, 3, &mut rng)
            .expect("the first bank");
        let mut keys = SlotMap::<ParticipantKey, ()>::with_key();
        let mut add = |number: u32| {
            let key = keys.insert(());
            let name = ParticipantId::new(&number.to_string()).expect("a name");
            stage.add(key, &name, Csrc(number + 1), AudioMode::Speech);
            key
        };
        let talkers = (0..talkers as u32).map(&mut add).collect();
        let mut speaking = Self {
            stage,
            talkers,
            packet: packet(),
            now,
        };
        for _ in 0..50 {
            speaking.round();
        }
        speaking
    }

    fn round(&mut self) {
        self.now += Duration::from_millis(20);
        self.packet.place.seq = SeqExt(self.packet.place.seq.0 + 1);
        self.packet.place.time = RtpTime(self.packet.place.time.0.wrapping_add(960));
        for (number, &key) in self.talkers.iter().enumerate() {
            let level = AudioLevel::from_minus_dbov(60 - (number % 50) as u8);
            self.packet.level = Some(LevelExtension { level, voice: true });
            self.stage.handle_packet(self.now, key, &self.packet, drop);
        }
    }

    /// The loudest one says the next packet. Returns into how many streams it was composed.
    pub fn compose(&mut self) -> usize {
        self.now += Duration::from_millis(20);
        self.packet.place.seq = SeqExt(self.packet.place.seq.0 + 1);
        self.packet.place.time = RtpTime(self.packet.place.time.0.wrapping_add(960));
        let Some(&loudest) = self.talkers.last() else {
            return 0;
        };
        let mut composed = 0;
        self.stage
            .handle_packet(self.now, loudest, &self.packet, |packet| {
                std::hint::black_box(packet);
                composed += 1;
            });
        composed
    }

    /// Decides anew who holds the slots.
    pub fn rank(&mut self) -> bool {
        self.stage.rank(self.now)
    }
}

fn packet() -> SpeakerPacket {
    SpeakerPacket {
        ssrc: 1,
        place: Place {
            seq: SeqExt(1),
            time: RtpTime(960),
            marker: false,
            ahead: 0,
        },
        level: None,
        payload: Payload::plain(Arc::from([7; PAYLOAD_BYTES])),
    }
}

/// Known addresses and credentials.
pub struct Demuxing {
    demux: Demux,
    known: SocketAddr,
    stranger: SocketAddr,
}

/// The ICE password of everybody.
pub const PASSWORD: &str = "a-password-of-24-letters";

impl Demuxing {
    /// So many participants at one address each. Participant `n` has the user name fragment `n`.
    pub fn new(now: Instant, participants: u32) -> Self {
        let mut demux = Demux::new(Arc::new(crypto()), &hasher());
        let mut keys = SlotMap::<SessionKey, ()>::with_key();
        let address = |number: u32| SocketAddr::from((number.to_be_bytes(), 50_000));
        for number in 0..participants {
            let key = keys.insert(());
            let credentials = IceCreds {
                ufrag: number.to_string(),
                pass: PASSWORD.to_owned(),
            };
            demux.add(credentials, key);
            demux.learn(now, address(number).into(), None, key);
        }
        Self {
            demux,
            known: address(participants / 2),
            stranger: address(participants),
        }
    }

    /// Whether a datagram of somebody who is known is let in.
    pub fn of_known(&self, datagram: &[u8]) -> bool {
        self.demux.route(self.known.into(), datagram).is_ok()
    }

    /// The same, of a stranger.
    pub fn of_stranger(&self, datagram: &[u8]) -> bool {
        self.demux.route(self.stranger.into(), datagram).is_ok()
    }
}
