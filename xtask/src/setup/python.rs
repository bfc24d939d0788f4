//! Packages from PyPI, in an environment of their own.

use std::path::Path;
use std::process::Command;

use super::{announce, copy, fresh_folder, is_current};
use crate::environment::Tools;
use crate::process;
use crate::report::Failure;

const REQUIREMENTS: &str = "crates/stoad/tests/python/requirements.txt";

/// A copy of the requirements inside the environment, written when the install is complete.
const STAMP: &str = "stoa-requirements.txt";

/// What the tests import first.
const IMPORTS: &str = "import aioquic, aiortc, grpc, grpc_status, grpc_tools.protoc, numpy; \
                       import opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc; \
                       print('aiortc', aiortc.__version__, 'aioquic', aioquic.__version__, \
                       'grpcio', grpc.__version__, 'numpy', numpy.__version__)";

/// Makes the environment anew if the list of packages is not the one it was made from.
pub(super) fn install(root: &Path, tools: &Tools) -> Result<(), Failure> {
    let requirements = root.join(REQUIREMENTS);
    let folder = tools.python_folder();
    let stamp = folder.join(STAMP);
    let starts = process::succeeds(Command::new(tools.python()).arg("--version"));
    if starts && is_current(&stamp, &requirements)? {
        return Ok(());
    }
    announce(
        REQUIREMENTS,
        "PyPI",
        "the tests with a second WebRTC stack, another HTTP/3 client and stock gRPC stubs",
    );
    fresh_folder(&folder)?;
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let pip = || {
        let mut command = Command::new(tools.python());
        command.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
        command
    };
    // Nothing but the list, and nothing that has to be compiled: that would need more of Debian.
    let install = [
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--requirement",
    ];
    process::run(pip().args(install).arg(&requirements))?;
    process::run(pip().arg("check"))?;
    copy(&requirements, &stamp)
}

/// Imports what the tests import.
pub(super) fn verify(tools: &Tools) -> Result<(), Failure> {
    process::run(Command::new(tools.python()).args(["-c", IMPORTS]))
}
