//! The configuration file: strict YAML.
//!
//! docs/configuration.md is for people who write one; the documentation of these types says the same
//! next to the code. A key that is not known is an error, with its line and column.

mod capacity;
mod cgroup;
mod drain;
mod environment;
mod files;
mod log;
mod ops;
mod secrets;
mod tenants;
mod token_keys;
mod whip;

use std::{
    net::{IpAddr, SocketAddr},
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Deserializer, de::Error as _};
use stoa_core::{Certificate, EgressPath, Limits, RoomTimeout, limits::MAX_ROOM_TIMEOUT};
use stoa_net::Advertised;
use stoa_token::Verifier;

pub(crate) use self::log::{Log, LogFormat};
use crate::exit::Failure;

/// A whole configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The media ports.
    pub(crate) media: Media,
    /// The control API.
    pub(crate) control: Control,
    /// The teams that share the node.
    tenants: Vec<tenants::Tenant>,
    /// WHIP and WHEP. None: they are not served.
    #[serde(default)]
    whip: Option<whip::Whip>,
    /// What survives the daemon.
    #[serde(default)]
    state: State,
    /// The port for whoever runs the node.
    #[serde(default)]
    ops: ops::Ops,
    /// What the node may hold.
    #[serde(default)]
    pub(crate) limits: NodeLimits,
    /// What the node may use, and from when on it refuses.
    #[serde(default)]
    capacity: capacity::Capacity,
    /// What rooms are unless their creators say otherwise.
    #[serde(default)]
    pub(crate) rooms: Rooms,
    /// How the node ends.
    #[serde(default)]
    pub(crate) drain: drain::Drain,
    /// What is logged.
    #[serde(default)]
    pub(crate) log: Log,
}

/// The media ports.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Media {
    /// The addresses to bind, at most one for each IP version.
    #[serde(default = "all_addresses")]
    bind: Vec<IpAddr>,
    /// The UDP port of the first worker; each further one has the next. 0 picks free ports.
    port: u16,
    /// How many workers. Absent: as many as this process may use cores.
    #[serde(default)]
    workers: Option<NonZeroUsize>,
    /// Where clients reach the first worker: `ADDRESS` or `ADDRESS:PORT`. Absent: at the bound
    /// addresses, which must not be wildcards then.
    #[serde(default, deserialize_with = "advertised")]
    advertise: Vec<Advertised>,
    /// Whether clients whose networks block UDP may come by TCP, to the same port numbers.
    #[serde(default = "yes")]
    tcp: bool,
    /// How long nothing authentic may come from a participant before nothing is sent to them any more.
    #[serde(default = "default_timeout")]
    ice_timeout_seconds: NonZeroUsize,
    /// How long after that they may come back as who they are. 0: they are gone at once.
    #[serde(default = "default_resume")]
    resume_seconds: u32,
    /// How long ICE and DTLS may take after Join.
    #[serde(default = "default_timeout")]
    connect_timeout_seconds: NonZeroUsize,
    /// How packets for listeners are written and encrypted.
    #[serde(default)]
    egress: Egress,
}

/// How packets for listeners are written and encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Egress {
    /// Written once, sealed for each.
    #[default]
    Direct,
    /// By each listener's own session: to compare with.
    Reference,
}

/// The control API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    /// Where to listen, for TCP (HTTP/2) and UDP (HTTP/3) alike.
    pub(crate) listen: Vec<SocketAddr>,
    /// PEM file: the server's certificate, then those between it and the authority.
    certificate_file: PathBuf,
    /// PEM file: the certificate's private key.
    private_key_file: PathBuf,
    /// PEM file: who may vouch for callers that show a client certificate.
    #[serde(default)]
    client_ca_file: Option<PathBuf>,
}

/// What survives the daemon.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct State {
    /// The directory for it, which has to be there. Absent: nothing does.
    directory: Option<PathBuf>,
}

/// What the node may hold. The defaults are those of [`Limits`].
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NodeLimits {
    /// Rooms on each worker.
    rooms_per_worker: NonZeroUsize,
    /// Participants in one room.
    participants_per_room: NonZeroUsize,
    /// Participants on each worker.
    participants_per_worker: NonZeroUsize,
    /// How often one person may join.
    joins_per_subject_per_minute: NonZeroU32,
    /// How many bad credentials may come from one source address.
    refusals_per_source_per_minute: NonZeroU32,
}

