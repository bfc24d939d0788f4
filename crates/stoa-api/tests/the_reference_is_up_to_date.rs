//! docs/api.md is what the comments of the proto files make it.

#[path = "../examples/reference/render.rs"]
mod render;

use std::{fs, path::Path};

#[test]
fn the_reference_is_up_to_date() {
    let page = render::markdown().expect("descriptors");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    let there = fs::read_to_string(file).unwrap_or_default();
    assert!(
        page == there,
        "docs/api.md is stale: run `cargo xtask docs`"
    );
    for part in [
        "### Service Rooms\n",
        "**CreateRoom** ([CreateRoomRequest](#createroomrequest)) → [Room](#room)\n",
        "→ stream [WatchResponse](#watchresponse)",
        "| `metadata` = 9 | map of `string` to `string` |",
        "| `participants` = 6 | repeated [Participant](#participant) |",
    ] {
        assert!(page.contains(part), "{part} is not there");
    }
}
