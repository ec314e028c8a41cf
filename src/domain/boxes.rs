//! The boxes that hold a line's money (docs/contract.md, Decision 1).

/// The four boxes of a line; together they are the line's payable magnitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boxes {
    pub unreserved: u64,
    pub held: u64,
    pub kept: u64,
    pub refunded: u64,
}

/// The box that an operation draws from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Unreserved,
    Held,
    Kept,
}
