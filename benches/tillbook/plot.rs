//! The plot: bars as SVG, written directly so that no plotting library is needed.

use std::fmt::Write;

use crate::figures::Figures;
use crate::targets::{Goal, Target};

const WIDTH: f64 = 760.0;
const LABELS: f64 = 300.0;
const BAR: f64 = 14.0;
const STEP: f64 = 22.0;
const HEAD: f64 = 34.0;

/// The vertical position, which increases with every line that is drawn.
struct Picture {
    shapes: String,
    y: f64,
}

/// Captures, naive and echo by connections, then how far each target is reached.
pub fn draw(figures: &Figures, targets: &[Target]) -> String {
    let mut picture = Picture { shapes: String::new(), y: 0.0 };
    picture.head("Answered a second, by connections");
    let sides = [("echo", "#b8b2a7"), ("captures", "#1f6f54"), ("naive", "#b5533c")];
    let rate = |side: &str, n: usize| figures.median(&format!("{side}/{n}/per_second"));
    let all = crate::options::Options::CONNECTIONS;
    let rates = sides.iter().flat_map(|(side, _)| all.map(|n| rate(side, n).unwrap_or(0.0)));
    let largest = rates.fold(1.0, f64::max);
    for connections in all {
        for (side, colour) in sides {
            if let Some(rate) = rate(side, connections) {
                let label = format!("{side} at {connections}");
                picture.bar(&label, rate / largest, colour, &format!("{rate:.0}"));
            }
        }
    }
    picture.head("How far each target is reached (the line is the target)");
    for target in targets {
        if let Some(measured) = target.measured {
            let share = match target.goal {
                Goal::AtLeast(bound, _) => measured / bound,
                Goal::AtMost(bound, _) => bound / measured.max(1e-9),
            };
            let colour = if 1.0 <= share { "#1f6f54" } else { "#b5533c" };
            let label = format!("{} {}", target.id, target.what);
            let value = format!("{measured:.2}{}", target.goal.unit());
            picture.bar(&label, share.min(2.0) / 2.0, colour, &value);
        }
    }
    picture.end()
}

impl Picture {
    fn head(&mut self, title: &str) {
        self.y += HEAD;
        let y = self.y - 8.0;
        self.shape(format_args!("<text x='8' y='{y}' font-weight='bold'>{title}</text>"));
    }

    /// A bar that is `share` of the whole width long.
    fn bar(&mut self, label: &str, share: f64, colour: &str, value: &str) {
        let (y, text_y) = (self.y, self.y + 11.5);
        let room = WIDTH - LABELS - 90.0;
        let (width, value_x) = (room * share, LABELS + room * share + 6.0);
        let label_x = LABELS - 8.0;
        self.shape(format_args!(
            "<text x='{label_x}' y='{text_y}' text-anchor='end'>{label}</text>\
             <rect x='{LABELS}' y='{y}' width='{width:.1}' height='{BAR}' fill='{colour}'/>\
             <text x='{value_x:.1}' y='{text_y}'>{value}</text>"
        ));
        self.y += STEP;
    }

    fn shape(&mut self, shape: std::fmt::Arguments<'_>) {
        writeln!(self.shapes, "{shape}").expect("a string takes text");
    }

    fn end(self) -> String {
        let height = self.y + 10.0;
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' \
             font-family='system-ui, sans-serif' font-size='12' fill='#222'>\n\
             <rect width='100%' height='100%' fill='#fff'/>\n{}</svg>\n",
            self.shapes
        )
    }
}
