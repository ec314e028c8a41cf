//! The long trials, and their common parts: a seed that is printed, dice, and a repeatable proptest
//! runner. `tests/controls` lists the faults that each trial must find.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

pub mod crash;
mod disk;
pub mod faults_clock;
pub mod faults_disk;
pub mod faults_file;
pub mod faults_process;
pub mod flood;
pub mod fuzz;
pub mod greedy;
pub mod hooks;
pub mod little_memory;
pub mod load;
pub mod model;
pub mod nth_fault;
pub mod power_loss;
pub mod race;
mod rebuilt;
pub mod sent;
mod shim;
pub mod start_up;
pub mod stored;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tillbook::randomness::Randomness;

/// Prints a line that is shown when the test fails, or with `--nocapture`.
#[expect(clippy::print_stdout, reason = "the test runner shows it when a test fails")]
pub fn say(text: &str) {
    println!("{text}");
}

/// The seed of a trial: TILLBOOK_TRIAL_SEED, which repeats a run, or else a random one.
pub fn seed(trial: &str) -> u64 {
    seed_or(trial, u64::from_le_bytes(Randomness::System.bytes()))
}

/// Like [`seed`], with this seed instead of a random one. Prints the seed.
pub fn seed_or(trial: &str, usual: u64) -> u64 {
    let given = std::env::var("TILLBOOK_TRIAL_SEED").ok().map(|text| text.parse().unwrap());
    let seed = given.unwrap_or(usual);
    say(&format!("{trial}: seed {seed}; to repeat it: TILLBOOK_TRIAL_SEED={seed}"));
    seed
}

/// A count from the environment, or the usual one.
pub fn count(variable: &str, usual: u32) -> u32 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

/// Random numbers that are the same for the same seed.
pub struct Dice(Randomness);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(Randomness::seeded(seed))
    }

    /// Between 0 and `bound` - 1.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_le_bytes(self.0.bytes()) % bound
    }

    /// Between 1 and `most`.
    pub fn amount(&self, most: i64) -> i64 {
        1 + i64::try_from(self.below(u64::try_from(most).unwrap())).unwrap()
    }

    pub fn pick<'a, T>(&self, among: &'a [T]) -> &'a T {
        let at = self.below(u64::try_from(among.len()).unwrap());
        &among[usize::try_from(at).unwrap()]
    }
}

/// A proptest runner with this seed. It keeps no files of failures, because the seed repeats them.
pub fn runner(seed: u64, cases: u32) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let config = Config { max_shrink_iters: 500, ..config };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}
