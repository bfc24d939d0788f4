//! WHIP and WHEP in the configuration.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_control::TlsIdentity;
use stoa_whip::{ConfigError, IceServer, Origins, WhipConfig};

use super::{Config, files, secret::Secret};
use crate::exit::Failure;

/// [WHIP and WHEP](whip.md). Without this section they are not served; with it, a tenant needs `token_keys`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whip {
    /// A list of `ADDRESS:PORT`, for HTTPS over TCP (HTTP/1.1 and HTTP/2).
    #[schemars(extend("x-reload" = false))]
    pub(super) listen: Vec<SocketAddr>,
    /// PEM: the server's certificate, then those between it and its authority.
    #[schemars(extend("x-reload" = true))]
    pub(super) certificate_file: PathBuf,
    /// PEM: the certificate's private key.
    #[schemars(extend("x-reload" = true))]
    pub(super) private_key_file: PathBuf,
    /// The origins of pages that may use it, as browsers write them; `*` is every page's. Clients that are no browsers do
    /// not ask.
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    allowed_origins: Vec<String>,
    /// What clients are told to reach the node with. At most 16 in all.
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    ice_servers: Vec<IceServerEntry>,
}

/// A STUN or TURN server under one or several addresses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IceServerEntry {
    /// Its addresses: `stun:`, `turn:` or `turns:`.
    #[schemars(extend("x-reload" = true))]
    urls: Vec<String>,
    /// The user name, where it wants one.
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    username: Option<String>,
    /// The credential, where it wants one. `stoad config print` hides it.
    #[serde(default)]
    #[schemars(extend("x-reload" = true))]
    credential: Option<Secret>,
}

impl Whip {
    /// Relative paths are meant from the folder of the configuration file.
    pub(super) fn resolve_paths(&mut self, folder: &Path) {
        for file in [&mut self.certificate_file, &mut self.private_key_file] {
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

    /// The files that are looked at again while the daemon runs.
    pub(super) fn tls_files(&self) -> [&Path; 2] {
        [&self.certificate_file, &self.private_key_file]
    }

    /// Whether it names the same servers, with the same credentials.
    pub(super) fn has_ice_servers_of(&self, other: &Self) -> bool {
        self.ice_servers == other.ice_servers
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
                    credential.as_ref().map_or("", Secret::expose),
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
            identity: self.identity()?,
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
