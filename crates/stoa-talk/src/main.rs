//! The reference signalling service as a program of its own, beside a Stoa that runs elsewhere.

#![forbid(unsafe_code)]

use std::{
    fs,
    io::{self, IsTerminal as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use stoa_client::{Client, ClientConfig, ConnectError, Credential, TrustAnchors};
use stoa_secret::SecretFileError;
use stoa_talk::{AdministratorKey, Admission, Database, Options, WeakKey};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

/// Serves voice rooms to browsers: the page, and the signalling between it and a Stoa.
///
/// Browsers give the microphone to pages from https:// or localhost only, so put a TLS proxy in
/// front of it for anybody else.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen for browsers, plain HTTP
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The control API of the Stoa to use
    #[arg(long, value_name = "https://HOST:PORT", env = "STOA_ENDPOINT")]
    stoa: String,
    /// PEM file with the certificate authority that vouches for that Stoa
    #[arg(long, value_name = "FILE", env = "STOA_CA_FILE")]
    ca: PathBuf,
    /// File with the API key to use there, alone on its first line; refused where everybody may read it
    #[arg(long, value_name = "FILE", env = "STOA_API_KEY_FILE")]
    api_key_file: PathBuf,
    /// The SQLite file that keeps rooms, links and people; made if it is not there. Without it they
    /// are kept in memory, and end with the program
    #[arg(long, value_name = "PATH", env = "STOA_TALK_DATABASE")]
    database: Option<PathBuf>,
    /// Also have open rooms: whoever knows such a room's name comes in, and entering makes it
    #[arg(long, env = "STOA_TALK_OPEN_ROOMS")]
    open_rooms: bool,
    /// File with the administrator's key, alone on its first line: 22 to 128 random characters. With
    /// it the administrator opens waves, bans people and opens the service to everyone, at /admin
    #[arg(long, value_name = "FILE", env = "STOA_TALK_ADMIN_KEY_FILE")]
    admin_key_file: Option<PathBuf>,
    /// Begin as a closed beta, for invited people only, until the administrator opens the service to
    /// everyone; the database keeps what the administrator has said
    #[arg(long, env = "STOA_TALK_CLOSED", requires = "admin_key_file")]
    closed: bool,
    /// Take the last address in X-Forwarded-For for where a request comes from. Only behind a proxy
    /// that writes it: wrong codes are counted by it
    #[arg(long, env = "STOA_TALK_BEHIND_PROXY")]
    behind_proxy: bool,
}

/// Why the program failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    #[error("the key in {path} is too weak: {source}")]
    WeakKey { path: String, source: WeakKey },
    #[error("cannot connect to the Stoa at {endpoint}: {source}")]
    Connect {
        endpoint: String,
        source: ConnectError,
    },
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("cannot handle signals: {0}")]
    Signals(io::Error),
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    #[error(transparent)]
    Serve(#[from] stoa_talk::Error),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // A file of log lines is for other programs, too.
        .with_ansi(io::stderr().is_terminal())
        .init();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("stoa-talk: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let shutdown = asked_to_end()?;
    let ca = read(&arguments.ca)?;
    let credential = Credential::ApiKey(stoa_secret::read_first_line(&arguments.api_key_file)?);
    let administrator = arguments.admin_key_file.as_deref().map(administrator);
    let administrator = administrator.transpose()?;
    let address = arguments.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| Failure::Listen { address, source })?;
    let bound = listener
        .local_addr()
        .map_err(|source| Failure::Listen { address, source })?;

    let endpoint = arguments.stoa;
    let config = ClientConfig::new(endpoint.clone(), TrustAnchors::Pem(ca), credential);
    let client = Client::connect(config)
        .await
        .map_err(|source| Failure::Connect {
            endpoint: endpoint.clone(),
            source,
        })?;
    tracing::info!(address = %bound, stoa = endpoint, "listening");
    let options = Options {
        database: arguments.database.map_or(Database::Memory, Database::File),
        open_rooms: arguments.open_rooms,
        admission: if arguments.closed {
            Admission::Closed
        } else {
            Admission::Open
        },
        administrator,
        behind_proxy: arguments.behind_proxy,
    };
    stoa_talk::serve(listener, client.clone(), options, shutdown).await?;
    client.close().await;
    tracing::info!("ended");
    Ok(())
}

/// Resolves with the first SIGTERM or SIGINT.
fn asked_to_end() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("ending");
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|source| Failure::Read {
        path: path.display().to_string(),
        source,
    })
}

fn administrator(path: &Path) -> Result<AdministratorKey, Failure> {
    let key = stoa_secret::read_first_line(path)?;
    AdministratorKey::new(&key).map_err(|source| Failure::WeakKey {
        path: path.display().to_string(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_commands_of_the_documents_are_taken() {
        stoa_docs::assert_commands("stoa-talk", &Arguments::command());
    }
}
