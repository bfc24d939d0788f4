//! The cipher's floor: the packet copied once for each listener, and sealed with the listener's own key.

use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{client::PAYLOAD_BYTES, report::Samples};

use super::{FloorError, each, thread_time};

/// What AES-GCM adds to a packet (RFC 7714, section 14.1).
const TAG_BYTES: usize = 16;

/// As many keys as there are listeners, and a packet for each of them.
pub(crate) struct Keys {
    keys: Vec<LessSafeKey>,
    composed: Vec<u8>,
    header_bytes: usize,
    packet: Vec<u8>,
    round: u32,
}

impl Keys {
    /// For packets of `packet_bytes` (as sent: header, payload, tag).
    ///
    /// # Errors
    /// [`FloorError::Cipher`].
    pub(crate) fn new(packet_bytes: usize, listeners: usize) -> Result<Self, FloorError> {
        let keys = (0..listeners)
            .map(|number| {
                let mut bytes = [0x2a; 32];
                bytes[..size_of::<usize>()].copy_from_slice(&number.to_be_bytes());
                let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| FloorError::Cipher)?;
                Ok(LessSafeKey::new(key))
            })
            .collect::<Result<Vec<_>, FloorError>>()?;
        let composed = vec![0x55; packet_bytes.saturating_sub(TAG_BYTES)];
        Ok(Self {
            keys,
            header_bytes: composed.len().saturating_sub(PAYLOAD_BYTES),
            packet: vec![0; composed.len() + TAG_BYTES],
            composed,
            round: 0,
        })
    }

    /// Copies and seals the packet for each listener. Returns how long the processor took.
    ///
    /// # Errors
    /// [`FloorError`].
    pub(crate) fn round(&mut self) -> Result<Duration, FloorError> {
        self.round += 1;
        let packet = &mut self.packet;
        let began = thread_time()?;
        for key in &self.keys {
            packet[..self.composed.len()].copy_from_slice(&self.composed);
            let mut nonce = [0; NONCE_LEN];
            nonce[..size_of::<u32>()].copy_from_slice(&self.round.to_be_bytes());
            let nonce = Nonce::assume_unique_for_key(nonce);
            let (header, rest) = packet.split_at_mut(self.header_bytes);
            let (payload, tag) = rest.split_at_mut(rest.len() - TAG_BYTES);
            key.seal_in_place_scatter(nonce, Aad::from(header), payload, &[], tag)
                .map_err(|_| FloorError::Cipher)?;
            std::hint::black_box(&packet);
        }
        Ok(thread_time()? - began)
    }
}

/// Microseconds for each packet of `packet_bytes` (as sent: header, payload, tag), one sample for each
/// round over as many keys as there are listeners.
///
/// # Errors
/// [`FloorError`].
pub(crate) fn measure(
    packet_bytes: usize,
    listeners: usize,
    rounds: u32,
) -> Result<Samples, FloorError> {
    let mut keys = Keys::new(packet_bytes, listeners)?;
    // The first round is for caches, and is not counted.
    keys.round()?;
    let samples = (0..rounds).map(|_| Ok(each(keys.round()?, listeners)));
    Ok(Samples::new(samples.collect::<Result<_, FloorError>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_is_a_sample() -> Result<(), FloorError> {
        let samples = measure(134, 3, 5)?;
        assert_eq!(samples.count(), 5);
        assert!(samples.min() >= 0.0);
        Ok(())
    }
}
