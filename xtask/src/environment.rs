//! Where the tools for the tests are, and the variables by which the tests find them.

use std::path::{Path, PathBuf};

use crate::process;

/// The folders and programs that `setup` makes below the target folder.
#[derive(Debug)]
pub(crate) struct Tools {
    root: PathBuf,
}

impl Tools {
    pub(crate) fn below(target: &Path) -> Self {
        Self {
            root: target.join("tools"),
        }
    }

    /// The root of the Python environment.
    pub(crate) fn python_folder(&self) -> PathBuf {
        self.root.join("python")
    }

    /// The interpreter of the Python environment.
    pub(crate) fn python(&self) -> PathBuf {
        self.python_folder().join("bin/python")
    }

    /// Where npm's packages are installed.
    pub(crate) fn browser_folder(&self) -> PathBuf {
        self.root.join("browser")
    }

    /// Where the packages of the example in TypeScript are installed.
    pub(crate) fn typescript_folder(&self) -> PathBuf {
        self.root.join("typescript")
    }

    /// Where `cargo install` puts its programs.
    pub(crate) fn cargo_folder(&self) -> PathBuf {
        self.root.join("cargo")
    }

    pub(crate) fn cargo_deny(&self) -> PathBuf {
        self.cargo_folder().join("bin/cargo-deny")
    }

    /// The variables for the test processes. One that is set already is kept: it is how somebody
    /// uses a browser or an interpreter of their own. One whose tool is not there is left out, and
    /// the test that needs it says `run cargo xtask setup`.
    pub(crate) fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        let node_modules = self.browser_folder().join("node_modules");
        let found = [
            (PYTHON, Some(self.python())),
            (NODE_MODULES, Some(node_modules)),
            (
                TYPESCRIPT,
                Some(self.typescript_folder().join("node_modules")),
            ),
            (CHROMIUM, process::find("chromium")),
            (
                FIREFOX,
                process::find("firefox-esr").or_else(|| process::find("firefox")),
            ),
        ];
        let value = |(name, found)| Some((name, preset(name).or(found)?));
        let values = found.into_iter().filter_map(value);
        values.filter(|(_, path)| path.exists()).collect()
    }
}

/// The Python interpreter that has the packages of requirements.txt.
pub(crate) const PYTHON: &str = "STOA_TEST_PYTHON";
/// The folder `node_modules` that has puppeteer-core and axe-core.
pub(crate) const NODE_MODULES: &str = "STOA_TEST_NODE_MODULES";
/// The folder `node_modules` that has what the example in TypeScript needs.
pub(crate) const TYPESCRIPT: &str = "STOA_TEST_TYPESCRIPT_MODULES";
/// The Chromium that the browser tests drive.
pub(crate) const CHROMIUM: &str = "STOA_TEST_CHROMIUM";
/// The Firefox that the browser tests drive.
pub(crate) const FIREFOX: &str = "STOA_TEST_FIREFOX";

/// The value that the variable has already, if it has one.
pub(crate) fn preset(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name)?;
    (!value.is_empty()).then(|| PathBuf::from(value))
}

/// One line of shell for each variable.
pub(crate) fn exports(variables: &[(&str, PathBuf)]) -> String {
    let line = |(name, path): &(&str, PathBuf)| {
        let quoted = path.to_string_lossy().replace('\'', r"'\''");
        format!("export {name}='{quoted}'\n")
    };
    variables.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_survive_the_shell() {
        let path = PathBuf::from("/a b/it's");
        assert_eq!(exports(&[("X", path)]), "export X='/a b/it'\\''s'\n");
    }

    #[test]
    fn a_tool_that_is_not_there_has_no_variable() {
        let tools = Tools::below(Path::new("/no/such/folder"));
        let names: Vec<_> = tools
            .variables()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        if preset(PYTHON).is_none() {
            assert!(!names.contains(&PYTHON));
        }
        if preset(NODE_MODULES).is_none() {
            assert!(!names.contains(&NODE_MODULES));
        }
    }
}
