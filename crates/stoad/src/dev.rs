//! `stoad dev`: everything on one machine, to try it and to develop against it.
//!
//! The configuration is made from a template and then read like any other, so that what runs here
//! runs with `stoad run`, too.

mod credentials;

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::Parser as _;
use stoa_client::{Client, ClientConfig, Credential, TrustAnchors};
use tokio::{net::TcpListener, sync::oneshot};

use self::credentials::Credentials;
use crate::{
    arguments::{Arguments, Command, Dev},
    config::Config,
    daemon::Daemon,
    exit::Failure,
    logging,
    signals::Signals,
};

/// The configuration, with `{placeholders}`.
const TEMPLATE: &str = include_str!("dev/stoad.yaml");

/// Where certificates, key and configuration are.
enum Folder {
    /// Removed at the end.
    Temporary(tempfile::TempDir),
    /// Kept.
    Kept(PathBuf),
}

impl Folder {
    fn open(kept: Option<PathBuf>) -> io::Result<Self> {
        match kept {
            Some(path) => {
                fs::create_dir_all(&path)?;
                Ok(Self::Kept(path.canonicalize()?))
            }
            None => Ok(Self::Temporary(
                tempfile::Builder::new().prefix("stoad-dev-").tempdir()?,
            )),
        }
    }

    /// Where the page keeps its rooms: only as long as the folder is kept.
    fn database(&self) -> stoa_talk::Database {
        match self {
            Self::Temporary(_) => stoa_talk::Database::Memory,
            Self::Kept(path) => stoa_talk::Database::File(path.join("talk.sqlite")),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

/// The configuration that `stoad dev` would run with if nothing is said, where its page would be, and the folder that
/// has to be kept for as long as the configuration is looked at.
///
/// # Errors
/// [`Failure`].
pub(crate) fn usual() -> Result<(Config, SocketAddr, impl Drop), Failure> {
    let cannot = |why: &dyn std::fmt::Display| Failure::Running(format!("stoad dev: {why}"));
    let folder = tempfile::Builder::new().prefix("stoad-doctor-").tempdir();
    let folder = folder.map_err(|error| cannot(&error))?;
    let parsed = Arguments::try_parse_from(["stoad", "dev"]).map_err(|error| cannot(&error))?;
    let Command::Dev(arguments) = parsed.command else {
        return Err(cannot(&"is no command"));
    };
    let credentials = Credentials::open(folder.path(), SystemTime::now())?;
    let file = write_config(folder.path(), &arguments, &credentials)?;
    Ok((Config::read(&file)?, arguments.page, folder))
}

/// Runs until it is asked to end.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(arguments: Dev) -> Result<(), Failure> {
    let signals = Signals::listen()
        .map_err(|error| Failure::Running(format!("cannot listen for signals: {error}")))?;
    let folder = Folder::open(arguments.directory.clone())
        .map_err(|error| Failure::Running(format!("cannot make a folder: {error}")))?;
    let credentials = Credentials::open(folder.path(), SystemTime::now())?;
    let file = write_config(folder.path(), &arguments, &credentials)?;
    let config = Config::read(&file)?;
    let (log, _flush) = logging::start(&config.log)?;

    let address = arguments.page;
    let page = TcpListener::bind(address)
        .await
        .map_err(|source| Failure::Listen { address, source })?;
    let page_address = page
        .local_addr()
        .map_err(|source| Failure::Listen { address, source })?;
    let daemon = Daemon::start(&file, &config, log).await?;
    let control = daemon
        .control_addresses()
        .first()
        .copied()
        .unwrap_or(arguments.control);

    let administrator = stoa_talk::AdministratorKey::new(&credentials.admin_key)
        .map_err(|error| Failure::Running(format!("talk-admin-key: {error}")))?;
    let (end_talk, ending) = oneshot::channel::<()>();
    let client = connect(control, &credentials).await?;
    let options = stoa_talk::Options {
        database: folder.database(),
        open_rooms: true,
        administrator: Some(administrator),
        ..stoa_talk::Options::default()
    };
    let talk = tokio::spawn(stoa_talk::serve(page, client, options, async move {
        drop(ending.await);
    }));
    print!("{}", welcome(page_address, control, folder.path(), &file));
    for ops in daemon.ops_addresses() {
        println!("The ops port is at {ops}: http://{ops}/metrics");
    }
    daemon
        .run(signals, async move {
            // People are told by the page before the media stops.
            let _ = end_talk.send(());
            match talk.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the page did not end in order"),
                Err(error) => tracing::error!(%error, "the page did not end in order"),
            }
        })
        .await
}

async fn connect(control: SocketAddr, credentials: &Credentials) -> Result<Client, Failure> {
    let mut config = ClientConfig::new(
        format!("https://{control}"),
        TrustAnchors::Pem(credentials.ca_pem.clone().into_bytes()),
        Credential::ApiKey(credentials.api_key.clone().into()),
    );
    config.server_name = Some(credentials::SERVER_NAME.to_owned());
    Client::connect(config).await.map_err(|error| {
        Failure::Running(format!("the page cannot reach the control API: {error}"))
    })
}

/// This machine's addresses, loopback first, unless others were given.
fn advertised(given: &[IpAddr]) -> Vec<IpAddr> {
    if !given.is_empty() {
        return given.to_vec();
    }
    let mut addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    match if_addrs::get_if_addrs() {
        Ok(interfaces) => addresses.extend(
            interfaces
                .iter()
                .filter(|interface| !interface.is_loopback() && interface.ip().is_ipv4())
                .map(if_addrs::Interface::ip),
        ),
        Err(error) => eprintln!("stoad: cannot list this machine's addresses: {error}"),
    }
    addresses
}

fn write_config(
    folder: &Path,
    arguments: &Dev,
    credentials: &Credentials,
) -> Result<PathBuf, Failure> {
    let advertise: Vec<String> = advertised(&arguments.advertise)
        .iter()
        .map(ToString::to_string)
        .collect();
    let text = TEMPLATE
        .replace("{media_port}", &arguments.media_port.to_string())
        .replace("{advertise}", &advertise.join(", "))
        .replace("{control}", &arguments.control.to_string())
        .replace("{api_key_sha256}", &credentials.api_key_sha256())
        .replace("{ops}", &arguments.ops.map_or_else(String::new, quoted));
    let file = folder.join("stoad.yaml");
    fs::write(&file, text).map_err(|error| Failure::File {
        path: file.clone(),
        reason: error.to_string(),
    })?;
    Ok(file)
}

/// As an element of a YAML list.
fn quoted(address: SocketAddr) -> String {
    format!("'{address}'")
}

fn welcome(page: SocketAddr, control: SocketAddr, folder: &Path, file: &Path) -> String {
    let host = if page.ip().is_loopback() {
        "localhost".to_owned()
    } else {
        page.ip().to_string()
    };
    let (page_port, control_port) = (page.port(), control.port());
    let (folder, file) = (folder.display(), file.display());
    format!(
        "\
Stoa is running. Open this in two browser windows, and talk:

    http://{host}:{page_port}/?room=lobby

At http://{host}:{page_port}/ you can start a room with a stage and an audience. It is open to
everyone; at http://{host}:{page_port}/admin you can close it, invite people and ban them, with the
key in {folder}/talk-admin-key

The control API is at {control}, with this configuration: {file}
Call it with a stock tool:

    grpcurl -cacert {folder}/ca.pem \\
        -H \"authorization: Bearer $(cat {folder}/api-key)\" \\
        localhost:{control_port} stoa.control.v1.Node/GetStatus

Ctrl-C ends it.
"
    )
}
