//! Writes the reference of the API: `cargo xtask docs` runs it with the file to write.

#![forbid(unsafe_code)]

mod render;

use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args_os().nth(1).ok_or("which file?")?;
    fs::write(file, render::markdown()?)?;
    Ok(())
}
