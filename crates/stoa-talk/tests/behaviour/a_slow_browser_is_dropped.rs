//! A browser that does not read is dropped with a reason, and the others have not waited for it.

use crate::{stoa, support};

use crate::stoa::{Pki, Stoa};
use crate::support::{Service, within};
use serde_json::json;
use stoa_control::Media as _;
use stoa_core::{Join, Metadata, ParticipantId, Role};

/// Enough to fill the system's buffers between the two with few messages.
const NAME_BYTES: usize = 64 * 1024;

/// The system's buffers have 10 MiB at most, which is 160 such messages, and the queue 256.
const MOST_MESSAGES: usize = 2_000;

#[tokio::test]
async fn it_is_counted_and_the_others_miss_nothing() {
    let pki = Pki::new();
    let stoa = Stoa::start(&pki);
    let service = Service::start(stoa.client(&pki)).await;
    let join = support::join("hall", "Ada");
    let mut quick = service.browser().await;
    quick.send(join).await;
    quick.next_of("joined").await;
    let mut slow = service.browser().await;
    slow.send(support::join("hall", "Slow")).await;
    let slow_id = slow.next_of("joined").await["you"]["id"].clone();
    // From here on nobody reads what `slow` gets.

    let mut dropped = false;
    for number in 0..MOST_MESSAGES {
        let name = format!("visitor-{number}");
        let request = Join {
            room: stoa::room_id("hall"),
            participant: ParticipantId::new(&name).expect("an identifier"),
            display_name: "n".repeat(NAME_BYTES).into(),
            offer: "offer".into(),
            role: Role::default(),
            metadata: Metadata::default(),
            audio_mode: Default::default(),
            subscription: Default::default(),
            resume: None,
            may_publish: true,
        };
        stoa.media.join(request).await.expect("there is room");
        let seen = loop {
            let message = quick.next().await.expect("it keeps up");
            dropped |= message["type"] == "participant_left" && message["id"] == slow_id;
            if message["participant"]["id"] == name.as_str() {
                break message;
            }
        };
        assert_eq!(seen["type"], "participant_joined");
        if dropped {
            break;
        }
    }
    assert!(
        dropped,
        "{MOST_MESSAGES} messages, and it is still in the room"
    );
    assert_eq!(
        service.health().await["sockets_closed"],
        json!({"too_slow": 1})
    );
    // What it had been sent before it was dropped is still there to read; then the end.
    within(async { while slow.next().await.is_some() {} }).await;
}
