//! Compiles the protobuf package without an installed `protoc`.

use std::{env, error::Error, path::PathBuf};

const FILES: [&str; 4] = [
    "stoa/control/v1/bans.proto",
    "stoa/control/v1/rooms.proto",
    "stoa/control/v1/node.proto",
    "stoa/control/v1/errors.proto",
];

/// Messages that have an SDP, a candidate or a token in them.
const HIDING: [&str; 5] = [
    "stoa.control.v1.JoinRequest",
    "stoa.control.v1.JoinResponse",
    "stoa.control.v1.RenegotiateRequest",
    "stoa.control.v1.RenegotiateResponse",
    "stoa.control.v1.AddIceCandidateRequest",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(FILES)?;
    let descriptors = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    std::fs::write(out.join("stoa.control.v1.bin"), &descriptors)?;
    tonic_prost_build::configure()
        .build_transport(false)
        // What they carry is for nobody's log: src/shown.rs.
        .skip_debug(HIDING)
        .compile_fds(prost::Message::decode(descriptors.as_slice())?)?;
    Ok(())
}
