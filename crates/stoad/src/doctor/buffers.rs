//! How much the kernel holds for a media worker that is busy.

use stoa_net::{Buffers, Config};

use super::finding::Finding;

const CHECK: &str = "buffers";

/// Below this a hundredth of a second at work loses packets of a room of thousands: what Linux has where nobody has
/// changed it.
const TOO_SMALL: usize = 256 * 1024;

pub(super) fn check(media: &Config) -> Vec<Finding> {
    // One that cannot be bound is said by the check of the ports.
    let probes = media.bind.iter().filter_map(|&ip| Buffers::probe(ip).ok());
    let least = probes.reduce(|a, b| Buffers {
        receive: a.receive.min(b.receive),
        send: a.send.min(b.send),
        ..a
    });
    least.map(judge).unwrap_or_default()
}

fn judge(granted: Buffers) -> Vec<Finding> {
    [
        (
            "receive",
            granted.receive,
            "rmem_max",
            "what speakers send is lost while a worker is busy, and joins take longer",
        ),
        (
            "send",
            granted.send,
            "wmem_max",
            "what is said in large rooms is lost when many packets leave at once",
        ),
    ]
    .into_iter()
    .map(|(way, bytes, key, meaning)| {
        let wanted = granted.wanted;
        let measured = format!("{way} buffer: the kernel grants {bytes} bytes of {wanted}");
        let mend =
            format!("sysctl -w net.core.{key}={wanted}    (deploy/sysctl/90-stoa.conf keeps it)");
        match bytes {
            bytes if bytes >= wanted => Finding::ok(CHECK, measured),
            bytes if bytes >= TOO_SMALL => Finding::warn(CHECK, measured, meaning).mend(mend),
            _ => Finding::fail(CHECK, measured, meaning).mend(mend),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    #[test]
    fn what_the_kernel_grants_is_compared_with_what_a_worker_wants() {
        let wanted = 8 << 20;
        let levels = |receive, send| {
            let found = judge(Buffers {
                wanted,
                receive,
                send,
            });
            [found[0].level, found[1].level]
        };
        assert_eq!(levels(wanted, wanted), [Level::Ok, Level::Ok]);
        assert_eq!(levels(wanted / 2, 212_992), [Level::Warn, Level::Fail]);
        let found = judge(Buffers {
            wanted,
            receive: 1,
            send: 1,
        });
        assert!(
            found[0].mend.contains("net.core.rmem_max=8388608"),
            "{found:?}"
        );
        assert!(
            found[1].mend.contains("net.core.wmem_max=8388608"),
            "{found:?}"
        );
    }

    #[test]
    fn the_kernel_is_asked() {
        let granted = Buffers::probe([127, 0, 0, 1].into()).expect("loopback");
        assert!(
            granted.receive > 0 && granted.receive <= granted.wanted,
            "{granted:?}"
        );
    }
}
