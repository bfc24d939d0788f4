//! The cipher's floor: the packet copied once for each listener, and sealed with the listener's own key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{client::PAYLOAD_BYTES, report::Samples};

use super::{FloorError, each, thread_time};

/// What AES-GCM adds to a packet (RFC 7714, section 14.1).
const TAG_BYTES: usize = 16;

/// Microseconds for each packet of `packet_bytes` (as sent: header, payload, tag), one sample for each
/// round over as many keys as there are listeners.
///
/// # Errors
/// [`FloorError::Cipher`].
pub(crate) fn measure(
    packet_bytes: usize,
    listeners: usize,
    rounds: u32,
) -> Result<Samples, FloorError> {
    let keys = (0..listeners)
        .map(|number| {
            let mut bytes = [0x2a; 32];
            bytes[..size_of::<usize>()].copy_from_slice(&number.to_be_bytes());
            let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| FloorError::Cipher)?;
            Ok(LessSafeKey::new(key))
        })
        .collect::<Result<Vec<_>, FloorError>>()?;
    let composed = vec![0x55; packet_bytes.saturating_sub(TAG_BYTES)];
    let header_bytes = composed.len().saturating_sub(PAYLOAD_BYTES);
    let mut packet = composed.clone();
    let mut samples = Vec::new();
    // The first round is for caches, and is not counted.
    for round in 0..=rounds {
        let began = thread_time()?;
        for key in &keys {
            packet.copy_from_slice(&composed);
            let mut nonce = [0; NONCE_LEN];
            nonce[..size_of::<u32>()].copy_from_slice(&round.to_be_bytes());
            let nonce = Nonce::assume_unique_for_key(nonce);
            let (header, payload) = packet.split_at_mut(header_bytes);
            let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), payload);
            let tag = tag.map_err(|_| FloorError::Cipher)?;
            std::hint::black_box((&packet, tag.as_ref()));
        }
        let spent = thread_time()? - began;
        if round > 0 {
            samples.push(each(spent, listeners));
        }
    }
    Ok(Samples::new(samples))
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
