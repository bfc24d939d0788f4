//! The program that libFuzzer searches with: `cargo xtask fuzz` builds and runs it. Which target, it is told by
//! `STOA_FUZZ_TARGET`; its arguments are libFuzzer's.

#![forbid(unsafe_code)]
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use stoa_fuzz::Target;

fn chosen() -> &'static Target {
    static CHOSEN: OnceLock<&Target> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = std::env::var("STOA_FUZZ_TARGET").unwrap_or_default();
        let target = stoa_fuzz::find(&name);
        target.unwrap_or_else(|| panic!("STOA_FUZZ_TARGET has to name a target, not {name:?}"))
    })
}

fuzz_target!(|bytes: &[u8]| {
    (chosen().run)(bytes);
});
