//! What of deploy/docker/Dockerfile can be shown without a container engine: a root in which there is nothing but what
//! `gcr.io/distroless/cc-debian12` has for a program, and the daemon in it as Kubernetes starts it.

use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use super::folder::Folder;

/// The user of the image and their group.
pub(crate) const USER: u32 = 65_532;

/// What of shared libraries the image has (its packages libc6, libgcc-s1, libstdc++6 and libgomp1).
const LIBRARIES: [&str; 11] = [
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libresolv.so.2",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libgomp.so.1",
];

/// Its folders that a program may look for, and those that are mounted into it.
const FOLDERS: [&str; 7] = [
    "dev",
    "etc/stoad/tls",
    "etc/stoad/ops",
    "proc",
    "tmp",
    "usr/local/bin",
    "var/lib/stoad",
];

/// Mounts what a container engine mounts, shuts the root, and becomes the program as its user. Everything is in a mount
/// namespace of its own, and is gone with the process.
const SET_UP: &str = "\
mount --make-rprivate /
mount --bind \"$ROOT\" \"$ROOT\"
mount --rbind /proc \"$ROOT/proc\"
for device in null urandom; do mount --bind /dev/$device \"$ROOT/dev/$device\"; done
mount --bind \"$PROGRAM\" \"$ROOT/usr/local/bin/stoad\"
mount --bind \"$VOLUMES/stoad.yaml\" \"$ROOT/etc/stoad/stoad.yaml\"
for volume in tls ops; do
    mount --bind \"$VOLUMES/$volume\" \"$ROOT/etc/stoad/$volume\"
    mount -o remount,bind,ro \"$ROOT/etc/stoad/$volume\"
done
mount --bind \"$VOLUMES/state\" \"$ROOT/var/lib/stoad\"
mount -o remount,bind,ro \"$ROOT\"
[ -z \"$TMP\" ] || mount -t tmpfs -o mode=1777 none \"$ROOT/tmp\"
exec setpriv --no-new-privs unshare $AS --root \"$ROOT\" --wd / /usr/local/bin/stoad \"$@\"
";

/// Such a root, and beside it what is mounted into it: `stoad.yaml`, `tls/`, `ops/` and `state/`.
pub(crate) struct Image {
    folder: Folder,
}

impl Image {
    /// The root for this program, with a configuration and files of this folder mounted as the chart mounts them.
    ///
    /// # Panics
    /// If the program wants a library that the image has not.
    pub(crate) fn new(program: &str, configuration: &str, certificates: &Folder) -> Self {
        let folder = Folder::empty();
        let image = Self { folder };
        let root = image.root();
        for below in FOLDERS {
            fs::create_dir_all(root.join(below)).expect("the folder is ours");
        }
        for file in [
            "dev/null",
            "dev/urandom",
            "usr/local/bin/stoad",
            "etc/stoad/stoad.yaml",
        ] {
            fs::write(root.join(file), "").expect("the folder is ours");
        }
        let users = format!(
            "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:/home/nonroot:/sbin/nologin\n"
        );
        fs::write(root.join("etc/passwd"), users).expect("the folder is ours");
        for library in libraries(program) {
            let to = root.join(library.strip_prefix("/").expect("an absolute path"));
            fs::create_dir_all(to.parent().expect("a folder")).expect("the folder is ours");
            fs::copy(&library, to).expect("the loader has found it");
        }
        image.mount("stoad.yaml", configuration, 0o644);
        for (file, name) in [
            ("server.pem", "tls/tls.crt"),
            ("server-key.pem", "tls/tls.key"),
        ] {
            let text = fs::read_to_string(certificates.file(file)).expect("it is there");
            image.mount(name, &text, 0o440);
        }
        image.mount("ops/ops-key", "a key", 0o440);
        image.mount("state/.keep", "", 0o660);
        for open in ["", "root", "tls", "ops"] {
            let open = image.folder.file(open);
            fs::set_permissions(open, Permissions::from_mode(0o755)).expect("the folder is ours");
        }
        let state = image.folder.file("state");
        fs::set_permissions(&state, Permissions::from_mode(0o770)).expect("the folder is ours");
        give_to_the_group(&state);
        image
    }

    fn root(&self) -> PathBuf {
        self.folder.file("root")
    }

    /// A file of a volume, which belongs to the group of the pod (`fsGroup`).
    fn mount(&self, name: &str, text: &str, mode: u32) {
        let path = self.folder.file(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is ours");
        fs::write(&path, text).expect("the folder is ours");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("the file is ours");
        give_to_the_group(&path);
    }

    /// The start of a command line for the program in it, with a `/tmp` to write to or without. `None`, said aloud, where the system does not allow the mounts.
    pub(super) fn command(&self, program: &str, with_tmp: bool) -> Option<Command> {
        let mut command = Command::new("unshare");
        // Whoever is not root is root in a user namespace for the mounts, and the image's user in another one after that.
        let ordinary = "--user --map-user=65532 --map-group=65532";
        let (as_whom, root) = match rustix::process::geteuid().is_root() {
            true => ("--setgid 65532 --setuid 65532", None),
            false => (ordinary, Some(["--user", "--map-root-user"])),
        };
        command.args(root.into_iter().flatten()).arg("--mount");
        let mut probe = Command::new("unshare");
        probe.args(command.get_args()).arg("true");
        if !probe.status().is_ok_and(|status| status.success()) {
            // Past what the harness holds back of tests that pass.
            let said = std::io::stderr().write_all(
                b"SKIPPED: nothing may be mounted here (unshare), so there is no image\n",
            );
            said.expect("standard error is open");
            return None;
        }
        command.args(["sh", "-e", "-c", SET_UP, "image"]);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("AS", as_whom).env("PROGRAM", program);
        command.env("ROOT", self.root());
        command.env("TMP", if with_tmp { "yes" } else { "" });
        command.env("VOLUMES", self.folder.path());
        Some(command)
    }
}

/// Whoever is not root has one group, which is the image's in their namespace.
fn give_to_the_group(path: &Path) {
    if rustix::process::geteuid().is_root() {
        chown(path, None, Some(USER)).expect("root may");
    }
}

/// The libraries that the program is started with, all of them such as the image has.
fn libraries(program: &str) -> Vec<PathBuf> {
    let listed = Command::new("ldd")
        .arg(program)
        .output()
        .expect("libc has it");
    let listed = String::from_utf8(listed.stdout).expect("a text");
    // The kernel's own has no path.
    let paths = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    let paths: Vec<PathBuf> = paths.map(PathBuf::from).collect();
    assert!(!paths.is_empty(), "{listed}");
    for path in &paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let is_there = name.is_some_and(|name| LIBRARIES.contains(&name));
        assert!(is_there, "the image has no {}", path.display());
    }
    paths
}
