//! The services of the API: each checks the request, asks whoever has to do with it, and answers.

mod bans;
mod news;
mod node;
mod rooms;
mod watch;
mod watch_rooms;

pub(crate) use bans::BansService;
pub(crate) use node::NodeService;
pub(crate) use rooms::RoomsService;
