//! The steps of reading a configuration, for `crate::fuzz`.

use std::ffi::OsString;

use super::{Config, environment, schema, tenants};

pub(crate) fn read(text: &str) -> Result<String, String> {
    let config = Config::parse(text)?;
    // What is checked before a socket is opened or a file is read.
    tenants::check(&config.tenants)?;
    let seats = config.limits.participants_per_worker.get();
    config.capacity.settings(seats)?;
    serde_yaml::to_string(&config).map_err(|error| error.to_string())
}

pub(crate) fn with_environment(
    text: &str,
    variables: &[(OsString, OsString)],
) -> Result<String, String> {
    let overrides = environment::overrides(variables.iter().cloned())?;
    environment::check(&overrides, schema::whole())?;
    environment::apply(text, &overrides)
}
