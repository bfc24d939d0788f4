//! A view as cells of a terminal.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize as _},
    text::Line,
    widgets::{Block, Paragraph, Row, Table, Widget as _},
};

use super::view::{View, Worker};

/// From which share on a resource or a worker is nearly used up.
const FULL: f64 = 0.7;

/// The view as text, in so many columns and rows at the most.
pub(super) fn text(view: &View, (width, height): (u16, u16)) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(view, area, &mut buffer);
    let row = |y: u16| {
        let cells = (0..width).filter_map(|x| Some(buffer.cell((x, y))?.symbol()));
        cells.collect::<String>().trim_end().to_owned()
    };
    let rows: Vec<String> = (0..height).map(row).collect();
    format!("{}\n", rows.join("\n").trim_end())
}

/// Draws it.
pub(super) fn draw(view: &View, area: Rect, buffer: &mut Buffer) {
    if let Some(why) = &view.gone {
        let words = Paragraph::new(format!("The node does not answer: {why}"));
        return words.fg(Color::Red).render(area, buffer);
    }
    let workers = u16::try_from(view.workers.len())
        .unwrap_or(u16::MAX)
        .saturating_add(3);
    let shown = view.rooms.as_ref().map_or(1, |rooms| rooms.len() + 3);
    let rooms = u16::try_from(shown).unwrap_or(u16::MAX);
    let parts = [
        Constraint::Length(6),
        Constraint::Max(workers),
        Constraint::Length(4),
        Constraint::Max(rooms),
    ];
    let [head, middle, events, rooms] = Layout::vertical(parts).areas(area);
    node(view, head, buffer);
    table_of_workers(view, middle, buffer);
    joins_and_drops(view, events, buffer);
    table_of_rooms(view, rooms, buffer);
}

fn node(view: &View, area: Rect, buffer: &mut Buffer) {
    let level = match view.saturation_level {
        Some(1.0) => "soft: new rooms are refused",
        Some(2.0) => "hard: listeners are refused, too",
        Some(3.0) => "full: everybody is refused",
        Some(_) => "normal",
        None => "not known",
    };
    let by = |values: &std::collections::BTreeMap<String, f64>, show: fn(f64) -> String| {
        let each = values
            .iter()
            .map(|(name, value)| format!("{name} {}", show(*value)));
        each.collect::<Vec<_>>().join("   ")
    };
    let is_full = view.saturation.values().any(|ratio| *ratio >= FULL);
    let fit = view
        .fitting_listeners
        .map_or("-".to_owned(), |fit| format!("{fit:.0}"));
    let state = if view.draining {
        "draining"
    } else {
        "takes what comes"
    };
    let lines = vec![
        Line::from(format!("state         {state}; {level}")),
        Line::from(format!(
            "participants  {}   rooms {}",
            by(&view.participants, |n| format!("{n:.0}")),
            count(view.rooms_total)
        )),
        Line::from(format!("saturation    {}", by(&view.saturation, percent))).fg(colour(is_full)),
        Line::from(format!("{fit} more listeners fit")).bold(),
    ];
    Paragraph::new(lines)
        .block(Block::bordered().title("node"))
        .render(area, buffer);
}

fn table_of_workers(view: &View, area: Rect, buffer: &mut Buffer) {
    let row = |worker: &Worker| {
        let is_full = worker.busy.is_some_and(|busy| busy >= FULL);
        let cells = [
            worker.worker.clone(),
            worker.busy.map_or("-".to_owned(), percent),
            count(worker.packets_in),
            count(worker.packets_out),
            megabits(worker.bytes_in),
            megabits(worker.bytes_out),
            count(worker.seats),
            count(worker.queue),
        ];
        Row::new(cells).style(Style::new().fg(colour(is_full)))
    };
    let head = [
        "worker",
        "busy",
        "in /s",
        "out /s",
        "in Mbit/s",
        "out Mbit/s",
        "seats",
        "send queue",
    ];
    table(
        view.workers.iter().map(row),
        head,
        [7, 7, 10, 10, 10, 11, 8, 10],
        "media workers",
        area,
        buffer,
    );
}

