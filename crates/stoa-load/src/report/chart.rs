//! Line charts as SVG, for a page that needs nothing from the network.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// About how many lines a grid has.
const GRID_LINES: f64 = 4.0;

/// One line of a chart.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A chart.
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    /// Of the values.
    pub(crate) unit: &'a str,
    /// What is to the right.
    pub(crate) across: &'a str,
    pub(crate) lines: Vec<Line<'a>>,
    /// What is measured, if not all is.
    pub(crate) measured: Option<(f64, f64)>,
    /// A place that has a name.
    pub(crate) mark: Option<(f64, &'a str)>,
}

impl Chart<'_> {
    /// The chart as a figure; nothing if there are no values.
    pub(crate) fn draw(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let Some(first) = points().next() else {
            return String::new();
        };
        let (mut least, mut most, mut top) = (first.0, first.0, 0.0_f64);
        for (x, y) in points() {
            (least, most, top) = (least.min(*x), most.max(*x), top.max(*y));
        }
        let frame = Frame {
            least,
            span: (most - least).max(1.0),
            top: ceiling(top),
        };
        let mut svg = format!(
            "<figure><figcaption>{} <span>({})</span>{}</figcaption>\n\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
            escape(self.title),
            escape(self.unit),
            self.legend(),
            escape(self.title)
        );
        self.draw_ground(&frame, &mut svg);
        for (number, line) in self.lines.iter().enumerate() {
            let mut path = String::new();
            for (x, y) in &line.points {
                let _ = write!(path, "{:.1},{:.1} ", frame.x(*x), frame.y(*y));
            }
            let dots = line.points.len() < 60;
            let _ = writeln!(
                svg,
                "<polyline class=\"line c{number}\" points=\"{path}\"/>"
            );
            for (x, y) in line.points.iter().filter(|_| dots) {
                let _ = writeln!(
                    svg,
                    "<circle class=\"dot c{number}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\"><title>{}: {}</title></circle>",
                    frame.x(*x),
                    frame.y(*y),
                    number_of(*x),
                    number_of(*y)
                );
            }
        }
        svg.push_str("</svg></figure>\n");
        svg
    }

    fn legend(&self) -> String {
        if self.lines.len() < 2 {
            return String::new();
        }
        let entry = |(number, line): (usize, &Line<'_>)| {
            format!(" <b class=\"key c{number}\">{}</b>", escape(line.name))
        };
        self.lines.iter().enumerate().map(entry).collect()
    }

    fn draw_ground(&self, frame: &Frame, svg: &mut String) {
        let bottom = HEIGHT - BOTTOM;
        if let Some((from, to)) = self.measured {
            let (from, to) = (frame.x(from), frame.x(to));
            let _ = writeln!(
                svg,
                "<rect class=\"measured\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                (to - from).max(0.0),
                bottom - TOP
            );
        }
        for value in grid(0.0, frame.top) {
            let y = frame.y(value);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                number_of(value)
            );
        }
        for value in grid(frame.least, frame.least + frame.span) {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                frame.x(value),
                bottom + 16.0,
                number_of(value)
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            HEIGHT - 3.0,
            escape(self.across)
        );
        if let Some((at, name)) = self.mark {
            let x = frame.x(at);
            let _ = writeln!(
                svg,
                "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\
                 <text class=\"mark\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                x - 4.0,
                TOP + 10.0,
                escape(name)
            );
        }
    }
}

/// How values become places.
struct Frame {
    least: f64,
    span: f64,
    top: f64,
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        LEFT + (value - self.least) / self.span * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value.max(0.0) / self.top * (HEIGHT - TOP - BOTTOM)
    }
}

/// A round number that is not less.
fn ceiling(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let step = step(value);
    (value / step).ceil() * step
}

/// 1, 2 or 5 times a power of ten: about so many fit.
fn step(span: f64) -> f64 {
    let rough = span / GRID_LINES;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

fn grid(from: f64, to: f64) -> impl Iterator<Item = f64> {
    let step = step(to - from);
    let first = (from / step).ceil();
    let count = ((to - first * step) / step + 1e-9).floor().max(0.0) as u32;
    (0..=count).map(move |number| (first + f64::from(number)) * step)
}

/// A number with as many digits as one reads.
pub(crate) fn number_of(value: f64) -> String {
    let text = match value.abs() {
        value if value >= 100.0 => format!("{:.0}", value),
        value if value >= 10.0 => format!("{:.1}", value),
        _ => format!("{value:.2}"),
    };
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    match value < 0.0 && !text.starts_with('-') {
        true => format!("-{text}"),
        false => text,
    }
}

/// A count, its thousands apart.
pub(crate) fn count_of(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text for HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> Chart<'static> {
        Chart {
            title: "latency <all>",
            unit: "ms",
            across: "seconds",
            lines: vec![Line {
                name: "p50",
                points,
            }],
            measured: Some((1.0, 2.0)),
            mark: None,
        }
    }

    #[test]
    fn a_chart_stays_within_its_frame_whatever_the_values() {
        for points in [
            vec![(0.0, 0.0)],
            vec![(0.0, 1.0), (1.0, 0.000_1), (2.0, 1e9)],
            vec![(5.0, -3.0), (6.0, 2.0)],
        ] {
            let svg = chart(points).draw();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(svg.contains("latency &lt;all&gt;"));
        }
        assert_eq!(chart(Vec::new()).draw(), "");
    }

    #[test]
    fn grids_have_round_numbers() {
        assert_eq!(grid(0.0, 10.0).collect::<Vec<_>>(), [0.0, 5.0, 10.0]);
        assert_eq!(grid(3.0, 11.0).collect::<Vec<_>>(), [4.0, 6.0, 8.0, 10.0]);
        assert_eq!(
            (ceiling(0.0), ceiling(7.3), ceiling(1_234.0)),
            (1.0, 8.0, 1_500.0)
        );
    }

    #[test]
    fn numbers_have_the_digits_that_one_reads() {
        let texts = [0.0, 0.1234, 5.0, 12.34, 123.4, 12_345.6, -0.5].map(number_of);
        assert_eq!(texts, ["0", "0.12", "5", "12.3", "123", "12346", "-0.5"]);
    }
    #[test]
    fn counts_have_their_thousands_apart() {
        let texts = [0, 999, 1_000, 1_234_567].map(count_of);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