/// What rooms are unless their creators say otherwise.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rooms {
    /// After how many seconds without anybody in it a room is closed; 0: it stays.
    #[serde(deserialize_with = "room_timeout")]
    empty_timeout_seconds: Option<RoomTimeout>,
    /// After how many seconds without anybody who is heard a room is closed; 0: it stays.
    #[serde(deserialize_with = "room_timeout")]
    idle_timeout_seconds: Option<RoomTimeout>,
}

impl Default for NodeLimits {
    fn default() -> Self {
        let limits = Limits::default();
        let rates = stoa_control::ServiceLimits::default();
        let count = |value| NonZeroUsize::new(value).unwrap_or(NonZeroUsize::MIN);
        let rate = |value| NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN);
        Self {
            rooms_per_worker: count(limits.rooms),
            participants_per_room: count(limits.participants_per_room),
            participants_per_worker: count(limits.participants),
            joins_per_subject_per_minute: rate(rates.joins_per_subject),
            refusals_per_source_per_minute: rate(rates.refusals_per_source),
        }
    }
}

fn all_addresses() -> Vec<IpAddr> {
    use std::net::{Ipv4Addr, Ipv6Addr};
    vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
}

fn yes() -> bool {
    true
}

fn default_resume() -> u32 {
    30
}

fn default_timeout() -> NonZeroUsize {
    const FIFTEEN: NonZeroUsize = NonZeroUsize::new(15).expect("15 is not 0");
    FIFTEEN
}

fn advertised<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Advertised>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom))
        .collect()
}

fn sha256<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || D::Error::custom("sha256 must be 64 hexadecimal digits");
    // Rust takes a sign for a part of a number.
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| wrong())?;
    }
    Ok(hash)
}

fn room_timeout<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RoomTimeout>, D::Error> {
    let seconds = u64::deserialize(deserializer)?;
    if seconds == 0 {
        return Ok(None);
    }
    let longest = MAX_ROOM_TIMEOUT.as_secs();
    let wrong = || D::Error::custom(format!("must be 0, or 1 to {longest} seconds"));
    let timeout = RoomTimeout::new(Duration::from_secs(seconds));
    timeout.map(Some).ok_or_else(wrong)
}

impl Control {
    /// Relative paths are meant from the folder of the configuration file, wherever the daemon was
    /// started.
    fn resolve_paths(&mut self, folder: &Path) {
        let files = [&mut self.certificate_file, &mut self.private_key_file];
        for file in files.into_iter().chain(&mut self.client_ca_file) {
            *file = folder.join(&*file);
        }
    }
}

