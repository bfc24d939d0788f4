//! The files that a configuration names.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use rustls::{
    RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use sha2::{Digest as _, Sha256};
use stoa_control::TlsIdentity;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

use crate::exit::Failure;

/// The longest file that is read: certificates and configurations are far shorter.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

pub(super) fn wrong(path: &Path, reason: impl ToString) -> Failure {
    Failure::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Reads a file, or as much of it as is needed to see that it is too long: a device has no end.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|error| wrong(path, error))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    if read.map_err(|error| wrong(path, error))? as u64 > MAX_FILE_BYTES {
        return Err(wrong(
            path,
            format!("is longer than {MAX_FILE_BYTES} bytes"),
        ));
    }
    Ok(bytes)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| wrong(path, format!("not a PEM file: {error}")))?;
    if chain.is_empty() {
        return Err(wrong(path, "has no PEM certificate"));
    }
    Ok(chain)
}

/// A certificate chain and its key.
pub(super) fn identity(certificate: &Path, key: &Path) -> Result<TlsIdentity, Failure> {
    let chain = certificates(certificate)?;
    let text = stoa_secret::read(key)?;
    let private = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|error| wrong(key, format!("has no PEM private key: {error}")))?;
    // The control server would find out, too, but it does not know the files.
    let provider = aws_lc_rs::default_provider();
    CertifiedKey::from_der(chain.clone(), private.clone_key(), &provider).map_err(|error| {
        let reason = format!("does not go with {}: {error}", certificate.display());
        wrong(key, reason)
    })?;
    Ok(TlsIdentity {
        chain,
        key: private,
    })
}

/// What these files have in them now, as one hash: it changes when any of them does, or can be read or not any more.
pub(super) fn fingerprint<'a>(files: impl IntoIterator<Item = &'a Path>) -> [u8; 32] {
    let mut whole = Sha256::new();
    for file in files {
        let content = hash(file).unwrap_or_else(|error| Sha256::digest(error.to_string()).into());
        whole.update(content);
    }
    whole.finalize().into()
}

/// The hash of what is in a file, private keys among it, of which nothing stays in memory.
fn hash(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?.take(MAX_FILE_BYTES);
    let mut piece = Zeroizing::new([0; 4096]);
    let mut hash = Sha256::new();
    loop {
        match file.read(&mut piece[..]) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(length) => hash.update(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// When the first certificate of a chain is over.
pub(super) fn expiry(identity: &TlsIdentity) -> Option<SystemTime> {
    let certificate = x509_cert::Certificate::from_der(identity.chain.first()?).ok()?;
    let not_after = certificate.tbs_certificate().validity().not_after;
    Some(UNIX_EPOCH + not_after.to_unix_duration())
}

/// Authorities that vouch for others.
pub(super) fn authorities(path: &Path) -> Result<Arc<RootCertStore>, Failure> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|error| wrong(path, error))?;
    }
    Ok(Arc::new(store))
}
