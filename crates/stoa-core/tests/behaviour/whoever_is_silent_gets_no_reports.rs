//! Who sends is told how it arrives (RFC 3550, section 6.4.2). Who only listens to a silent room gets no
//! RTCP at all, whatever their offer announces.

use std::{cell::Cell, rc::Rc, time::Duration};

use stoa_sim::{ClientId, Fate, Net};

/// Counts the RTCP packets that reach this client from now on.
fn count_reports(net: &mut Net, of: ClientId) -> Rc<Cell<usize>> {
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    net.on_downlink(move |to, contents| {
        let is_rtcp =
            matches!(contents, [128..=191, second, ..] if (64..=95).contains(&(second & 0x7f)));
        counted.set(counted.get() + usize::from(to == of && is_rtcp));
        Fate::Deliver
    });
    count
}

#[test]
fn until_they_speak() {
    let mut net = Net::new();
    let [ann, _ben] = ["ann", "ben"].map(|name| net.join(name, 3));
    assert!(net.clients[ann].offer.contains("a=ssrc:"));
    let reports = count_reports(&mut net, ann);
    net.run_for(Duration::from_secs(30));
    assert_eq!(reports.get(), 0);

    net.speak(&[(ann, 30)], Duration::from_secs(20));
    // Every 5 s.
    assert!((3..=5).contains(&reports.get()), "{}", reports.get());
}