impl Config {
    /// Reads a configuration file, and what the environment says in its place.
    ///
    /// # Errors
    /// [`Failure::File`] if it cannot be read; [`Failure::Config`] with line and column if it is
    /// not a configuration.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let (_, mut config) = Self::read_whole(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.control.resolve_paths(folder);
        for tenant in &mut config.tenants {
            tenant.resolve_paths(folder);
        }
        if let Some(whip) = &mut config.whip {
            whip.resolve_paths(folder);
        }
        if let Some(directory) = &mut config.state.directory {
            *directory = folder.join(&*directory);
        }
        Ok(config)
    }

    /// What is set, by the file and by the environment, as one YAML text. Secrets are not in it.
    ///
    /// # Errors
    /// Those of [`Config::read`].
    pub(crate) fn print(path: &Path) -> Result<String, Failure> {
        let (text, _) = Self::read_whole(path)?;
        Ok(secrets::hidden(&text))
    }

    /// The text of the whole, and what it says.
    fn read_whole(path: &Path) -> Result<(String, Self), Failure> {
        let wrong = |why: String| Failure::Config(format!("{}: {why}", path.display()));
        let text = files::read(path)?;
        let text = String::from_utf8(text).map_err(|error| wrong(error.to_string()))?;
        let overrides = environment::overrides(std::env::vars_os()).map_err(Failure::Config)?;
        let of_file = Self::parse(&text).map_err(|error| wrong(error.to_string()));
        if overrides.is_empty() {
            return of_file.map(|config| (text, config));
        }
        let whole = environment::apply(&text, &overrides).map_err(wrong)?;
        match (Self::parse(&whole), of_file) {
            (Ok(config), _) => Ok((whole, config)),
            // A line of the file says more than one of the whole.
            (Err(_), Err(failure)) => Err(failure),
            (Err(error), Ok(_)) => Err(wrong(format!(
                "together with the environment ({}): {error}",
                environment::names(&overrides)
            ))),
        }
    }

    fn parse(text: &str) -> Result<Self, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }

    /// What the media workers are told.
    ///
    /// # Errors
    /// [`Failure::Config`] or [`Failure::Media`].
    pub(crate) fn media(&self) -> Result<stoa_net::Config, Failure> {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let seconds = |value: NonZeroUsize| Duration::from_secs(value.get() as u64);
        let config = stoa_net::Config {
            bind: self.media.bind.clone(),
            port: self.media.port,
            workers: self.media.workers.map_or_else(cores, NonZeroUsize::get),
            tcp: self.media.tcp,
            advertise: self.media.advertise.clone(),
            certificate: Certificate::generate().map_err(Failure::Running)?,
            limits: Limits {
                rooms: self.limits.rooms_per_worker.get(),
                participants_per_room: self.limits.participants_per_room.get(),
                participants: self.limits.participants_per_worker.get(),
                ice_timeout: seconds(self.media.ice_timeout_seconds),
                resume_window: Duration::from_secs(self.media.resume_seconds.into()),
                connect_timeout: seconds(self.media.connect_timeout_seconds),
            },
            egress: match self.media.egress {
                Egress::Direct => EgressPath::Direct,
                Egress::Reference => EgressPath::Reference,
            },
            quotas: self
                .tenants
                .iter()
                .filter_map(tenants::Tenant::packet_quota)
                .collect(),
        };
        config
            .check()
            .map_err(|error| Failure::Config(format!("media: {error}")))?;
        Ok(config)
    }

    /// What the ops port is told.
    pub(crate) fn ops(&self) -> stoa_ops::OpsConfig {
        self.ops
            .config(self.tenants.iter().map(tenants::Tenant::id).collect())
    }

    /// What the control server is told.
    ///
    /// # Errors
    /// [`Failure::Config`]; [`Failure::File`] for certificates and keys.
    pub(crate) fn control(&self) -> Result<stoa_control::ControlConfig, Failure> {
        let control = &self.control;
        if control.listen.is_empty() {
            return Err(Failure::Config(
                "control.listen: there must be an address".to_owned(),
            ));
        }
        let wrong = |reason| Failure::Config(format!("tenants: {reason}"));
        tenants::check(&self.tenants).map_err(wrong)?;
        let by_certificate = self.tenants.iter().any(tenants::Tenant::has_certificates);
        if by_certificate != control.client_ca_file.is_some() {
            return Err(Failure::Config(
                "control.client_ca_file and tenants.client_certificates: neither is of use without the other"
                    .to_owned(),
            ));
        }
        let identity = files::identity(&control.certificate_file, &control.private_key_file)?;
        let mut config = stoa_control::ControlConfig::new(control.listen.clone(), identity);
        config.client_ca = control
            .client_ca_file
            .as_deref()
            .map(files::authorities)
            .transpose()?;
        config.tenants = self.tenants.iter().map(tenants::Tenant::control).collect();
        config.state_directory.clone_from(&self.state.directory);
        config.service.joins_per_subject = self.limits.joins_per_subject_per_minute.get();
        config.service.refusals_per_source = self.limits.refusals_per_source_per_minute.get();
        let seats = self.limits.participants_per_worker.get();
        let wrong = |reason| Failure::Config(format!("capacity: {reason}"));
        config.capacity = self.capacity.settings(seats).map_err(wrong)?;
        config.rooms = stoa_control::RoomDefaults {
            empty_timeout: self.rooms.empty_timeout_seconds,
            idle_timeout: self.rooms.idle_timeout_seconds,
        };
        config.tokens = Verifier::new(self.token_keys()?);
        config.version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
