//! Writes what a search begins with into the corpus. What is there already under another name stays.

#![forbid(unsafe_code)]

use std::{fs, io};

use stoa_fuzz::{TARGETS, corpus, seeds};

fn main() -> io::Result<()> {
    for target in TARGETS {
        let folder = corpus::folder(target.name);
        fs::create_dir_all(&folder)?;
        let seeds = seeds::of(target.name);
        for (name, bytes) in &seeds {
            fs::write(folder.join(name), bytes)?;
        }
        println!("{}: {} seeds", target.name, seeds.len());
    }
    Ok(())
}
