//! A Janus of a run alone, with a fair configuration. Its API is on loopback; its media is at the machine's own
//! address, since it takes no part on loopback. Nothing leaves the machine.
//!
//! docs/load-testing.md says what is fair and why; what is not named here is as Janus has it by itself.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
};

use crate::{
    machine,
    server::{Process, StartError, own_address},
};

/// Where Debian's package has the parts, below the folder of the machine's libraries.
const PARTS: &str = "janus";

/// Folders of libraries, Debian's and others'.
const LIBRARIES: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/opt/janus/lib",
];

/// A Janus that was started. It ends when this is dropped.
pub(crate) struct StartedJanus {
    process: Process,
    url: String,
}

impl StartedJanus {
    /// Starts it.
    ///
    /// # Errors
    /// [`StartError`]; nothing is running then.
    pub(crate) fn start(program: &Path) -> Result<Self, StartError> {
        let parts = parts().ok_or_else(|| StartError::NoParts {
            program: program.to_owned(),
        })?;
        let mut process = Process::new(program)?;
        let port = free_port().map_err(StartError::Folder)?;
        let media = own_address()?;
        configure(process.folder(), &parts, port, media).map_err(StartError::Folder)?;
        let folder = process.folder().to_owned();
        process.start(|command| {
            command
                .arg("--configs-folder")
                .arg(folder)
                .arg("--disable-colors");
        })?;
        process.wait(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok())?;
        Ok(Self {
            process,
            url: format!("http://127.0.0.1:{port}/janus"),
        })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Where its API is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// The folder that has `plugins` and `transports`.
fn parts() -> Option<PathBuf> {
    let folders = LIBRARIES.iter().map(|folder| Path::new(folder).join(PARTS));
    folders
        .into_iter()
        .find(|folder| folder.join("plugins/libjanus_videoroom.so").exists())
}

/// A port that is free now. Janus cannot be told to take any, nor says which one it has.
fn free_port() -> io::Result<u16> {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(taken.local_addr()?.port())
}

/// Writes the configuration: the VideoRoom and HTTP on loopback, nothing else.
fn configure(folder: &Path, parts: &Path, port: u16, media: IpAddr) -> io::Result<()> {
    let write = |name: &str, text: String| fs::write(folder.join(name), text);
    // An empty folder is how one says that there are no event handlers and no loggers.
    let none = folder.join("none");
    fs::create_dir(&none)?;
    // Links to the two parts that are wanted, instead of a list of those that are not.
    for part in [
        "plugins/libjanus_videoroom.so",
        "transports/libjanus_http.so",
    ] {
        let own = folder.join(part);
        fs::create_dir_all(own.parent().unwrap_or(folder))?;
        std::os::unix::fs::symlink(parts.join(part), own)?;
    }
    let (own, none) = (folder.display(), none.display());
    let cores = machine::cores();
    write(
        "janus.jcfg",
        format!(
            "general: {{\n  configs_folder = \"{own}\"\n  plugins_folder = \"{own}/plugins\"\n  \
             transports_folder = \"{own}/transports\"\n  events_folder = \"{none}\"\n  \
             loggers_folder = \"{none}\"\n  debug_level = 2\n  event_loops = {cores}\n}}\n\
             media: {{\n  ipv6 = false\n}}\n\
             nat: {{\n  ice_lite = true\n  ice_enforce_list = \"{media}\"\n  ignore_mdns = true\n}}\n"
        ),
    )?;
    write(
        "janus.transport.http.jcfg",
        format!(
            "general: {{\n  json = \"compact\"\n  base_path = \"/janus\"\n  http = true\n  \
             ip = \"127.0.0.1\"\n  port = {port}\n  https = false\n}}\nadmin: {{\n  admin_http = false\n}}\n"
        ),
    )?;
    write("janus.plugin.videoroom.jcfg", "general: {\n}\n".to_owned())
}
