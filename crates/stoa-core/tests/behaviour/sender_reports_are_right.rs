//! The node reports on what it sends (RFC 3550, section 6.4.1): what a report says of time, packets and
//! bytes is so, it comes about every five seconds, and not at all in silence.

use std::{collections::BTreeMap, time::Duration};

use stoa_sim::{FRAME, Net, Report, TIME_OF_DAY};

const MILLISECOND: Duration = Duration::from_millis(1);

/// When the node made the report.
fn made_at(net: &Net, report: &Report) -> Duration {
    report.at - net.latency
}

#[test]
fn a_report_says_what_was_sent_and_when() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.join("cat", 1);
    net.speak(&[(ann, 30)], Duration::from_secs(20));
    net.speak(&[(ann, 30), (ben, 40)], Duration::from_secs(20));

    for client in &net.clients {
        for report in &client.reports {
            let info = &report.info;
            // The time of day.
            let made_at = made_at(&net, report);
            let ntp = info.ntp_time.duration_since(std::time::UNIX_EPOCH).unwrap();
            let expected = TIME_OF_DAY + made_at;
            assert!(ntp.abs_diff(expected) < MILLISECOND, "{ntp:?} {expected:?}");
            // What had been sent by then.
            let sent: Vec<_> = client
                .on_line(report.line)
                .filter(|heard| heard.at - net.latency <= made_at)
                .collect();
            assert_eq!(usize::try_from(info.sender_packet_count), Ok(sent.len()));
            assert_eq!(info.sender_octet_count, info.sender_packet_count * 80);
            // Which RTP time that was.
            let last = sent.last().unwrap();
            assert_eq!(info.ssrc, last.packet.header.ssrc);
            let elapsed = made_at - (last.at - net.latency);
            let ticks = u32::try_from(elapsed.as_micros() * 48 / 1000).unwrap();
            let expected = last.packet.header.timestamp.wrapping_add(ticks);
            let time = info.rtp_time.numer() as u32;
            assert!(time.abs_diff(expected) <= 1, "{time} {expected}");
        }
    }
    assert!(
        net.clients[ben]
            .reports
            .iter()
            .all(|report| report.line == 0)
    );
    let lines = |id: usize| {
        let mut lines: Vec<_> = net.clients[id]
            .reports
            .iter()
            .map(|report| report.line)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    };
    assert_eq!(
        (lines(ben), lines(ann).len()),
        (vec![0], 1),
        "one voice each"
    );
}

#[test]
fn reports_come_every_five_seconds_and_spread() {
    let mut net = Net::new();
    let ann = net.join("ann", 3);
    let listeners: Vec<_> = (0..30)
        .map(|n| net.join(&format!("listener-{n}"), 1))
        .collect();
    let start = net.elapsed();
    net.speak(&[(ann, 30)], Duration::from_secs(60));

    let mut by_frame = BTreeMap::<u128, usize>::new();
    for &listener in &listeners {
        let reports = &net.clients[listener].reports;
        let times: Vec<_> = reports.iter().map(|report| report.at).collect();
        assert!(
            (8..=18).contains(&times.len()),
            "{} in a minute",
            times.len()
        );
        assert!(
            times[0] - start < Duration::from_secs(4),
            "{:?}",
            times[0] - start
        );
        for pair in times.windows(2) {
            let interval = pair[1] - pair[0];
            // The next one is given its time by the first packet after the last one.
            let range = Duration::from_millis(2_500)..Duration::from_millis(7_500) + FRAME;
            assert!(range.contains(&interval), "{interval:?}");
        }
        for time in times {
            *by_frame
                .entry(time.as_micros() / FRAME.as_micros())
                .or_default() += 1;
        }
    }
    // Thirty listeners in 150 to 250 frames: were they not spread, all would come in one.
    assert!(
        by_frame.values().all(|&reports| reports <= 5),
        "{by_frame:?}"
    );
}

#[test]
fn silence_is_not_reported() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.run_for(Duration::from_secs(30));
    assert!(net.clients[ben].reports.is_empty());
    net.speak(&[(ann, 30)], FRAME * 5);
    net.run_for(Duration::from_secs(60));
    assert_eq!(net.clients[ben].reports.len(), 1);
    assert!(net.clients[ann].reports.is_empty());
}
