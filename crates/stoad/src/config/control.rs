//! The control API in the configuration.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::RootCertStore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_control::TlsIdentity;

use super::files;
use crate::exit::Failure;

/// The control API.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    /// A list of `ADDRESS:PORT`, each for TCP (HTTP/2) and UDP (HTTP/3).
    #[schemars(extend("x-reload" = false))]
    pub(crate) listen: Vec<SocketAddr>,
    /// PEM: the server's certificate, then those between it and its authority.
    #[schemars(extend("x-reload" = true))]
    pub(super) certificate_file: PathBuf,
    /// PEM: the certificate's private key. This and every other file with a secret is refused where everybody on the
    /// machine may read or change it; a group may.
    #[schemars(extend("x-reload" = true))]
    pub(super) private_key_file: PathBuf,
    /// PEM: who may vouch for callers that show a client certificate. Such a certificate has to be bound to a tenant as
    /// well.
    #[serde(default)]
    #[schemars(extend("x-reload" = true, "x-default" = "none: certificates are not asked for"))]
    pub(super) client_ca_file: Option<PathBuf>,
}

impl Control {
    /// Relative paths are meant from the folder of the configuration file, wherever the daemon was
    /// started.
    pub(super) fn resolve_paths(&mut self, folder: &Path) {
        let files = [&mut self.certificate_file, &mut self.private_key_file];
        for file in files.into_iter().chain(&mut self.client_ca_file) {
            *file = folder.join(&*file);
        }
    }

    /// Its certificate and key.
    ///
    /// # Errors
    /// [`Failure::File`].
    pub(super) fn identity(&self) -> Result<TlsIdentity, Failure> {
        files::identity(&self.certificate_file, &self.private_key_file)
    }

    /// Who vouches for callers.
    ///
    /// # Errors
    /// [`Failure::File`].
    pub(super) fn client_ca(&self) -> Result<Option<Arc<RootCertStore>>, Failure> {
        let file = self.client_ca_file.as_deref();
        file.map(files::authorities).transpose()
    }

    /// The files that are looked at again while the daemon runs.
    pub(super) fn tls_files(&self) -> impl Iterator<Item = &Path> {
        let files = [&self.certificate_file, &self.private_key_file];
        files
            .into_iter()
            .chain(&self.client_ca_file)
            .map(PathBuf::as_path)
    }
}