fn joins_and_drops(view: &View, area: Rect, buffer: &mut Buffer) {
    let joins = view.joins.iter().map(|(stage, rate)| {
        format!(
            "{stage} {}",
            rate.map_or("-".to_owned(), |rate| format!("{rate:.1}"))
        )
    });
    let drops = view
        .drops
        .iter()
        .map(|(reason, rate)| format!("{reason} {rate:.1}"));
    let (joins, mut drops) = (
        joins.collect::<Vec<_>>().join("   "),
        drops.collect::<Vec<_>>().join("   "),
    );
    if drops.is_empty() {
        drops.push_str("none");
    }
    let lines = vec![
        Line::from(format!("joins   {joins}")),
        Line::from(format!("drops   {drops}")),
    ];
    Paragraph::new(lines)
        .block(Block::bordered().title("a second"))
        .render(area, buffer);
}

fn table_of_rooms(view: &View, area: Rect, buffer: &mut Buffer) {
    let Some(rooms) = &view.rooms else {
        let hint = "rooms: with --target, --ca and --api-key-file";
        return Paragraph::new(hint).dim().render(area, buffer);
    };
    let rows = rooms.iter().map(|room| {
        let counts = [room.listeners, room.speakers, room.moderators, room.muted];
        Row::new(std::iter::once(room.room.clone()).chain(counts.map(|count| count.to_string())))
    });
    let head = ["room", "listeners", "speakers", "moderators", "muted"];
    table(
        rows,
        head,
        [40, 10, 10, 11, 8],
        "largest rooms",
        area,
        buffer,
    );
}

fn table<'a, const N: usize>(
    rows: impl Iterator<Item = Row<'a>>,
    head: [&'a str; N],
    widths: [u16; N],
    title: &'a str,
    area: Rect,
    buffer: &mut Buffer,
) {
    let table = Table::new(rows, widths.map(Constraint::Length));
    let table = table.header(Row::new(head).bold());
    table
        .block(Block::bordered().title(title))
        .render(area, buffer);
}

fn colour(is_full: bool) -> Color {
    if is_full { Color::Red } else { Color::Reset }
}

fn percent(ratio: f64) -> String {
    format!("{:.0}%", 100.0 * ratio)
}

fn count(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.0}"))
}

fn megabits(bytes: Option<f64>) -> String {
    bytes.map_or("-".to_owned(), |bytes| format!("{:.2}", 8.0 * bytes / 1e6))
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::top::view::tests::sample;

    #[test]
    fn everything_is_on_the_screen() {
        let mut terminal = Terminal::new(TestBackend::new(110, 30)).expect("a screen");
        let drawn = terminal.draw(|frame| draw(&sample(), frame.area(), frame.buffer_mut()));
        drawn.expect("it has room");
        let screen = terminal.backend().to_string();
        for words in [
            "900 more listeners fit",
            "listener 42   rooms 2",
            "workers 25%",
            "50%",
            "1.20       2.40",
            "late 150.0",
            "lost 150.0",
            "hall",
            "40",
        ] {
            assert!(screen.contains(words), "{words:?}:\n{screen}");
        }
    }

    #[test]
    fn how_the_node_stands_is_said() {
        for (draining, saturation_level, words) in [
            (false, Some(0.0), "takes what comes; normal"),
            (
                false,
                Some(1.0),
                "takes what comes; soft: new rooms are refused",
            ),
            (false, Some(2.0), "hard: listeners are refused, too"),
            (true, Some(3.0), "draining; full: everybody is refused"),
            (true, None, "draining; not known"),
        ] {
            let view = View {
                draining,
                saturation_level,
                ..sample()
            };
            let screen = text(&view, (110, 30));
            assert!(screen.contains(words), "{words:?}:\n{screen}");
        }
    }

    #[test]
    fn a_small_screen_and_a_node_that_is_gone_are_drawn() {
        for size in [(1, 1), (20, 3), (60, 8)] {
            text(&sample(), size);
        }
        let gone = View {
            gone: Some("closed the connection".to_owned()),
            ..View::default()
        };
        assert_eq!(
            text(&gone, (80, 5)),
            "The node does not answer: closed the connection\n"
        );
    }
}
