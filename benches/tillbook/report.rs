//! The tables at the end, as Markdown: the targets, and all figures.

use std::fmt::Write;
use std::fs;

use crate::figures::Figures;
use crate::options::Options;
use crate::targets::{Target, targets};
use crate::{Bench, plot, publish};

/// Prints the tables and writes them, and the plot, into the build's folder.
pub fn write(bench: &Bench) {
    let targets = targets(&bench.figures, &bench.options);
    let text = format!(
        "{}\n{}{}{}{}{}{}",
        conditions(bench),
        table_of_targets(&targets, bench.options.quick),
        table_of_loads(&bench.figures),
        table_of_writer(&bench.figures),
        table_of_growth(&bench.figures, &bench.options),
        table_of_hooks(&bench.figures),
        table_of_the_rest(&bench.figures),
    );
    bench.machine.say(&format!("\n{text}"));
    let folder = bench.machine.folder();
    let picture = plot::draw(&bench.figures, &targets);
    fs::write(folder.join("report.md"), &text).expect("the build folder can be written");
    fs::write(folder.join("figures.svg"), &picture).expect("the build folder can be written");
    bench.machine.say(&format!("Written to {}: report.md, figures.svg", folder.display()));
    if bench.options.publish {
        publish::publish(&text, &picture);
        bench.machine.say("Published in benches/README.md and benches/figures.svg");
    }
}

/// The date and the machine. Only the report reads the date.
fn conditions(bench: &Bench) -> String {
    let date = tillbook::clock::rfc3339(tillbook::clock::Clock::System.now());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let sync = |name| bench.figures.median(name).unwrap_or(0.0);
    let quick = if bench.options.quick {
        " **A quick run with little data; no target is checked.**"
    } else {
        ""
    };
    format!(
        "{}, Linux {}, {processors} processors, SQLite {}, {} repetitions. The disk syncs 4 KiB \
         {:.0} times a second over the same block, {:.0} at the end of a file. Before each \
         repetition the machine was {} % idle or more; {} were taken although others used \
         it.{quick}\n",
        date.get(..10).unwrap_or_default(),
        kernel.trim(),
        tillbook::store::sqlite_version(),
        bench.options.repetitions(),
        sync("fsync/overwrite"),
        sync("fsync/append"),
        bench.machine.idle_percent_min,
        bench.machine.busy,
    )
}

fn table_of_targets(targets: &[Target], quick: bool) -> String {
    let mut text = "| | what | target | measured | |\n|---|---|---|---|---|\n".to_owned();
    for target in targets {
        let measured = target.measured.map_or("not measured".to_owned(), |measured| {
            format!("{}{}", short(measured), target.goal.unit())
        });
        let verdict = match target.is_reached() {
            _ if quick => "",
            None => "",
            Some(true) => "reached",
            Some(false) => "**missed**",
        };
        let (id, what, goal) = (target.id, &target.what, target.goal.words());
        line(&mut text, format_args!("| {id} | {what} | {goal} | {measured} | {verdict} |"));
    }
    text
}

fn table_of_loads(figures: &Figures) -> String {
    let mut text =
        "\n| end to end | 1 | 8 | 64 | 256 connections |\n|---|---|---|---|---|\n".to_owned();
    for (title, side, part) in [
        ("echo, a second", "echo", "per_second"),
        ("naive, a second", "naive", "per_second"),
        ("captures, a second", "captures", "per_second"),
        ("captures, p50 ms", "captures", "p50_ms"),
        ("captures, p99 ms", "captures", "p99_ms"),
        ("naive, p99 ms", "naive", "p99_ms"),
        ("server CPU a capture, us", "captures", "cpu_us"),
        ("server CPU an echo, us", "echo", "cpu_us"),
        ("server CPU a naive capture, us", "naive", "cpu_us"),
    ] {
        let cells = Options::CONNECTIONS.map(|n| figures.median(&format!("{side}/{n}/{part}")));
        row(&mut text, title, &cells);
    }
    let open = ["rate", "per_second", "p50_ms", "p99_ms"]
        .map(|part| figures.median(&format!("open/{part}")));
    text + "\n| at a fixed rate, 64 connections | due a second | answered | p50 ms | p99 ms |\n\
            |---|---|---|---|---|\n"
        + &cells_of("captures", &open)
}

