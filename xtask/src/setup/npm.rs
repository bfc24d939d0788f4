//! Packages from npm, in a folder of their own.

use std::path::Path;
use std::process::Command;

use super::{announce, copy, fresh_folder, is_current};
use crate::environment::Tools;
use crate::process;
use crate::report::Failure;

/// The packages of a folder of the sources.
struct Packages {
    /// Where their list is.
    source: &'static str,
    what: &'static str,
    why: &'static str,
}

const BROWSER: Packages = Packages {
    source: "crates/stoad/tests/browser",
    what: "puppeteer-core, axe-core and whip-whep",
    why: "the browser tests drive both browsers with the first, look for what shuts people out with the second, and \
          enter by WHIP and WHEP with the third",
};

const TYPESCRIPT: Packages = Packages {
    source: "docs/examples/typescript",
    what: "@grpc/grpc-js, @grpc/proto-loader, protobufjs and typescript",
    why: "the example of a signalling service in TypeScript is checked, and played against a node",
};

const PACKAGE: &str = "package.json";
const LOCK: &str = "package-lock.json";

/// A copy of the lock file, written when the install is complete.
const STAMP: &str = "stoa-installed.json";

/// Installs what the lock files say, if that is not what is installed.
pub(super) fn install(root: &Path, tools: &Tools) -> Result<(), Failure> {
    install_into(&tools.browser_folder(), root, &BROWSER)?;
    install_into(&tools.typescript_folder(), root, &TYPESCRIPT)
}

fn install_into(folder: &Path, root: &Path, packages: &Packages) -> Result<(), Failure> {
    let source = root.join(packages.source);
    let stamp = folder.join(STAMP);
    if is_current(&stamp, &source.join(LOCK))? {
        return Ok(());
    }
    announce(packages.what, "npm", packages.why);
    fresh_folder(folder)?;
    copy(&source.join(PACKAGE), &folder.join(PACKAGE))?;
    copy(&source.join(LOCK), &folder.join(LOCK))?;
    // Without scripts: no package may run code, or fetch a browser of its own, while it is
    // installed.
    let install = [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ];
    process::run(Command::new("npm").current_dir(folder).args(install))?;
    copy(&source.join(LOCK), &stamp)
}

/// Loads what the tests load.
pub(super) fn verify(tools: &Tools) -> Result<(), Failure> {
    let script = "require('puppeteer-core'); \
                  require('axe-core'); \
                  console.log('puppeteer-core', require('puppeteer-core/package.json').version, \
                  'and axe-core', require('axe-core/package.json').version, \
                  'on node', process.version)";
    let mut command = Command::new("node");
    process::run(
        command
            .current_dir(tools.browser_folder())
            .args(["-e", script]),
    )?;
    let script = "require('@grpc/grpc-js'); require('@grpc/proto-loader'); require('protobufjs'); \
                  console.log('typescript', require('typescript').version)";
    let mut command = Command::new("node");
    process::run(
        command
            .current_dir(tools.typescript_folder())
            .args(["-e", script]),
    )
}
