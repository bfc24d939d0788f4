//! What the tests of the daemon have in common: a running daemon, and scripts that try it.

#![allow(
    dead_code,
    reason = "each test is a binary of its own and uses a part of this"
)]
#![allow(
    unused_imports,
    reason = "each test is a binary of its own and uses a part of this"
)]

mod calls;
mod capture;
mod command;
mod control_group;
mod daemon;
mod examined;
mod folder;
mod image;
mod machine;
mod network;
pub(crate) mod overheard;
mod peer;
mod play;
mod script;
mod tools;

pub(crate) use calls::{
    connect, connect_with, create_room, join_request, load, load_beside, report_without_loss,
};
pub(crate) use command::{Ended, stoad, stoad_with};
pub(crate) use control_group::ControlGroup;
pub(crate) use daemon::Daemon;
pub(crate) use examined::{Said, examine_by};
pub(crate) use folder::{Folder, configuration, with_ops, with_whip};
pub(crate) use image::{Image, USER as IMAGE_USER};
pub(crate) use machine::{Machine, program};
pub(crate) use peer::{Does, Peer};
pub(crate) use play::Play;
pub(crate) use script::{
    Beside, node, python, python_example, python_with_a_collector, python_with_browsers,
    python_with_browsers_behind, python_with_whip, typescript_example,
};
