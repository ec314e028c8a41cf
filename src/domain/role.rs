//! What a person in the back office may do.

/// A user's role, in each of their accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Owner,
    Manager,
    Packer,
    Viewer,
}

/// Something that not everybody may do. Seeing orders needs no right but an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Record what was taken.
    Capture,
    /// Say something about an order, or delete what was said.
    Comment,
    /// Record what was reserved, given back or released.
    ManagePayments,
    /// Open, close and cancel orders.
    ManageOrders,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Self::Owner, Self::Manager, Self::Packer, Self::Viewer];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Packer => "packer",
            Self::Viewer => "viewer",
        }
    }

    /// The role whose word this is.
    pub fn parse(word: &str) -> Option<Role> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether the role has that right.
    pub fn may(self, right: Right) -> bool {
        match (self, right) {
            (Self::Owner | Self::Manager, _) => true,
            (Self::Packer, Right::Capture | Right::Comment) => true,
            (Self::Packer, Right::ManagePayments | Right::ManageOrders) => false,
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
            let all = [Right::Capture, Right::Comment, Right::ManagePayments, Right::ManageOrders];
            all.map(|right| role.may(right))
        };
        assert_eq!(may(Role::Owner), [true; 4]);
        assert_eq!(may(Role::Manager), [true; 4]);
        assert_eq!(may(Role::Packer), [true, true, false, false]);
        assert_eq!(may(Role::Viewer), [false; 4]);
        assert!(Role::ALL.into_iter().all(|role| Role::parse(role.as_str()) == Some(role)));
    }
}
