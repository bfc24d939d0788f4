//! How much memory the process's control group may have.

use std::{fs, path::Path};

/// Where Linux shows control groups.
const ROOT: &str = "/sys/fs/cgroup";

/// From here on it is the kernel's way to say that there is no limit.
const NO_LIMIT: u64 = 1 << 60;

/// The least limit of the process's control group and of those above it, in bytes, if there is one.
pub(crate) fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let limits = groups
        .lines()
        .filter_map(|line| limit(Path::new(ROOT), line));
    limits.min()
}

/// The limit that follows from a line of `/proc/self/cgroup`, `HIERARCHY:CONTROLLERS:PATH`. In a container the
/// path may be that of outside; what is shown at the root is the container's own then.
fn limit(root: &Path, line: &str) -> Option<u64> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?);
    let (root, file) = match controllers {
        "" => (root.to_owned(), "memory.max"),
        "memory" => (root.join("memory"), "memory.limit_in_bytes"),
        _ => return None,
    };
    let own = root.join(path.trim_start_matches('/'));
    let groups = own.ancestors().take_while(|group| group.starts_with(&root));
    let texts = groups.filter_map(|group| fs::read_to_string(group.join(file)).ok());
    let limits = texts.filter_map(|text| text.trim().parse::<u64>().ok());
    limits.filter(|limit| *limit < NO_LIMIT).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_of_all_groups_counts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, text: &str| {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        assert_eq!(limit(root, "0::/a/b"), None);
        write("a/b/memory.max", "max\n");
        assert_eq!(limit(root, "0::/a/b"), None);
        write("a/memory.max", "1000\n");
        assert_eq!(limit(root, "0::/a/b"), Some(1_000));
        write("memory.max", "2000\n");
        assert_eq!(limit(root, "0::/a/b"), Some(1_000));
        assert_eq!(limit(root, "0::/of/outside"), Some(2_000));
        write("memory/x/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit(root, "5:memory:/x"), None);
        write("memory/x/memory.limit_in_bytes", "3000\n");
        assert_eq!(limit(root, "5:memory:/x"), Some(3_000));
        assert_eq!(limit(root, "3:cpu,cpuacct:/x"), None);
    }
}
