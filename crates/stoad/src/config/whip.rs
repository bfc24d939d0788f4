//! WHIP and WHEP in the configuration.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use stoa_whip::{ConfigError, IceServer, Origins, WhipConfig};

use super::{Config, files};
use crate::exit::Failure;

/// WHIP and WHEP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whip {
    /// Where to listen, for HTTPS over TCP.
    listen: Vec<SocketAddr>,
    /// PEM file: the server's certificate, then those between it and the authority.
    certificate_file: PathBuf,
    /// PEM file: the certificate's private key.
    private_key_file: PathBuf,
    /// The origins of pages that may use it; `*` is every page's. None: no page may, other clients do not
    /// ask.
    #[serde(default)]
    allowed_origins: Vec<String>,
    /// What clients are told to reach the node with.
    #[serde(default)]
    ice_servers: Vec<IceServerEntry>,
}

/// A STUN or TURN server under one or several addresses.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct IceServerEntry {
    urls: Vec<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    credential: Option<String>,
}

impl fmt::Debug for IceServerEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceServerEntry({:?})", self.urls)
    }
}

impl Whip {
    /// Relative paths are meant from the folder of the configuration file.
    pub(super) fn resolve_paths(&mut self, folder: &Path) {
        for file in [&mut self.certificate_file, &mut self.private_key_file] {
            *file = folder.join(&*file);
        }
    }

    /// What the server is told.
    ///
    /// # Errors
    /// [`Failure::Config`]; [`Failure::File`] for the certificate and its key.
    pub(super) fn server(&self) -> Result<WhipConfig, Failure> {
        let wrong = |error: ConfigError| Failure::Config(format!("whip: {error}"));
        if self.listen.is_empty() {
            let reason = "whip.listen: there must be an address";
            return Err(Failure::Config(reason.to_owned()));
        }
        let mut ice_servers = Vec::new();
        for entry in &self.ice_servers {
            let login = match (&entry.username, &entry.credential) {
                (None, None) => None,
                (name, credential) => Some((
                    name.as_deref().unwrap_or_default(),
                    credential.as_deref().unwrap_or_default(),
                )),
            };
            for url in &entry.urls {
                ice_servers.push(IceServer::new(url, login).map_err(wrong)?);
            }
        }
        if ice_servers.len() > stoa_whip::limits::ICE_SERVERS {
            let most = stoa_whip::limits::ICE_SERVERS;
            return Err(wrong(ConfigError::TooMany("ice_servers", most)));
        }
        Ok(WhipConfig {
            listen: self.listen.clone(),
            identity: files::identity(&self.certificate_file, &self.private_key_file)?,
            origins: Origins::new(&self.allowed_origins).map_err(wrong)?,
            ice_servers,
        })
    }
}

impl Config {
    /// What the server for WHIP and WHEP is told, if there is to be one.
    ///
    /// # Errors
    /// [`Failure::Config`]; [`Failure::File`] for what is in the files.
    pub(crate) fn whip(&self) -> Result<Option<WhipConfig>, Failure> {
        let Some(whip) = &self.whip else {
            return Ok(None);
        };
        if self.token_keys()?.is_empty() {
            let reason = "whip: without token_keys of a tenant nobody could enter";
            return Err(Failure::Config(reason.to_owned()));
        }
        whip.server().map(Some)
    }
}
