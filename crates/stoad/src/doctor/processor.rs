//! Whether the processor has the instructions that make encryption cheap.

use super::finding::Finding;

const CHECK: &str = "processor";

/// What the processor has of use for AES-GCM, in which every packet is sealed.
#[derive(Debug, Clone, Copy)]
struct Features {
    /// AES in one instruction.
    aes: bool,
    /// Multiplication without carry, for GHASH.
    multiply: bool,
    /// Both for four blocks at a time.
    wide: bool,
}

pub(super) fn check() -> Vec<Finding> {
    measured()
        .map(|features| vec![judge(features)])
        .unwrap_or_default()
}

#[cfg(target_arch = "x86_64")]
fn measured() -> Option<Features> {
    use std::arch::is_x86_feature_detected as has;
    Some(Features {
        aes: has!("aes"),
        multiply: has!("pclmulqdq"),
        wide: has!("vaes") && has!("vpclmulqdq"),
    })
}

#[cfg(target_arch = "aarch64")]
fn measured() -> Option<Features> {
    use std::arch::is_aarch64_feature_detected as has;
    let (aes, multiply) = (has!("aes"), has!("pmull"));
    // There is nothing wider, and nothing is missed.
    Some(Features {
        aes,
        multiply,
        wide: true,
    })
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn measured() -> Option<Features> {
    None
}

fn judge(features: Features) -> Finding {
    let has = |is| if is { "yes" } else { "no" };
    let measured = format!(
        "AES: {}, carry-less multiplication: {}, both on wide registers: {}",
        has(features.aes),
        has(features.multiply),
        has(features.wide)
    );
    let meaning = match features {
        Features { aes: false, .. }
        | Features {
            multiply: false, ..
        } => "encryption takes many times as long: far fewer people fit, and it is audible sooner",
        // Some 10 % of a packet: nobody hears it, and capacity is measured anyway.
        _ => return Finding::ok(CHECK, measured),
    };
    Finding::fail(CHECK, measured, meaning)
        .mend("give the virtual machine the host's processor (QEMU: -cpu host; libvirt: <cpu mode='host-passthrough'/>)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    #[test]
    fn a_processor_without_the_instructions_is_said() {
        let level = |aes, multiply, wide| {
            judge(Features {
                aes,
                multiply,
                wide,
            })
            .level
        };
        assert_eq!(level(true, true, true), Level::Ok);
        assert_eq!(level(true, true, false), Level::Ok);
        assert_eq!(level(false, true, false), Level::Fail);
        assert_eq!(level(true, false, false), Level::Fail);
    }
}
