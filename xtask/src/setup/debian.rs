//! Programs from Debian's packages: the two browsers, what tests are done with, and what installs the other packages.

use std::process::Command;

use super::announce;
use crate::environment::{CHROMIUM, FIREFOX, Tools, preset};
use crate::process;
use crate::report::Failure;

/// A Debian package and what tells that it, or its like, is there already.
struct Package {
    name: &'static str,
    why: &'static str,
    present: fn() -> bool,
}

const PACKAGES: [Package; 14] = [
    Package {
        name: "chromium",
        why: "the browser tests drive it",
        present: || preset(CHROMIUM).is_some() || has("chromium"),
    },
    Package {
        name: "firefox-esr",
        why: "the browser tests drive it",
        present: || preset(FIREFOX).is_some() || has("firefox-esr") || has("firefox"),
    },
    Package {
        name: "pulseaudio",
        why: "the browser tests give Firefox a silent output: without any it plays nothing at all",
        present: || has("pulseaudio"),
    },
    Package {
        name: "iproute2",
        why: "the browser tests run in a network namespace of their own",
        present: || has("ip"),
    },
    Package {
        name: "coturn",
        why: "the relay of the test for networks that let only TLS out",
        present: || has("turnserver"),
    },
    Package {
        name: "libnss3-tools",
        why: "has Chromium trust that relay's certificate",
        present: || has("certutil"),
    },
    Package {
        name: "nftables",
        why: "the firewalls of the tests for networks that block UDP",
        present: || has("nft"),
    },
    Package {
        name: "prometheus",
        why: "brings promtool, which judges the metrics",
        present: || has("promtool"),
    },
    Package {
        name: "janus",
        why: "the load tester's test puts a Stoa beside it",
        present: || has("janus"),
    },
    Package {
        name: "user-mode-linux",
        why: "a kernel of its own for the doctor's tests, whose limits, memory and clock may be wrong",
        present: || has("linux.uml") || cfg!(not(target_arch = "x86_64")),
    },
    Package {
        name: "qemu-user",
        why: "a processor without AES for the doctor's test",
        present: || has("qemu-x86_64") || cfg!(not(target_arch = "x86_64")),
    },
    Package {
        name: "npm",
        why: "installs puppeteer-core, which drives the browsers; brings Node.js",
        present: || has("npm") && has("node"),
    },
    Package {
        name: "python3",
        why: "runs the tests with aiortc, aioquic and stock gRPC",
        present: || has("python3"),
    },
    Package {
        name: "python3-venv",
        why: "keeps the Python packages of the tests in the target folder",
        present: || process::succeeds(Command::new("python3").args(["-c", "import ensurepip"])),
    },
];

/// Installs the packages that are missing.
pub(super) fn install() -> Result<(), Failure> {
    let missing: Vec<&Package> = PACKAGES
        .iter()
        .filter(|package| !(package.present)())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for package in &missing {
        announce(package.name, "Debian's packages", package.why);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if !has("apt-get") {
        return Err(Failure::new(format!(
            "this system has no apt-get: install the like of {} yourself (browsers in unusual \
             places: set {CHROMIUM} and {FIREFOX}), then run this again",
            names.join(", ")
        )));
    }
    process::run(apt_get()?.args(["update", "--quiet=2"]))?;
    let install = ["install", "--yes", "--quiet=2", "--no-install-recommends"];
    process::run(apt_get()?.args(install).args(names))
}

/// Starts each browser for its version.
pub(super) fn verify(tools: &Tools) -> Result<(), Failure> {
    let variables = tools.variables();
    for name in [CHROMIUM, FIREFOX] {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        let (_, browser) = found.ok_or_else(|| {
            Failure::new(format!(
                "no browser for {name}: it names a file that is not there"
            ))
        })?;
        process::run(Command::new(browser).arg("--version"))?;
    }
    Ok(())
}

/// `apt-get`, by `sudo` for those who are not root.
fn apt_get() -> Result<Command, Failure> {
    let root = process::capture(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

fn has(program: &str) -> bool {
    process::find(program).is_some()
}
