//! What browsers and this service say to each other: JSON text messages over one WebSocket, and
//! questions over HTTP. The same is told for readers of the page's code in `docs/talk-protocol.md`.

mod check;
mod from_browser;
mod outside;
mod to_browser;

pub(crate) use self::{
    from_browser::{FromBrowser, Join, Look, NewLinkFields, NewRoomFields, too_large},
    outside::{AtEntrance, OfAdministrator, Order, Wish},
    to_browser::{CreatedLink, Person, Speaker, ToBrowser, You},
};

#[cfg(test)]
mod tests;
