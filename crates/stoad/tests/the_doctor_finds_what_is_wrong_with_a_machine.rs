//! `stoad doctor` finds what is wrong with a kernel, its memory and its clock, and with a processor: on a machine with
//! a kernel of its own, and on a processor of QEMU's. Both are there for x86-64 alone.

#![cfg(target_arch = "x86_64")]

mod support;

use std::process::Command;

use support::{Folder, Machine, configuration, examine_by, program};

/// The file that is to be installed, as one line of a shell that applies it.
fn recommended() -> String {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/sysctl/90-stoa.conf"
    );
    format!("sysctl -q -p '{file}'")
}

#[test]
fn buffers_that_the_kernel_keeps_small() {
    let folder = Folder::with_credentials();
    let text = configuration();
    // One way is enough, and the other one is not taken for it.
    let machine = Machine::new(&folder)
        .examine("", &text)
        .examine("sysctl -q -w net.core.rmem_max=262144", &text)
        .examine("sysctl -q -w net.core.wmem_max=8388607", &text)
        .examine(&recommended(), &text)
        .examine("sysctl -q -w net.core.rmem_max=262143", &text);
    let Some(said) = machine.run(&[]) else {
        return;
    };
    let receive = |bytes: u32| format!("receive buffer: the kernel grants {bytes} bytes");
    let send = |bytes: u32| format!("send buffer: the kernel grants {bytes} bytes");
    let [untouched, receives, sends, recommended, less] = &said[..] else {
        panic!("five were asked");
    };
    let (rmem, wmem) = ("net.core.rmem_max=8388608", "net.core.wmem_max=8388608");
    // What Linux has where nobody has changed it.
    untouched.has("buffers", "FAIL", &[&receive(212_992), rmem]);
    untouched.has("buffers", "FAIL", &[&send(212_992), wmem]);
    receives.has("buffers", "WARN", &[&receive(262_144), rmem]);
    receives.has("buffers", "FAIL", &[&send(212_992), wmem]);
    sends.has("buffers", "WARN", &[&send(8_388_607), wmem]);
    recommended.has("buffers", "OK", &[&receive(8_388_608)]);
    recommended.has("buffers", "OK", &[&send(8_388_608)]);
    less.has("buffers", "FAIL", &[&receive(262_143), rmem]);
    less.has("buffers", "OK", &[&send(8_388_608)]);
}

#[test]
fn memory_that_is_less_than_the_seats_take() {
    let folder = Folder::with_credentials();
    let limit = |mib: u32| configuration() + &format!("capacity:\n  memory_mib: {mib}\n");
    let group = "\
mount -t cgroup2 none /sys/fs/cgroup
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/node
echo 128M > /sys/fs/cgroup/node/memory.max
echo $$ > /sys/fs/cgroup/node/cgroup.procs";
    let machine = Machine::new(&folder)
        .examine("", &configuration())
        .examine("", &limit(200))
        .examine("", &limit(300))
        .examine(group, &limit(200))
        .examine("", &configuration());
    let Some(said) = machine.run(&[]) else {
        return;
    };
    let [unlimited, right, beyond, beyond_group, by_group] = &said[..] else {
        panic!("five were asked");
    };
    let mend = "capacity.memory_mib: ";
    unlimited.has(
        "memory",
        "WARN",
        &["the machine has 2", "limits are for", mend],
    );
    right.has("memory", "OK", &["the machine has 2"]);
    beyond.has(
        "memory",
        "FAIL",
        &["capacity.memory_mib is 300, and the machine has 2", mend],
    );
    beyond_group.has(
        "memory",
        "FAIL",
        &["capacity.memory_mib is 200, and the control group gives 128 MiB"],
    );
    // It is the node's limit then.
    by_group.has("memory", "OK", &["the control group gives 128 MiB"]);
}

#[test]
fn a_clock_that_is_wrong_or_jumps() {
    let folder = Folder::with_credentials();
    // Something sets the clock while the doctor looks: here it is whom it asks.
    program(
        &folder,
        "timedatectl",
        "[ -z \"$JUMP\" ] || date --set=\"$JUMP\" > /dev/null\necho yes",
    );
    let text = configuration();
    let path = "export PATH=\"$PWD/bin:$PATH\"";
    let machine = Machine::new(&folder)
        // Debian's own, which has nobody to ask there.
        .examine("", &text)
        .examine(path, &text)
        .examine("export JUMP=+1hour", &text)
        .examine("export JUMP=-1hour", &text)
        .examine("export JUMP=2025-12-31T23:59:00Z", &text);
    let Some(said) = machine.run(&[]) else {
        return;
    };
    let [unknown, steady, ahead, back, old] = &said[..] else {
        panic!("five were asked");
    };
    unknown.has(
        "clock",
        "WARN",
        &["timedatectl does not say", "chronyc tracking"],
    );
    unknown.has("clock", "OK", &["away from the monotonic clock"]);
    steady.has("clock", "OK", &["is synchronised"]);
    for jumps in [ahead, back] {
        jumps.has(
            "clock",
            "WARN",
            &["away from the monotonic clock", "in jumps"],
        );
    }
    old.has("clock", "FAIL", &["which is before Stoa was made"]);
}

#[test]
fn a_kernel_without_ipv6() {
    let folder = Folder::with_credentials();
    let text = configuration().replace("listen: ['127.0.0.1:0']", "listen: ['[::1]:7443']");
    let Some(said) = Machine::new(&folder)
        .examine("", &text)
        .run(&["ipv6.disable=1"])
    else {
        return;
    };
    said[0].has(
        "ports",
        "FAIL",
        &[
            "control.listen: TCP [::1]:7443 cannot be bound",
            "disable_ipv6",
        ],
    );
}

#[test]
fn a_processor_without_the_instructions() {
    let folder = Folder::with_credentials();
    for (processor, level, words) in [
        ("max", "OK", "AES: yes, carry-less multiplication: yes"),
        (
            "max,-aes",
            "FAIL",
            "AES: no, carry-less multiplication: yes",
        ),
        (
            "max,-pclmulqdq",
            "FAIL",
            "AES: yes, carry-less multiplication: no",
        ),
    ] {
        let mut emulated = Command::new("qemu-x86_64");
        emulated.args(["-cpu", processor]);
        examine_by(&mut emulated, &folder, &configuration()).has("processor", level, &[words]);
    }
}
