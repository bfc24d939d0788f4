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

/// All of them. The page asks for nothing else and from nowhere else.
pub(crate) const FILES: [File; 10] = [
    file!("/", HTML, "index.html"),
    file!("/assets/style.css", CSS, "style.css"),
    file!("/assets/icon.svg", SVG, "icon.svg"),
    file!("/assets/main.js", SCRIPT, "main.js"),
    file!("/assets/call.js", SCRIPT, "call.js"),
    file!("/assets/signalling.js", SCRIPT, "signalling.js"),
    file!("/assets/audio.js", SCRIPT, "audio.js"),
    file!("/assets/microphone.js", SCRIPT, "microphone.js"),
    file!("/assets/view.js", SCRIPT, "view.js"),
    file!("/assets/tile.js", SCRIPT, "tile.js"),
];
