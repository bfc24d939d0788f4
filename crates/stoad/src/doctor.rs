//! `stoad doctor`: what would keep a node from working well on this machine, what that means for those who talk, and
//! what mends it.
//!
//! Each family of checks measures in one function and judges in another, which is a function of what was measured; so
//! what no test can do to a machine is tested by what it would have measured. docs/doctor.md has a table of them.

mod addresses;
mod buffers;
mod certificates;
mod clock;
mod descriptors;
mod finding;
mod holder;
mod interfaces;
mod memory;
mod place;
mod ports;
mod processor;

use std::{io::Write as _, net::SocketAddr};

use stoa_control::ControlServer;
use stoa_whip::WhipServer;

use self::finding::{Finding, Level};
use crate::{
    arguments::Doctor,
    config::{Config, Port, Transport},
    dev,
    exit::Failure,
};

/// Examines this machine for a configuration, and prints what there is to say.
///
/// # Errors
/// [`Failure::Unwell`] if something has to be mended; those of [`Config::read`].
pub(crate) fn run(arguments: &Doctor) -> Result<(), Failure> {
    let findings = match &arguments.file {
        Some(file) => examine(&Config::read(file)?, None),
        None => {
            let (config, page, _folder) = dev::usual()?;
            examine(&config, Some(page))
        }
    };
    let text = match arguments.json {
        true => finding::lines(&findings),
        false => finding::table(&findings),
    };
    // Where nobody reads it any more, the exit code says it still.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let is_failed = |finding: &&Finding| finding.level == Level::Fail;
    match findings.iter().filter(is_failed).count() {
        0 => Ok(()),
        failed => Err(Failure::Unwell(failed)),
    }
}

/// All that there is to say, for a configuration and the page of `stoad dev`.
fn examine(config: &Config, page: Option<SocketAddr>) -> Vec<Finding> {
    let clock = clock::Watch::begin();
    let mut findings = configuration(config);
    findings.extend(certificates::check(config));
    findings.extend(processor::check());
    if let Ok(media) = config.media() {
        let mut ports = config.ports(&media);
        ports.extend(page.map(|address| Port {
            key: "--page",
            transport: Transport::Tcp,
            address,
            is_v6_only: false,
        }));
        let (of_ports, running) = ports::check(&ports);
        findings.extend(of_ports);
        findings.extend(descriptors::check(&media, running));
        findings.extend(buffers::check(&media));
        findings.extend(interfaces::check(&media));
        findings.extend(addresses::check(&media));
        findings.extend(memory::check(config, &media));
    }
    findings.extend(place::check());
    findings.extend(clock.check());
    findings
}

/// What `stoad check` would say, all of it and not the first alone.
fn configuration(config: &Config) -> Vec<Finding> {
    let whip = || match config.whip()? {
        Some(whip) => WhipServer::check(&whip).map_err(Failure::from),
        None => Ok(()),
    };
    let outcomes = [
        config.media().map(drop),
        config
            .control()
            .and_then(|control| Ok(ControlServer::check(&control)?)),
        config.token_keys().map(drop),
        whip(),
    ];
    let mut wrong: Vec<String> = outcomes
        .into_iter()
        .filter_map(Result::err)
        .map(|failure| failure.to_string())
        .collect();
    // A file that two of them read is wrong once.
    wrong.sort();
    wrong.dedup();
    if wrong.is_empty() {
        return vec![Finding::ok("configuration", "is complete".to_owned())];
    }
    let finding = |what: String| {
        Finding::fail("configuration", what, "the node does not start")
            .mend("correct the key or the file that is named; docs/configuration.md has every key")
    };
    wrong.into_iter().map(finding).collect()
}
