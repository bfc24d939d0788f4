//! Whoever does not want to hear somebody does not, and nobody else is concerned.

use crate::house::{House, without_token};
use serde_json::json;
use stoa_core::{ParticipantId, Subscription};

fn all_but(id: &str) -> Subscription {
    let id = ParticipantId::new(id).expect("an identifier");
    Subscription::all_except([id].into()).expect("few")
}

#[tokio::test]
async fn the_choice_is_stoas_and_comes_back_with_the_person() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let speaker = house.guest(&mut host, "Spe", "speaker").await;
    let mut listener = house.guest(&mut host, "Lis", "listener").await;
    let choice = |silenced| json!({"type": "silence", "id": speaker.id, "silenced": silenced});
    let last = || house.stoa.media.choices().last().cloned();

    listener.send(choice(true)).await;
    assert_eq!(
        listener.browser.next_of("silenced").await["ids"],
        json!([speaker.id])
    );
    assert_eq!(last(), Some(all_but(&speaker.id)));

    listener.leave().await;
    let mut listener = house.enter(without_token("Lis")).await;
    assert_eq!(listener.joined["silenced"], json!([speaker.id]));
    assert_eq!(
        last(),
        Some(all_but(&speaker.id)),
        "from the first packet on"
    );

    listener.send(choice(false)).await;
    assert_eq!(listener.browser.next_of("silenced").await["ids"], json!([]));
    assert_eq!(last(), Some(Subscription::default()));

    let own = json!({"type": "silence", "id": listener.id, "silenced": true});
    assert_eq!(listener.refused(own).await, "FIELD_INVALID");
    let nobody = json!({"type": "silence", "id": "nobody", "silenced": true});
    assert_eq!(listener.refused(nobody).await, "PERSON_NOT_FOUND");
}
