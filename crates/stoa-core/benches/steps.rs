//! Micro-benches of the single steps of the packet path: `cargo bench -p stoa-core --features bench`.
//!
//! What they add up to in a room is the business of `stoa-bench -- forward`; these show which step has
//! changed when that has.

use std::time::Instant;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use stoa_core::bench::{Demuxing, PASSWORD, Sealing, Speaking};
use stoa_sim::stun;

fn seal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("seal");
    for profile in [
        "SRTP_AES128_CM_HMAC_SHA1_80",
        "SRTP_AEAD_AES_128_GCM",
        "SRTP_AEAD_AES_256_GCM",
    ] {
        for listeners in [1, 1_000, 20_000] {
            let mut sealing = Sealing::new(profile, listeners);
            group.bench_function(BenchmarkId::new(profile, listeners), |bencher| {
                bencher.iter(|| sealing.seal());
            });
        }
    }
    group.finish();
}

fn compose(criterion: &mut Criterion) {
    let mut speaking = Speaking::new(Instant::now(), 3);
    assert!(speaking.compose() > 0, "the loudest one is heard");
    criterion.bench_function("compose", |bencher| bencher.iter(|| speaking.compose()));
}

fn ranking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ranking");
    for talkers in [3, 30, 300] {
        let mut speaking = Speaking::new(Instant::now(), talkers);
        assert!(speaking.rank(), "somebody talks");
        group.bench_function(BenchmarkId::from_parameter(talkers), |bencher| {
            bencher.iter(|| speaking.rank());
        });
    }
    group.finish();
}

fn demux(criterion: &mut Criterion) {
    const PARTICIPANTS: u32 = 20_000;
    let demuxing = Demuxing::new(Instant::now(), PARTICIPANTS);
    let rtp = [0x80; 130];
    let valid = stun::check("7:theirs", PASSWORD, true);
    let forged = stun::check("7:theirs", "another-password-of-them", true);
    assert!(demuxing.of_known(&rtp) && demuxing.of_stranger(&valid));
    assert!(!demuxing.of_stranger(&rtp) && !demuxing.of_stranger(&forged));
    let mut group = criterion.benchmark_group("demux");
    group.bench_function("media", |bencher| bencher.iter(|| demuxing.of_known(&rtp)));
    group.bench_function("media of a stranger", |bencher| {
        bencher.iter(|| demuxing.of_stranger(&rtp));
    });
    group.bench_function("check", |bencher| {
        bencher.iter(|| demuxing.of_stranger(&valid));
    });
    group.bench_function("forged check", |bencher| {
        bencher.iter(|| demuxing.of_stranger(&forged));
    });
    group.finish();
}

criterion_group!(steps, seal, compose, ranking, demux);
criterion_main!(steps);
