//! What a server says of itself in Prometheus's text format, as the load tester reads it.
//!
//! It is refused with the number of a line that there is; or the figures in it are the same when they are written
//! again.

use stoa_load::fuzz::exposition;

pub(super) fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let (cpu, memory, busy) = match exposition(text) {
        Ok(read) => read,
        Err(why) => {
            let number = why.split(' ').nth(1).and_then(|number| number.parse().ok());
            let number: usize = number.expect("the number of a line");
            assert!((1..=text.lines().count()).contains(&number), "{why}");
            return;
        }
    };
    let mut again = String::new();
    if let Some(seconds) = cpu {
        again += &format!("process_cpu_seconds_total {seconds:?}\n");
    }
    if let Some(bytes) = memory {
        again += &format!("process_resident_memory_bytes {bytes}\n");
    }
    for (worker, seconds) in &busy {
        let worker = worker.replace('\\', "\\\\").replace('"', "\\\"");
        again += &format!("stoa_worker_busy_seconds_total{{worker=\"{worker}\"}} {seconds:?}\n");
    }
    let (cpu_again, memory_again, busy_again) = exposition(&again).expect("what we have written");
    assert_eq!(cpu_again.map(f64::to_bits), cpu.map(f64::to_bits));
    assert_eq!(memory_again.is_some(), memory.is_some());
    assert_eq!(busy_again.len(), busy.len(), "{again}");
}
