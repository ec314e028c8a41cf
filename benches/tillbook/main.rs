//! How fast Tillbook is: `cargo bench --bench tillbook [-- --quick] [-- --only load,lists]`.
//!
//! Each part measures one thing and its comparison in turns, so that the ratios hold while the
//! machine's speed drifts. `Figures` collects the measurements; at the end `targets` compares them
//! with the targets, `report` writes the tables and `plot` the plot.
#![expect(clippy::float_arithmetic, clippy::print_stdout, reason = "a benchmark prints figures")]

mod captures;
mod client;
mod echo;
mod figures;
mod generator;
mod growth;
mod hooks;
mod lists;
mod load;
mod machine;
mod naive;
mod options;
mod orders;
mod plot;
mod process;
mod publish;
mod report;
mod server;
mod shop;
mod start;
mod targets;
mod tokens;
mod writer;

use clap::Parser;

use figures::Figures;
use machine::Machine;
use options::{Options, Part};
use shop::Shops;

/// The arguments of every part.
pub struct Bench {
    pub options: Options,
    pub machine: Machine,
    pub shops: Shops,
    pub figures: Figures,
}

fn main() {
    let options = Options::parse();
    if let Some(address) = &options.serve_echo {
        return echo::serve(address);
    }
    if let (Some(address), Some(book)) = (&options.serve_naive, &options.book) {
        return naive::serve(address, book);
    }
    let parts = options.parts();
    let machine = Machine::new(&options, parts.iter().map(|part| part.repetitions(&options)).sum());
    let shops = Shops::new(machine.folder());
    let mut bench = Bench { options, machine, shops, figures: Figures::default() };
    for part in &parts {
        bench.machine.say(&format!("── {} ──", part.title()));
        match part {
            Part::Fsync => bench.machine.measure_disk(&bench.options, &mut bench.figures),
            Part::Tokens => tokens::run(&mut bench),
            Part::Writer => writer::run(&mut bench),
            Part::Load => load::run(&mut bench),
            Part::Growth => growth::run(&mut bench),
            Part::Lists => lists::run(&mut bench),
            Part::Start => start::run(&mut bench),
            Part::Hooks => hooks::run(&mut bench),
        }
    }
    bench.machine.finish();
    report::write(&bench);
}
