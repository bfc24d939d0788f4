//! `stoad top`: a live view of a node by its ops port, and of its rooms by the public API.
//!
//! What is shown is a function of two looks at the node (`view.rs`); drawing it is one of what is shown (`draw.rs`).

mod draw;
mod look;
mod room;
mod screen;
mod view;

use std::{io::Write as _, time::Duration};

use self::{look::Looker, screen::Screen, view::View};
use crate::{arguments::top::Top, exit::Failure};

/// How wide and how high a view is that is printed as text.
const PAGE: (u16, u16) = (110, 40);

/// Shows a node until it is asked to end, or once.
///
/// # Errors
/// [`Failure`] if the node cannot be asked at first, or there is no terminal.
pub(crate) async fn run(arguments: Top) -> Result<(), Failure> {
    let interval = Duration::from_secs(arguments.interval);
    let looker = Looker::open(&arguments).await?;
    let first = looker.look().await?;
    if arguments.once || arguments.json {
        tokio::time::sleep(interval).await;
        let view = View::of(Some(&first), Ok(&looker.look().await?));
        let text = match arguments.json {
            true => format!("{}\n", serde_json::json!(view)),
            false => draw::text(&view, PAGE),
        };
        // Where nobody reads it any more, it is not said.
        let _ = std::io::stdout().write_all(text.as_bytes());
        return Ok(());
    }
    let mut screen = Screen::open()?;
    let mut before = None;
    let mut now = Ok(first);
    loop {
        let view = View::of(
            before.as_ref(),
            now.as_ref()
                .map_err(|failure: &Failure| failure.to_string()),
        );
        screen.show(&view)?;
        if screen.is_left(interval).await? {
            return Ok(());
        }
        if let Ok(look) = now {
            before = Some(look);
        }
        // A node that has vanished is shown as such, and looked for.
        now = looker.look().await;
    }
}