fn table_of_writer(figures: &Figures) -> String {
    let mut text =
        "\n| without HTTP | 1 | 16 | 64 | 256 waiting |\n|---|---|---|---|---|\n".to_owned();
    for (title, side, part) in [
        ("writer, captures a second", "writer", "per_second"),
        ("raw loop, captures a second", "raw", "per_second"),
        ("writer CPU a capture, us", "writer", "cpu_us"),
        ("raw loop CPU a capture, us", "raw", "cpu_us"),
    ] {
        let cells = Options::BATCHES.map(|n| figures.median(&format!("{side}/{n}/{part}")));
        row(&mut text, title, &cells);
    }
    let ratios = Options::BATCHES
        .map(|n| figures.ratio(&format!("writer/{n}/per_second"), &format!("raw/{n}/per_second")));
    row(&mut text, "writer / raw loop", &ratios);
    text
}

fn table_of_growth(figures: &Figures, options: &Options) -> String {
    let mut text = "\n| orders in the book | captures a second | p99 ms | server CPU, us |\n\
                    |---|---|---|---|\n"
        .to_owned();
    for orders in options.sizes() {
        let cells = ["per_second", "p99_ms", "cpu_us"]
            .map(|part| figures.median(&format!("growth/{orders}/{part}")));
        row(&mut text, &orders.to_string(), &cells);
    }
    text += "\n| page of 50 by filter | p50 ms, few orders | many | CPU us, few | many |\n\
             |---|---|---|---|---|\n";
    let names = figures.names_below("lists").filter_map(|name| name.strip_suffix("/few/cpu_us"));
    for name in names {
        let cells = ["few/p50_ms", "many/p50_ms", "few/cpu_us", "many/cpu_us"]
            .map(|part| figures.median(&format!("lists/{name}/{part}")));
        row(&mut text, name, &cells);
    }
    text
}

fn table_of_hooks(figures: &Figures) -> String {
    let mut text =
        "\n| webhooks | at 2000/s, without | with a hook | as fast as possible, without | \
                    with a hook |\n|---|---|---|---|---|\n"
            .to_owned();
    for (title, part) in [
        ("captures, a second", "per_second"),
        ("captures, p50 ms", "p50_ms"),
        ("captures, p99 ms", "p99_ms"),
        ("server CPU a capture, us", "cpu_us"),
    ] {
        let sides = ["paced/without", "paced/with", "unpaced/without", "unpaced/with"];
        row(&mut text, title, &sides.map(|side| figures.median(&format!("{side}/{part}"))));
    }
    let one = |name: &str| figures.median(name);
    for (title, paced) in [("p50", "paced/delivered_p50_ms"), ("p99", "paced/delivered_p99_ms")] {
        let title = format!("delivered after, {title} ms");
        row(&mut text, &title, &[None, one(paced), None, None]);
    }
    row(&mut text, "delivered, a second", &[None, None, None, one("unpaced/delivered")]);
    text += "\n| events behind | caught up, a second | server CPU a delivery, us | memory at the \
             start, MiB | in the middle | at the end | at most |\n|---|---|---|---|---|---|---|\n";
    let parts = ["per_second", "cpu_us", "start_mib", "middle_mib", "end_mib", "peak_mib"];
    let cells = parts.map(|part| one(&format!("behind/{part}")));
    let events = one("behind/events").map_or(String::new(), |events| format!("{events:.0}"));
    row(&mut text, &events, &cells);
    text
}

fn table_of_the_rest(figures: &Figures) -> String {
    let cells = ["tokens/anew", "tokens/remembered"].map(|name| figures.median(name));
    "\n| tokens checked a second | anew | remembered |\n|---|---|---|\n".to_owned()
        + &cells_of("one thread", &cells)
}

fn row(text: &mut String, title: &str, cells: &[Option<f64>]) {
    // An empty row belongs to a part that was not run.
    if cells.iter().any(Option::is_some) {
        text.push_str(&cells_of(title, cells));
    }
}

fn cells_of(title: &str, cells: &[Option<f64>]) -> String {
    let cells = cells.iter().map(|cell| cell.map_or(String::new(), short));
    format!("| {title} | {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    writeln!(text, "{words}").expect("a string takes text");
}

/// A figure with its significant digits.
fn short(figure: f64) -> String {
    if figure < 20.0 {
        return format!("{figure:.2}");
    }
    let whole = format!("{figure:.0}");
    let digits: Vec<char> = whole.chars().collect();
    let groups: Vec<String> = digits.rchunks(3).rev().map(|three| three.iter().collect()).collect();
    groups.join(",")
}
