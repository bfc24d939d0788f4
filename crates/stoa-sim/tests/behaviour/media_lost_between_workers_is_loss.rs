//! Media between workers may be dropped, where a queue is full. Listeners see it as loss: numbers are
//! missing, and nothing else is wrong. Those who are where the room is at home miss only what was lost on the
//! way there.

use std::time::Duration;

use stoa_sim::{
    Layout, Net,
    oracle::{self, Rule},
};

#[test]
fn and_nothing_worse() {
    let layout = Layout {
        workers: 2,
        lobby: true,
    };
    let mut net = Net::laid_out(layout, 7);
    let [ann, ben, cem, dan] = ["ann", "ben", "cem", "dan"].map(|name| net.join(name, 2));
    net.node.lose_media(0.1);
    assert!(net.is_seated_elsewhere(ann) && net.is_seated_elsewhere(cem));
    net.speak(&[(ben, 30)], Duration::from_secs(20));
    let count = |net: &Net, id: usize| net.clients[id].heard.len();
    assert_eq!(count(&net, dan), 1_000, "at home nothing is carried");
    assert!(
        (850..950).contains(&count(&net, ann)),
        "{}",
        count(&net, ann)
    );

    net.run_for(Duration::from_secs(3));
    net.forget_heard();
    net.speak(&[(ann, 30)], Duration::from_secs(20));
    assert!(
        (850..950).contains(&count(&net, ben)),
        "{}",
        count(&net, ben)
    );
    assert!(
        (760..860).contains(&count(&net, cem)),
        "{}",
        count(&net, cem)
    );
    let missing = |id: usize| {
        let heard = &net.clients[id].heard;
        let seq = |at: usize| *heard[at].packet.seq_no;
        seq(heard.len() - 1) - seq(0) + 1 - heard.len() as u64
    };
    assert!(missing(cem) > missing(ben) && missing(ben) > 50);

    let violations = oracle::judge(&net);
    let found: Vec<_> = violations
        .iter()
        .filter(|violation| violation.rule != Rule::Stream)
        .collect();
    assert_eq!(found, Vec::<&oracle::Violation>::new());
    let gap = |what: &str| what.contains("numbers are missing");
    assert!(violations.iter().all(|violation| gap(&violation.what)));
}
