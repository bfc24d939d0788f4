//! Ciphers for a session's SRTP that are made when they are first needed.
//!
//! str0m makes eight for each session: to encrypt and to decrypt, RTP and RTCP, by our keys and by the
//! client's. The session of a mere listener on the direct path needs none or one of them, and a key that
//! is ready for AES-GCM takes 592 bytes.

use std::fmt;

use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, CryptoError, SrtpProvider, SupportedAeadAes128Gcm,
    SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
};
use zeroize::Zeroizing;

use super::library::usual;

/// The usual SRTP, with ciphers that are made late.
#[derive(Debug)]
pub(super) struct Late;

/// What makes ciphers of one kind.
#[derive(Debug)]
struct Factory;

/// A cipher that may not have been made yet.
struct LateCipher<const KEY_BYTES: usize, C: ?Sized> {
    key: Zeroizing<[u8; KEY_BYTES]>,
    encrypts: bool,
    make: fn([u8; KEY_BYTES], bool) -> Box<C>,
    cipher: Option<Box<C>>,
}

impl<const KEY_BYTES: usize, C: ?Sized> LateCipher<KEY_BYTES, C> {
    fn new(
        key: [u8; KEY_BYTES],
        encrypts: bool,
        make: fn([u8; KEY_BYTES], bool) -> Box<C>,
    ) -> Box<Self> {
        Box::new(Self {
            key: Zeroizing::new(key),
            encrypts,
            make,
            cipher: None,
        })
    }

    fn get(&mut self) -> &mut C {
        let make = || (self.make)(*self.key, self.encrypts);
        self.cipher.get_or_insert_with(make)
    }
}

impl<const KEY_BYTES: usize, C: ?Sized> fmt::Debug for LateCipher<KEY_BYTES, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LateCipher")
            .field("is_made", &self.cipher.is_some())
            .finish_non_exhaustive()
    }
}

impl SrtpProvider for Late {
    // Its cipher is the key alone, in the usual provider.
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        usual().srtp_provider.aes_128_cm_sha1_80()
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Factory
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Factory
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        let srtp = usual().srtp_provider;
        srtp.srtp_aes_128_ecb_round(key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        let srtp = usual().srtp_provider;
        srtp.srtp_aes_256_ecb_round(key, input, output);
    }
}

/// str0m has the same two traits for each length of a key.
macro_rules! late_gcm {
    ($key_bytes:literal, $factory:ident, $cipher:ident, $usual:ident) => {
        impl $factory for Factory {
            fn create_cipher(&self, key: [u8; $key_bytes], encrypt: bool) -> Box<dyn $cipher> {
                LateCipher::<$key_bytes, dyn $cipher>::new(key, encrypt, |key, encrypt| {
                    let factory = usual().srtp_provider.$usual();
                    factory.create_cipher(key, encrypt)
                })
            }
        }

        impl $cipher for LateCipher<$key_bytes, dyn $cipher> {
            fn encrypt(
                &mut self,
                iv: &[u8; 12],
                aad: &[u8],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<(), CryptoError> {
                self.get().encrypt(iv, aad, input, output)
            }

            fn decrypt(
                &mut self,
                iv: &[u8; 12],
                aads: &[&[u8]],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<usize, CryptoError> {
                self.get().decrypt(iv, aads, input, output)
            }
        }
    };
}

late_gcm!(
    16,
    SupportedAeadAes128Gcm,
    AeadAes128GcmCipher,
    aead_aes_128_gcm
);
late_gcm!(
    32,
    SupportedAeadAes256Gcm,
    AeadAes256GcmCipher,
    aead_aes_256_gcm
);

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet sealed by the usual cipher is opened by a late one, which was not made before.
    #[test]
    fn a_cipher_is_made_when_it_is_needed() {
        let (key, iv, plain) = ([7; 32], [9; 12], b"opus");
        let mut sealed = [0; 20];
        let factory = usual().srtp_provider.aead_aes_256_gcm();
        let mut sealer = factory.create_cipher(key, true);
        sealer
            .encrypt(&iv, b"twelve bytes", plain, &mut sealed)
            .unwrap();

        let mut opener = SupportedAeadAes256Gcm::create_cipher(&Factory, key, false);
        assert!(format!("{opener:?}").contains("is_made: false"));
        let mut opened = [0; 20];
        let length = opener.decrypt(&iv, &[b"twelve bytes"], &sealed, &mut opened);
        assert_eq!(&opened[..length.unwrap()], plain);
        assert!(format!("{opener:?}").contains("is_made: true"));
    }
}
