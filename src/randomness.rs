//! The only source of random bytes. Every other place is given a `Randomness`, so that the demo
//! shop can be made the same from the same seed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Where ids and secrets come from.
#[derive(Clone)]
pub enum Randomness {
    /// The system's random source.
    System,
    /// A fixed sequence from a seed: the demo shop's ids, the same for the same seed. Never a
    /// source of secrets.
    Seeded(Arc<Mutex<u64>>),
}

impl Randomness {
    /// The sequence of that seed.
    pub fn seeded(seed: u64) -> Randomness {
        Randomness::Seeded(Arc::new(Mutex::new(seed)))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Randomness::System => {
                aws_lc_rs::rand::fill(&mut bytes).expect("the system has a random source");
            }
            Randomness::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                for chunk in bytes.chunks_mut(8) {
                    chunk.copy_from_slice(&split_mix(&mut state).to_le_bytes()[..chunk.len()]);
                }
            }
        }
        bytes
    }

    /// A UUID v4 in its usual text form.
    pub fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }

    /// A number below `bound`, each as likely as the others. `bound` is at most 256.
    pub fn below(&self, bound: usize) -> usize {
        let fair = 256 - 256 % bound;
        loop {
            let [drawn] = self.bytes::<1>();
            if usize::from(drawn) < fair {
                return usize::from(drawn) % bound;
            }
        }
    }
}

impl fmt::Debug for Randomness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Randomness")
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for made-up shops.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (a, b) = (Randomness::seeded(7), Randomness::seeded(7));
        assert_eq!(a.uuid(), b.uuid());
        assert_ne!(a.uuid(), a.uuid());
        assert_ne!(Randomness::seeded(8).uuid(), Randomness::seeded(7).uuid());
        assert_eq!(Randomness::System.uuid().as_bytes()[14], b'4');
        assert!((0..1_000).all(|_| a.below(31) < 31));
    }
}
