//! The server that the command line names: one that runs, or one that is started for the run.

use std::{
    any::Any,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    arguments,
    failure::Failure,
    server::{StartError, Started},
    target::{
        Abilities, Target,
        janus::{self, Janus, start::StartedJanus},
        stoa::{self, Stoa},
        whip::{self, KeyFile, Tokens, Whip},
    },
};

/// A server to be loaded.
pub(super) enum Named {
    Stoa(stoa::Address),
    /// With its media at this address.
    StartStoad(PathBuf, IpAddr),
    Whip(Box<arguments::Target>),
    /// By the authority in this file, if by HTTPS.
    Janus(String, Option<PathBuf>),
    StartJanus(PathBuf),
}

/// A server that can be loaded.
pub(super) struct Reached {
    pub(super) target: Arc<dyn Target>,
    /// Its process, if it was started.
    pub(super) pid: Option<u32>,
    /// Where its own figures are, if it was started and has some.
    pub(super) metrics: Option<String>,
    started: Option<Box<dyn Any + Send>>,
}

impl Named {
    /// What the command line says. clap has seen that it is one.
    pub(super) fn by(target: &arguments::Target) -> Self {
        if let Some(program) = &target.start_stoad {
            return Self::StartStoad(program.clone(), Ipv4Addr::LOCALHOST.into());
        }
        if let Some(program) = &target.start_janus {
            return Self::StartJanus(program.clone());
        }
        if let Some(url) = &target.janus {
            return Self::Janus(url.clone(), target.ca.clone());
        }
        match &target.whip {
            Some(_) => Self::Whip(Box::new(target.clone())),
            None => Self::Stoa(control(target)),
        }
    }

    /// What can be played with it.
    pub(super) fn abilities(&self) -> Abilities {
        match self {
            Self::Stoa(_) | Self::StartStoad(..) => stoa::ABILITIES,
            Self::Whip(_) => whip::ABILITIES,
            Self::Janus(..) | Self::StartJanus(_) => janus::ABILITIES,
        }
    }

    /// Starts it, where it is to be started, and connects to it.
    ///
    /// # Errors
    /// [`Failure`]; nothing is running then.
    pub(super) async fn reach(self) -> Result<Reached, Failure> {
        let target: Arc<dyn Target> = match self {
            Self::Stoa(address) => Arc::new(Stoa::connect(&address).await?),
            Self::Whip(target) => Arc::new(Whip::connect(by_whip(&target)?).await?),
            Self::Janus(url, ca) => Arc::new(Janus::connect(&url, ca.as_deref()).await?),
            Self::StartStoad(program, media) => {
                let started = start(move || Started::start(&program, media)).await?;
                let target = Arc::new(Stoa::connect(&started.address()).await?);
                return Ok(Reached {
                    target,
                    pid: Some(started.pid()),
                    metrics: Some(started.metrics()),
                    started: Some(Box::new(started)),
                });
            }
            Self::StartJanus(program) => {
                let started = start(move || StartedJanus::start(&program)).await?;
                let target = Arc::new(Janus::connect(started.url(), None).await?);
                return Ok(Reached {
                    target,
                    pid: Some(started.pid()),
                    metrics: None,
                    started: Some(Box::new(started)),
                });
            }
        };
        Ok(Reached {
            target,
            pid: None,
            metrics: None,
            started: None,
        })
    }
}

impl Reached {
    /// Ends what was started, and waits for its end.
    ///
    /// # Errors
    /// [`Failure::Tester`].
    pub(super) async fn end(self) -> Result<(), Failure> {
        let ended = tokio::task::spawn_blocking(move || drop(self.started)).await;
        ended.map_err(|error| Failure::Tester(error.to_string()))
    }
}

async fn start<T: Send + 'static>(
    started: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, Failure> {
    let started = tokio::task::spawn_blocking(started).await;
    Ok(started.map_err(|error| Failure::Tester(error.to_string()))??)
}

/// Its control API, as far as clap has seen that it is named.
fn control(target: &arguments::Target) -> stoa::Address {
    stoa::Address {
        url: target.url.clone().unwrap_or_default(),
        ca_file: target.ca.clone().unwrap_or_default(),
        api_key_file: target.api_key_file.clone().unwrap_or_default(),
        server_name: target.server_name.clone(),
    }
}

fn by_whip(target: &arguments::Target) -> Result<whip::Address, Failure> {
    let (Some(whip), Some(whep)) = (target.whip.clone(), target.whep.clone()) else {
        return Err(Failure::Change("--whip and --whep go together".to_owned()));
    };
    let key = target.token_key_file.clone();
    let names = target.token_kid.clone().zip(target.token_tenant.clone());
    let tokens = match (&target.token_file, key.zip(names)) {
        (Some(file), _) => Tokens::one(file)?,
        (None, Some((path, (kid, tenant)))) => Tokens::each(KeyFile { path, kid, tenant })?,
        (None, None) => Tokens::None,
    };
    Ok(whip::Address {
        whip,
        whep,
        ca_file: target.ca.clone(),
        tokens,
        control: target.url.is_some().then(|| control(target)),
    })
}
