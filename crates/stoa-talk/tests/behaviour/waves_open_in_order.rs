//! Waves let people in when the administrator opens them: by invitation, or from the waiting list.

use crate::{beta, support};

use crate::house::create;
use serde_json::{Value, json};

fn new(name: &str, invitations: u32, from_list: u32) -> Value {
    json!({
        "type": "create_wave", "name": name,
        "invitations": invitations, "from_list": from_list, "invites": 1,
    })
}

fn open(wave: i64) -> Value {
    json!({"type": "open_wave", "wave": wave})
}

#[tokio::test]
async fn an_invitation_holds_once_its_wave_is_open_and_no_wave_overtakes() {
    let house = beta::house().await;
    let service = &house.service;
    let (staff, staff_codes) = beta::wave(service, new("Staff", 2, 0)).await;
    let (friends, friends_codes) = beta::wave(service, new("Friends", 1, 0)).await;
    let early = beta::use_code(service, "Ada", &staff_codes[0]).await;
    assert_eq!(beta::refusal(early), "CODE_INVALID");
    assert_eq!(
        beta::order_refused(service, open(friends)).await,
        "WAVE_OUT_OF_ORDER"
    );

    beta::order(service, open(staff)).await;
    beta::come_in(service, "Ada", &staff_codes[0]).await;
    beta::come_in(service, "Bob", &staff_codes[1]).await;
    let early = beta::use_code(service, "Cy", &friends_codes[0]).await;
    assert_eq!(beta::refusal(early), "CODE_INVALID");
    assert_eq!(beta::order_refused(service, open(staff)).await, "WAVE_OPEN");

    beta::order(service, open(friends)).await;
    beta::come_in(service, "Cy", &friends_codes[0]).await;
    let seen = beta::overview(service).await;
    assert_eq!(beta::named(&seen, "people", "Cy")["wave"], friends);
    assert_eq!(beta::names(&seen, "waves"), ["Staff", "Friends"]);
    assert_eq!(seen["waves"][0]["members"], 2);
}

#[tokio::test]
async fn who_has_waited_longest_comes_first() {
    let house = beta::house().await;
    let service = &house.service;
    for name in ["Ada", "Bob", "Cy", "Di"] {
        beta::wait(service, name).await;
    }
    beta::wait(service, "Ada").await; // again, which changes nothing
    assert_eq!(
        beta::names(&beta::overview(service).await, "waiting"),
        ["Ada", "Bob", "Cy", "Di"]
    );
    let (first, _) = beta::wave(service, new("First", 0, 2)).await;
    let (second, _) = beta::wave(service, new("Second", 0, 1)).await;
    assert_eq!(
        house.refused(create("Ada")).await,
        "ADMISSION_REQUIRED",
        "not yet"
    );

    let seen = beta::order(service, open(first)).await;
    assert_eq!(beta::names(&seen, "waiting"), ["Cy", "Di"]);
    let ada = beta::standing(service, "Ada").await;
    assert_eq!(
        (&ada["you"], &ada["invitations"]["left"]),
        (&json!("in"), &json!(1))
    );
    let _ada = house.host("Ada").await;
    assert_eq!(beta::standing(service, "Cy").await["you"], "waiting");

    // The administrator chooses, too.
    let di = beta::named(&seen, "waiting", "Di")["id"].clone();
    beta::order(
        service,
        json!({"type": "put_in_wave", "member": di, "wave": second}),
    )
    .await;
    let cy = beta::named(&seen, "waiting", "Cy")["id"].clone();
    beta::order(
        service,
        json!({"type": "put_in_wave", "member": cy, "wave": null}),
    )
    .await;
    beta::order(service, open(second)).await;
    assert_eq!(beta::standing(service, "Di").await["you"], "in");
    assert_eq!(beta::standing(service, "Cy").await["you"], "waiting");
    let late = json!({"type": "put_in_wave", "member": cy, "wave": second});
    assert_eq!(beta::order_refused(service, late).await, "WAVE_OPEN");
    let seen = beta::order(service, json!({"type": "forget", "member": cy})).await;
    assert_eq!(seen["counts"]["waiting"], 0);
    assert_eq!(beta::standing(service, "Cy").await["you"], "stranger");
}

#[tokio::test]
async fn one_who_waits_may_come_by_an_invitation_instead() {
    let house = beta::house().await;
    let service = &house.service;
    beta::wait(service, "Ada").await;
    let code = beta::invitation(service, 1, 0).await;
    beta::come_in(service, "Ada", &code).await;
    assert_eq!(beta::overview(service).await["counts"]["waiting"], 0);
}

#[tokio::test]
async fn a_dropped_wave_takes_its_invitations_and_leaves_its_people_waiting() {
    let house = beta::house().await;
    let service = &house.service;
    beta::wait(service, "Ada").await;
    let (dropped, codes) = beta::wave(service, new("A mistake", 1, 1)).await;
    let (next, _) = beta::wave(service, new("Next", 0, 5)).await;
    beta::order(service, json!({"type": "drop_wave", "wave": dropped})).await;
    beta::order(service, open(next)).await;
    assert_eq!(beta::standing(service, "Ada").await["you"], "waiting");
    let lost = beta::use_code(service, "Bob", &codes[0]).await;
    assert_eq!(beta::refusal(lost), "CODE_INVALID");
    assert_eq!(
        beta::order_refused(service, open(dropped)).await,
        "WAVE_NOT_FOUND"
    );
    let too_late = json!({"type": "drop_wave", "wave": next});
    assert_eq!(beta::order_refused(service, too_late).await, "WAVE_OPEN");
}

#[tokio::test]
async fn the_list_takes_a_few_from_one_place_at_a_time() {
    let house = beta::house().await;
    let service = &house.service;
    let ask = async |whom: &str, n: usize| {
        let name = format!("Crowd{n}");
        let action = json!({"type": "wait", "name": name});
        let question = json!({"secret": support::secret(&name), "action": action});
        service.post_for(whom, "/entrance", &question).await
    };
    for n in 0..20 {
        assert_eq!(ask("192.0.2.1", n).await.0, 200);
    }
    assert_eq!(
        beta::refusal(ask("192.0.2.1", 20).await),
        "TOO_MANY_REQUESTS"
    );
    assert_eq!(ask("192.0.2.2", 20).await.0, 200);
}
