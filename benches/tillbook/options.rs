//! The command line of the benchmark, and the sizes and durations that follow from it.

use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures Tillbook. Needs Linux and a disk; all parts take about twenty minutes.
#[derive(Parser)]
#[command(name = "cargo bench --bench tillbook --")]
pub struct Options {
    /// Run only these parts
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    pub only: Vec<Part>,
    /// Make a short run with little data, to see that it works; no target is checked
    #[arg(long)]
    pub quick: bool,
    /// How often each measurement is repeated, like the measurement it is compared with
    #[arg(long, value_name = "COUNT")]
    pub repetitions: Option<usize>,
    /// How many events the hook of `hooks` has missed when it is resumed
    #[arg(long, value_name = "COUNT")]
    pub behind: Option<usize>,
    /// Put the table into benches/README.md and the plot beside it
    #[arg(long)]
    pub publish: bool,
    /// Passed by Cargo to every benchmark
    #[arg(long, hide = true)]
    pub bench: bool,
    #[arg(long, hide = true)]
    pub serve_echo: Option<String>,
    #[arg(long, hide = true)]
    pub serve_naive: Option<String>,
    #[arg(long, hide = true)]
    pub book: Option<std::path::PathBuf>,
}

/// A part that can be run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The cost of a sync
    Fsync,
    /// Checking access tokens
    Tokens,
    /// The writer, compared with a raw loop of the same statements
    Writer,
    /// Captures end to end, compared with an echo and a naive server
    Load,
    /// Captures with more and more orders in the book
    Growth,
    /// Pages of the order list, by each filter
    Lists,
    /// Start-up and idle memory
    Start,
    /// Captures with a webhook, and a webhook that is behind
    Hooks,
}

impl Options {
    /// The parts to run, in order.
    pub fn parts(&self) -> Vec<Part> {
        let all = Part::value_variants().iter().copied();
        all.filter(|part| self.only.is_empty() || self.only.contains(part)).collect()
    }

    /// How often each measurement is repeated, like the measurement it is compared with.
    pub fn repetitions(&self) -> usize {
        self.repetitions.unwrap_or(if self.quick { 1 } else { 5 }).max(1)
    }

    /// How long one turn of a load lasts.
    pub fn turn(&self) -> Duration {
        Duration::from_millis(if self.quick { 400 } else { 3_000 })
    }

    /// The numbers of orders in the books for `growth`.
    pub fn sizes(&self) -> &'static [usize] {
        if self.quick { &[1_000, 5_000] } else { &[1_000, 100_000, 1_000_000] }
    }

    /// How many events the hook of `hooks` has missed.
    pub fn behind(&self) -> usize {
        self.behind.unwrap_or(if self.quick { 2_000 } else { 100_000 })
    }

    /// Orders in the largest of these books.
    pub fn largest(&self) -> usize {
        self.sizes().iter().copied().max().unwrap_or(1_000)
    }

    /// Numbers of connections that send at once.
    pub const CONNECTIONS: [usize; 4] = [1, 8, 64, 256];
    /// Numbers of commands that wait for the writer at a time.
    pub const BATCHES: [usize; 4] = [1, 16, 64, 256];
}

impl Part {
    /// Its title in the output.
    pub fn title(self) -> &'static str {
        match self {
            Self::Fsync => "fsync: what a sync costs",
            Self::Tokens => "tokens: checking access tokens",
            Self::Writer => "writer: the writer over a raw loop",
            Self::Load => "load: captures over an echo and a naive server",
            Self::Growth => "growth: captures with more orders in the book",
            Self::Lists => "lists: pages of orders by each filter",
            Self::Start => "start: start-up and idle memory",
            Self::Hooks => "hooks: captures with a webhook, and a webhook that is behind",
        }
    }

    /// The number of its repetitions, for the progress bar.
    pub fn repetitions(self, options: &Options) -> u64 {
        let kinds = match self {
            Self::Fsync | Self::Tokens | Self::Growth | Self::Lists | Self::Start => 1,
            Self::Writer => Options::BATCHES.len(),
            // One paced and one as fast as possible.
            Self::Hooks => 2,
            // One more repetition for the fixed rate.
            Self::Load => Options::CONNECTIONS.len() + 1,
        };
        u64::try_from(kinds * options.repetitions()).unwrap_or(0)
    }
}
