//! The terminal, which is as it was before when one leaves it.

use std::{
    io,
    time::{Duration, Instant},
};

use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyModifiers},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{draw, view::View};
use crate::exit::Failure;

/// How long one waits for a key before one looks for signals and the time.
const LOOK: Duration = Duration::from_millis(100);

/// The terminal while the view is on it. Ends with it, by whatever way: a panic restores it first, as
/// [`ratatui::try_init`] has it, so that its words can be read.
pub(super) struct Screen {
    terminal: DefaultTerminal,
    terminate: Signal,
}

impl Screen {
    /// # Errors
    /// [`Failure::Running`] if there is no terminal.
    pub(super) fn open() -> Result<Self, Failure> {
        let terminate = signal(SignalKind::terminate()).map_err(|error| failed(&error))?;
        let terminal = ratatui::try_init().map_err(|error| {
            Failure::Running(format!(
                "no terminal to draw on ({error}): try --once or --json"
            ))
        })?;
        Ok(Self {
            terminal,
            terminate,
        })
    }

    pub(super) fn show(&mut self, view: &View) -> Result<(), Failure> {
        let drawn = self
            .terminal
            .draw(|frame| draw::draw(view, frame.area(), frame.buffer_mut()));
        drawn.map(drop).map_err(|error| failed(&error))
    }

    /// Waits for so long; whether somebody wants to leave meanwhile: by `q`, Escape, Ctrl-C or SIGTERM.
    pub(super) async fn is_left(&mut self, within: Duration) -> Result<bool, Failure> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            let key = tokio::task::spawn_blocking(leaves);
            tokio::select! {
                _ = self.terminate.recv() => return Ok(true),
                left = key => match left {
                    Ok(Ok(false)) => {}
                    Ok(Ok(true)) => return Ok(true),
                    Ok(Err(error)) => return Err(failed(&error)),
                    Err(error) => return Err(failed(&error)),
                }
            }
        }
        Ok(false)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Whether a key comes soon that means to leave.
fn leaves() -> io::Result<bool> {
    if !event::poll(LOOK)? {
        return Ok(false);
    }
    let Event::Key(key) = event::read()? else {
        return Ok(false);
    };
    let is_interrupt =
        key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    Ok(is_interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::Running(format!("the terminal: {error}"))
}
