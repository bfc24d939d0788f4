//! The page's files, built into the program.

/// One file of the page.
pub(crate) struct File {
    /// Its path on this service.
    pub(crate) path: &'static str,
    /// Its media type.
    pub(crate) content_type: &'static str,
    /// Its text.
    pub(crate) text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! file {
    ($path:literal, $content_type:expr, $name:literal) => {
        File {
            path: $path,
            content_type: $content_type,
            text: include_str!(concat!("../page/", $name)),
        }
    };
}

/// The administrator's page.
pub(crate) const ADMIN: File = file!("/admin", HTML, "admin.html");

/// All of them but the administrator's page. The pages ask for nothing else and from nowhere else.
pub(crate) const FILES: [File; 31] = [
    file!("/", HTML, "index.html"),
    file!("/assets/base.css", CSS, "base.css"),
    file!("/assets/room.css", CSS, "room.css"),
    file!("/assets/dialogs.css", CSS, "dialogs.css"),
    file!("/assets/admin.css", CSS, "admin.css"),
    file!("/assets/icon.svg", SVG, "icon.svg"),
    file!("/assets/address.js", SCRIPT, "address.js"),
    file!("/assets/admin.js", SCRIPT, "admin.js"),
    file!("/assets/audience.js", SCRIPT, "audience.js"),
    file!("/assets/audio.js", SCRIPT, "audio.js"),
    file!("/assets/call.js", SCRIPT, "call.js"),
    file!("/assets/copy.js", SCRIPT, "copy.js"),
    file!("/assets/dom.js", SCRIPT, "dom.js"),
    file!("/assets/door.js", SCRIPT, "door.js"),
    file!("/assets/entrance.js", SCRIPT, "entrance.js"),
    file!("/assets/field.js", SCRIPT, "field.js"),
    file!("/assets/hook.js", SCRIPT, "hook.js"),
    file!("/assets/identity.js", SCRIPT, "identity.js"),
    file!("/assets/invites.js", SCRIPT, "invites.js"),
    file!("/assets/join_view.js", SCRIPT, "join_view.js"),
    file!("/assets/main.js", SCRIPT, "main.js"),
    file!("/assets/microphone.js", SCRIPT, "microphone.js"),
    file!("/assets/people.js", SCRIPT, "people.js"),
    file!("/assets/person_dialog.js", SCRIPT, "person_dialog.js"),
    file!("/assets/room_dialog.js", SCRIPT, "room_dialog.js"),
    file!("/assets/room_view.js", SCRIPT, "room_view.js"),
    file!("/assets/signalling.js", SCRIPT, "signalling.js"),
    file!("/assets/speak.js", SCRIPT, "speak.js"),
    file!("/assets/stage.js", SCRIPT, "stage.js"),
    file!("/assets/texts.js", SCRIPT, "texts.js"),
    file!("/assets/visit.js", SCRIPT, "visit.js"),
];
