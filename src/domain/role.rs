//! Roles of the back office's users, and what each may do.

/// A user's role; the same in each of their accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Owner,
    Manager,
    Packer,
    Viewer,
}

/// An action that only some roles may do. Seeing an account's orders needs no right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Record captures.
    Capture,
    /// Write and delete comments.
    Comment,
    /// Record authorizations, refunds and cancellations.
    ManagePayments,
    /// Open, close and cancel orders.
    ManageOrders,
    /// See and change webhooks.
    ManageHooks,
    /// See and change payout rules, and see payouts.
    ManagePayouts,
}

impl Role {
    pub const ALL: [Role; 4] = [Self::Owner, Self::Manager, Self::Packer, Self::Viewer];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Packer => "packer",
            Self::Viewer => "viewer",
        }
    }

    pub fn parse(word: &str) -> Option<Role> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    pub fn may(self, right: Right) -> bool {
        match (self, right) {
            (Self::Owner | Self::Manager, _) => true,
            (Self::Packer, Right::Capture | Right::Comment) => true,
            (
                Self::Packer,
                Right::ManagePayments
                | Right::ManageOrders
                | Right::ManageHooks
                | Right::ManagePayouts,
            ) => false,
            (Self::Viewer, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packer_captures_and_a_viewer_looks() {
        let may = |role: Role| {
            let all = [
                Right::Capture,
                Right::Comment,
                Right::ManagePayments,
                Right::ManageOrders,
                Right::ManageHooks,
                Right::ManagePayouts,
            ];
            all.map(|right| role.may(right))
        };
        assert_eq!(may(Role::Owner), [true; 6]);
        assert_eq!(may(Role::Manager), [true; 6]);
        assert_eq!(may(Role::Packer), [true, true, false, false, false, false]);
        assert_eq!(may(Role::Viewer), [false; 6]);
        assert!(Role::ALL.into_iter().all(|role| Role::parse(role.as_str()) == Some(role)));
    }
}
