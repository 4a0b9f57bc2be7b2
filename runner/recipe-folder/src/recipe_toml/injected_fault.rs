//! Faults that a run makes on purpose.

/// One of them. All are off unless the recipe's folder switches them on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFault {
    /// Each service is taken down and brought back.
    Restart,
    /// The app gets a wrong password for its database.
    WrongSecret,
    /// The app starts while its database is away.
    DatabaseLate,
    /// The database goes away under the live app, and comes back.
    DatabaseGone,
    /// The tested commit is deployed again with other settings.
    Reconfigure,
    /// The upgrade begins two releases back.
    TwoBack,
    /// A backup of the release before is restored on the tested commit.
    CrossRelease,
}

impl InjectedFault {
    /// All of them, in the order in which they are tried: those that put another release in the app's place come last.
    pub const ALL: [Self; 7] = [
        Self::Restart,
        Self::WrongSecret,
        Self::DatabaseLate,
        Self::DatabaseGone,
        Self::Reconfigure,
        Self::TwoBack,
        Self::CrossRelease,
    ];

    /// The name in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::WrongSecret => "wrong-secret",
            Self::DatabaseLate => "database-late",
            Self::DatabaseGone => "database-gone",
            Self::Reconfigure => "reconfigure",
            Self::TwoBack => "two-back",
            Self::CrossRelease => "cross-release",
        }
    }

    /// The check that says how it ended; others of the fault have its name in front.
    pub fn check(self) -> String {
        format!("faults.{}", self.name())
    }

    /// What switches it on, in `recipe.toml`.
    pub fn switch(self) -> &'static str {
        match self {
            Self::Restart => "[faults.restart]",
            Self::WrongSecret => "[faults.wrong_secret]",
            Self::DatabaseLate => "[faults.database_late]",
            Self::DatabaseGone => "[faults.database_gone]",
            Self::Reconfigure => "[reconfigure]",
            Self::TwoBack => "[upgrade] two_back",
            Self::CrossRelease => "[backup] cross_release",
        }
    }
}
