//! The files that a configuration names.

use std::{fs::File, io::Read as _, path::Path, sync::Arc};

use rustls::{
    RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use stoa_control::TlsIdentity;

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
    let text = read(key)?;
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

/// Authorities that vouch for others.
pub(super) fn authorities(path: &Path) -> Result<Arc<RootCertStore>, Failure> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|error| wrong(path, error))?;
    }
    Ok(Arc::new(store))
}
