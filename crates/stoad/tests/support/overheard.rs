//! The secrets that WebRTC clients in this process share with the daemon, as their cryptography is given them: ICE
//! passwords, SRTP master keys, and the session keys made of them. And how anybody could have written them down.

use std::{
    collections::BTreeSet,
    sync::{Mutex, OnceLock, PoisonError},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use str0m::crypto::{
    CryptoProvider, Sha1HmacProvider, SrtpProvider, SupportedAeadAes128Gcm, SupportedAeadAes256Gcm,
    SupportedAes128CmSha1_80, from_feature_flags,
};

static ICE_PASSWORDS: Mutex<BTreeSet<Vec<u8>>> = Mutex::new(BTreeSet::new());
static SRTP_KEYS: Mutex<BTreeSet<Vec<u8>>> = Mutex::new(BTreeSet::new());

/// From now on what clients in this process use is heard. Once in a process, before there is a client.
pub(crate) fn listen() {
    let heard = CryptoProvider {
        srtp_provider: &Ear,
        sha1_hmac_provider: &Ear,
        ..usual().clone()
    };
    heard.install_process_default();
}

/// The passwords of both sides.
pub(crate) fn ice_passwords() -> BTreeSet<Vec<u8>> {
    let heard = ICE_PASSWORDS.lock();
    heard.unwrap_or_else(PoisonError::into_inner).clone()
}

/// The keys of both directions, in pieces of 16 bytes: half of a long one would be told too much.
pub(crate) fn srtp_keys() -> BTreeSet<Vec<u8>> {
    let heard = SRTP_KEYS.lock();
    heard.unwrap_or_else(PoisonError::into_inner).clone()
}

/// Every way in which a text may have a secret in it: as it is, or as hexadecimal digits, as a list of numbers, or as
/// base64.
pub(crate) struct Forms {
    as_it_is: Vec<String>,
    /// Small letters and digits alone, as [`Told`] has it.
    squeezed: Vec<String>,
}

impl Forms {
    pub(crate) fn of(secret: &[u8]) -> Self {
        // The last character is made of what follows, too.
        let whole = |encoded: String| encoded[..encoded.len() - 1].to_owned();
        let mut as_it_is = vec![
            whole(STANDARD_NO_PAD.encode(secret)),
            whole(URL_SAFE_NO_PAD.encode(secret)),
            secret.escape_ascii().to_string(),
        ];
        as_it_is.extend(str::from_utf8(secret).ok().map(str::to_owned));
        let squeezed = vec![
            secret.iter().map(|byte| format!("{byte:02x}")).collect(),
            secret.iter().map(|byte| format!("0x{byte:x}")).collect(),
            secret.iter().map(u8::to_string).collect(),
        ];
        Self { as_it_is, squeezed }
    }
}

/// A text that may tell a secret.
pub(crate) struct Told {
    text: String,
    squeezed: String,
}

impl Told {
    pub(crate) fn new(text: String) -> Self {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        let squeezed = letters.map(|c| c.to_ascii_lowercase()).collect();
        Self { text, squeezed }
    }

    /// The form in which it has the secret.
    pub(crate) fn tells<'a>(&self, secret: &'a Forms) -> Option<&'a str> {
        let mut as_it_is = secret.as_it_is.iter();
        let mut squeezed = secret.squeezed.iter();
        as_it_is
            .find(|form| self.text.contains(*form))
            .or_else(|| squeezed.find(|form| self.squeezed.contains(*form)))
            .map(String::as_str)
    }
}

/// The usual cryptography, overheard.
#[derive(Debug)]
struct Ear;

fn usual() -> &'static CryptoProvider {
    static USUAL: OnceLock<CryptoProvider> = OnceLock::new();
    USUAL.get_or_init(from_feature_flags)
}

fn hear(into: &Mutex<BTreeSet<Vec<u8>>>, secret: &[u8]) {
    let mut heard = into.lock().unwrap_or_else(PoisonError::into_inner);
    let (pieces, rest) = secret.as_chunks::<16>();
    heard.extend(pieces.iter().map(|piece| piece.to_vec()));
    // What is shorter is nothing to be looked for.
    if pieces.is_empty() {
        heard.insert(rest.to_vec());
    }
}

impl Sha1HmacProvider for Ear {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        hear(&ICE_PASSWORDS, key);
        usual().sha1_hmac_provider.sha1_hmac(key, payloads)
    }
}

impl SrtpProvider for Ear {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        usual().srtp_provider.aes_128_cm_sha1_80()
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        usual().srtp_provider.aead_aes_128_gcm()
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        usual().srtp_provider.aead_aes_256_gcm()
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        let srtp = usual().srtp_provider;
        srtp.srtp_aes_128_ecb_round(key, input, output);
        hear(&SRTP_KEYS, key);
        hear(&SRTP_KEYS, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        let srtp = usual().srtp_provider;
        srtp.srtp_aes_256_ecb_round(key, input, output);
        hear(&SRTP_KEYS, key);
        hear(&SRTP_KEYS, output);
    }
}
